"""The commands that the documentation shows: all are known, and those that are cheap are run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from click import Context
from typer.main import get_command

from harness.cli.main import app
from harness.plan.parts import steps_below
from harness.plan.settings import parse_variation
from harness.spec.paper import load_paper
from harness.study.exhibits import Request, plan_of
from harness.study.project import find_project
from tests.docs.console import PAGES, ROOT, Command, commands

EVERY = [command for page in PAGES for command in commands(page)]
_REPRO = ("repro", ".venv/bin/repro")


def test_there_are_commands_of_both_kinds() -> None:
    assert sum(command.executed for command in EVERY) > 20
    assert any(not command.executed for command in EVERY)


@pytest.mark.parametrize("command", EVERY, ids=str)
def test_every_command_is_known(command: Command) -> None:
    if command.words[0] == "make":
        makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
        for target in command.words[1:]:
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"no target {target}"
    elif command.words[0] in _REPRO:
        _parse(command.words[1:])
        if not command.executed:
            _resolve(command.words)


def _parse(arguments: list[str]) -> None:
    """Let the app read the arguments, down to the command; nothing is called."""
    command, name, parent = get_command(app), "repro", None
    while True:
        context: Context = command.make_context(name, arguments, parent=parent)  # type: ignore[arg-type]
        left = [*getattr(context, "_protected_args", []), *context.args]
        if not hasattr(command, "resolve_command") or not left:
            return
        found, command, arguments = command.resolve_command(context, left)
        name, parent = str(found), context


def _resolve(words: list[str]) -> None:
    """What is not executed may still name only exhibits, profiles and settings that there are."""
    paper = load_paper(ROOT / "specs")
    options = dict(pairwise(words))
    paper.profile(options.get("--profile"))
    if "--vary" in options:
        parse_variation(paper, [options["--vary"]])
    for word in words:
        name, colon, _ = word.partition(":")
        if colon or name in paper.exhibits:
            planned = plan_of(find_project(), name, Request())
            steps_below(planned, [word])


@pytest.mark.docs
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_commands_of_a_page_run(page: Path, tmp_path: Path) -> None:
    """In one shell, in a copy of the project with an empty store; the first failure ends it."""
    script = [command.text for command in commands(page) if command.executed]
    if not script:
        pytest.skip("shows no command that is executed")
    _copy(tmp_path)
    (tmp_path / "bin").mkdir()
    runner = tmp_path / "bin" / "repro"
    entry = "from harness.cli.main import main; main()"
    runner.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{entry}" "$@"\n')
    runner.chmod(0o755)
    done = subprocess.run(
        ["bash", "-euxo", "pipefail", "-c", "\n".join(script)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env=os.environ
        | {
            "PATH": f"{tmp_path / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "COLUMNS": "100",
        },
    )
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-4000:]}"


def _copy(place: Path) -> None:
    """What the commands of the project's own pages need of it."""
    shutil.copytree(ROOT / "specs", place / "specs")
    shutil.copytree(ROOT / "store" / "published", place / "store" / "published")
    shutil.copytree(ROOT / "paper", place / "paper", ignore=shutil.ignore_patterns("build"))
    (place / ".venv").mkdir()
    (place / ".venv" / "bin").symlink_to(place / "bin")
