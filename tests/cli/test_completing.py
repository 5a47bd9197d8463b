"""What Tab offers, asked as the shell asks it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.cli import completing
from tests.toy.paper import Workplace


def offered(place: Workplace, words: str) -> list[str]:
    """Asked of a process of its own, as by bash."""
    asked = {
        "_REPRO_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split(" ")) - 1),
        "REPRO_SPECS": str(place.specs),
    }
    code = "import sys; sys.argv = ['repro']; from harness.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | asked,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


def test_the_shell_is_offered_what_the_specs_have(place: Workplace) -> None:
    assert offered(place, "repro show ") == ["averaged", "broken", "verdicts"]
    assert offered(place, "repro make ver") == ["verdicts"]


@pytest.mark.parametrize(
    ("offer", "incomplete", "some"),
    [
        ("exhibits", "a", {"averaged"}),
        ("parts", "verdicts:F", {"verdicts:Faithful", "verdicts:Flattered"}),
        ("parts", "verdicts:Faithful:", {"verdicts:Faithful:Small", "verdicts:Faithful:Large"}),
        ("parts", "verdicts::S", {"verdicts::Small"}),
        ("profiles", "st", {"stated"}),
        ("variations", "assumed.", {"assumed.truth=0.6", "assumed.keep=5"}),
        ("datasets", "", {"numbers"}),
    ],
)
def test_names_begin_with_what_was_typed(
    place: Workplace,
    monkeypatch: pytest.MonkeyPatch,
    offer: str,
    incomplete: str,
    some: set[str],
) -> None:
    monkeypatch.setenv("REPRO_SPECS", str(place.specs))
    found = getattr(completing, offer)(incomplete)
    assert some <= set(found)
    assert all(name.startswith(incomplete) for name in found)


@pytest.mark.parametrize("incomplete", ["", "zzz:", "verdicts:zzz:zzz", "a" * 10_000, "\x00", "::"])
def test_nothing_is_said_where_nothing_is_to_offer(
    place: Workplace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, incomplete: str
) -> None:
    monkeypatch.setenv("REPRO_SPECS", str(tmp_path / "nowhere"))
    for offer in (completing.exhibits, completing.parts, completing.variations):
        assert offer(incomplete) == []
    monkeypatch.setenv("REPRO_SPECS", str(place.specs))
    place.add("tables/verdicts.toml", "\n[[[")
    assert completing.parts("verdicts:F") == []
