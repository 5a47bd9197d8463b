"""A place to work in with the invented paper: its specs, a store, and the command `repro`."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from harness.cli.main import main
from harness.render.figures.draw import save
from harness.render.figures.model import FigureData
from harness.spec.paper import Paper, load_paper
from harness.store.store import Store
from harness.study.trust import trust

SPECS = Path(__file__).parent / "specs"
PLOTTED = Path(__file__).parent / "plotted" / "specs"
"""A figure, a fit and a lemma, which tests may add to it."""


_VARIABLES = 'size = "value"\nobjective = "recipe"\ncopies = "value"\n'


@dataclass(frozen=True)
class Outcome:
    """What a command left behind it."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one JSON object on standard output."""
        fields: dict[str, Any] = json.loads(self.out)
        assert fields["version"] == 1
        return fields


@dataclass(frozen=True)
class Workplace:
    """Specs, a store and a folder for renders, all under one folder."""

    root: Path

    @property
    def specs(self) -> Path:
        return self.root / "specs"

    @property
    def store(self) -> Store:
        return Store(self.root / "store")

    @property
    def paper(self) -> Paper:
        return load_paper(self.specs)

    def edit(self, file: str, old: str, new: str) -> None:
        """Replace the only occurrence of a text in a spec."""
        path = self.specs / file
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{file} has {text.count(old)} times {old!r}"
        path.write_text(text.replace(old, new), encoding="utf-8")

    def add(self, file: str, text: str) -> None:
        """Append to a spec, or make a new one."""
        path = self.specs / file
        before = path.read_text(encoding="utf-8") if path.is_file() else ""
        path.write_text(before + text, encoding="utf-8")

    def line(self, file: str, text: str) -> int:
        """The 1-based number of the only line of a spec that has a text."""
        lines = (self.specs / file).read_text(encoding="utf-8").splitlines()
        found = [number for number, line in enumerate(lines, 1) if text in line]
        assert len(found) == 1, f"{file}: {text!r} is in the lines {found}"
        return found[0]

    def repro(self, *arguments: str) -> Outcome:
        """Run the command in this process, as a shell would, in a folder that is trusted."""
        trust(self.root.resolve())
        places = {"SPECS": self.specs, "STORE": self.root / "store", "BUILD": self.root / "build"}
        return run_repro(arguments, {f"REPRO_{name}": str(at) for name, at in places.items()})

    def starts(self) -> int:
        """How many steps were ever started."""
        return sum(event["event"] == "start" for event in self.store.events.read())

    def files(self) -> dict[str, bytes]:
        """Every file of the store, by its place in it."""
        root = self.root / "store"
        return {
            str(path.relative_to(root)): path.read_bytes()
            for path in sorted(root.rglob("*"))
            if path.is_file()
        }

    def copy(self, root: Path) -> Workplace:
        shutil.copytree(self.root, root, dirs_exist_ok=True)
        return Workplace(root)


def run_repro(
    arguments: Sequence[str], environment: Mapping[str, str], folder: Path | None = None
) -> Outcome:
    """Run the command in this process, as a shell would in a folder with an environment."""
    out, err = StringIO(), StringIO()
    with pytest.MonkeyPatch.context() as patch:
        if folder is not None:
            patch.chdir(folder)
        patch.setattr(sys, "argv", ["repro", *arguments])
        # Typer would draw boxes as wide as the terminal around its own messages.
        for name, value in {"TERM": "dumb", **environment}.items():
            patch.setenv(name, value)
        patch.setattr("harness.render.figures.draw.save", _drawn_once)
        with redirect_stdout(out), redirect_stderr(err):
            code = _exit_code()
    return Outcome(code, out.getvalue(), err.getvalue())


def new_workplace(root: Path) -> Workplace:
    """The invented paper as it is committed, with nothing made yet."""
    shutil.copytree(SPECS, root / "specs")
    return Workplace(root)


def plotted_workplace(root: Path) -> Workplace:
    """The invented paper with exhibits that are plotted."""
    place = new_workplace(root)
    place.edit("paper.toml", 'size = "value"\n', _VARIABLES)
    shutil.copytree(PLOTTED, place.specs, dirs_exist_ok=True)
    return place


_DRAWN: dict[tuple[str, ...], dict[str, bytes]] = {}
"""Figure and formats -> the content of each file."""


def _drawn_once(figure: FigureData, folder: Path, formats: Sequence[str]) -> list[Path]:
    """As `save`, which writes the same bytes for the same data: those of an equal figure."""
    key = (repr(figure), *formats)
    if key not in _DRAWN:
        _DRAWN[key] = {path.name: path.read_bytes() for path in save(figure, folder, formats)}
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in _DRAWN[key].items():
        (folder / name).write_bytes(content)
    return [folder / name for name in _DRAWN[key]]


def _exit_code() -> int:
    with pytest.raises(SystemExit) as stop:
        main()
    assert isinstance(stop.value.code, int)
    return stop.value.code
