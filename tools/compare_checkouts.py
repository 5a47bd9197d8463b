"""Compare what two checkouts print as JSON, byte for byte.

    python tools/compare_checkouts.py OLD NEW [--exhibit table7]... [--profile paper]... [--vary]

Each checkout is a folder with its own `.venv`. `show`, `plan` and `diff` are run for every exhibit
under every profile, `verify` for every profile and `audit` once, each beside an empty working
store, so that only the published results count. With `--vary`, each alternative that an assumption
declares is planned too, in the first exhibit that has this assumption. Every difference is listed,
with its reason where `tools/expected_differences.toml` has one; the exit code is 1 where one has
none.

One process for each checkout runs the app for all commands, since a start costs half a second.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

EXPECTED = Path(__file__).with_name("expected_differences.toml")
NAMING = ("identity", "address", "id")
"""Keys that name the elements of a list, so that one more of them is one difference."""


def serve() -> None:
    """Answer every command line on standard input with one line; runs in a checkout's Python."""
    from typer.testing import CliRunner

    from harness.cli.main import app

    runner = CliRunner()
    for line in sys.stdin:
        result = runner.invoke(app, json.loads(line))
        wrong = None if isinstance(result.exception, SystemExit) else result.exception
        answer = {"exit": result.exit_code, "text": result.stdout, "error": wrong and str(wrong)}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


class Checkout:
    """A process that runs commands in a checkout."""

    def __init__(self, folder: Path, store: str) -> None:
        self._folder = folder
        self._process = subprocess.Popen(
            [folder.absolute() / ".venv/bin/python", Path(__file__).absolute(), "--serve"],
            cwd=folder,
            env={
                **os.environ,
                "PYTHONPATH": str(folder.absolute()),
                "REPRO_STORE": store,
                "COLUMNS": "100",
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, command: list[str]) -> None:
        assert self._process.stdin
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()

    def answer(self) -> dict[str, Any]:
        """What the command that was asked first gave.

        Raises:
            SystemExit: the process ended.
        """
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"{self._folder}: its process ended before it answered")
        return dict(json.loads(line))

    def get(self, *command: str) -> dict[str, Any]:
        """The JSON that a command prints; nothing where it fails."""
        self.ask([*command, "--json"])
        text = self.answer()["text"]
        return dict(json.loads(text)) if text else {}


@dataclass(frozen=True)
class Reason:
    """Why some values may differ: patterns, as of a shell, of what may."""

    commands: tuple[str, ...]
    paths: tuple[str, ...]
    reason: str
    new: str = "*"
    """Pattern of the text in the new checkout."""

    def fits(self, command: str, path: str, new: str) -> bool:
        matches = ((command, self.commands), (path, self.paths), (new, (self.new,)))
        return all(any(fnmatchcase(text, each) for each in patterns) for text, patterns in matches)


def commands(old: Checkout, asked: argparse.Namespace) -> Iterator[list[str]]:
    """All command lines, without `--json`."""
    exhibits = asked.exhibit or [e["id"] for e in old.get("list")["exhibits"]]
    profiles = asked.profile or sorted(p.stem for p in (asked.old / "specs/profiles").iterdir())
    yield ["audit"]
    for profile in profiles:
        varied: set[tuple[str, str]] = set()
        yield ["verify", "--profile", profile]
        for exhibit in exhibits:
            for command in ("show", "plan", "diff"):
                yield [command, exhibit, "--profile", profile]
            if asked.vary:
                found = old.get("assumptions", exhibit, "--profile", profile)
                fresh = _variations(found.get("assumptions", [])) - varied
                for _, variation in sorted(fresh):
                    yield ["plan", exhibit, "--profile", profile, "--vary", variation]
                varied |= fresh


def _variations(assumptions: list[dict[str, Any]]) -> set[tuple[str, str]]:
    """The assumption as it stands, since it may be another for other data, and one alternative."""
    return {
        (json.dumps(each), f"{each['id']}={json.dumps(alternative)}")
        for each in assumptions
        for alternative in each["alternatives"]
    }


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Path and text of every value; elements of a list are named where a key of theirs can."""
    if not isinstance(value, dict | list) or not value:
        yield path, json.dumps(value, ensure_ascii=False)
        return
    named = value if isinstance(value, dict) else dict(zip(_names(value), value, strict=True))
    for name, inner in named.items():
        yield from leaves(inner, f"{path}.{name}" if path else str(name))


def _names(elements: list[Any]) -> list[str]:
    for key in NAMING:
        names = [str(e.get(key)) if isinstance(e, dict) else "None" for e in elements]
        if "None" not in names and len(set(names)) == len(names):
            return names
    return [str(index) for index in range(len(elements))]


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Path -> text in the old and in the new checkout. Numbers are compared as they are written."""
    found = {
        key: (str(old[key]), str(new[key])) for key in ("exit", "error") if old[key] != new[key]
    }
    if old["text"] == new["text"] or found:
        return found
    before, after = (dict(leaves(json.loads(a["text"], parse_float=str))) for a in (old, new))
    paths = dict.fromkeys([*before, *after])
    found = {
        path: (before.get(path, "nothing"), after.get(path, "nothing"))
        for path in paths
        if before.get(path) != after.get(path)
    }
    return found or {"order": ("one order of keys or elements", "another")}


def compare(asked: argparse.Namespace) -> int:
    """Print every difference; how many have no reason."""
    entries = tomllib.loads(EXPECTED.read_text(encoding="utf-8")).get("difference", [])
    reasons = [
        Reason(tuple(entry.pop("commands")), tuple(entry.pop("paths")), **entry)
        for entry in entries
    ]
    explained: Counter[Reason] = Counter()
    compared = unexplained = 0
    with tempfile.TemporaryDirectory() as stores:
        both = [Checkout(f, f"{stores}/{n}") for n, f in enumerate((asked.old, asked.new))]
        for command in commands(both[0], asked):
            compared += 1
            for checkout in both:
                checkout.ask([*command, "--json"])
            line = " ".join(command)
            for path, (before, after) in differences(*(c.answer() for c in both)).items():
                reason = next((r for r in reasons if r.fits(line, path, after)), None)
                explained.update([reason] if reason else [])
                unexplained += not reason
                note = f"   ({reason.reason})" if reason else ""
                if asked.all or not reason:
                    print(f"{line}: {path}: {before} -> {after}{note}", flush=True)
    for reason, times in explained.items():
        print(f"{times} expected: {reason.reason}")
    print(f"{compared} commands compared, {unexplained} differences without a reason")
    return unexplained


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare what two checkouts print as JSON.")
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--exhibit", action="append", help="all by default")
    parser.add_argument("--profile", action="append", help="all by default")
    parser.add_argument("--vary", action="store_true", help="plan every alternative too")
    parser.add_argument("--all", action="store_true", help="list expected differences too")
    sys.exit(compare(parser.parse_args()) > 0)


if __name__ == "__main__":
    serve() if sys.argv[1:] == ["--serve"] else main()
