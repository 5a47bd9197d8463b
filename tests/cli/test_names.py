"""Names that are not there, and specs that are wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.cli.conftest import INLINE
from tests.toy.paper import Workplace


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["show", "verdict"], "unknown exhibit 'verdict'; did you mean 'verdicts'"),
        (["plan", "verdict"], "did you mean 'verdicts'"),
        (["diff", "verdicts:Noisy"], "expected an exhibit, not a part of one; give 'verdicts' ("),
        (["show", "verdicts:Noisy:Small"], "give 'verdicts' (`plan`, `make` and `why` take parts)"),
        (["diff", "verdict"], "did you mean 'verdicts'"),
        (["assumptions", "verdict"], "did you mean 'verdicts'"),
        (["make", "verdicts", "avereged", *INLINE], "did you mean 'averaged'"),
        (["show", "zzz"], "unknown exhibit 'zzz'; known: averaged, broken, verdicts"),
        (["show", "verdicts", "--profile", "state"], "unknown profile 'state'; did you mean 'st"),
        (["verify", "--profile", "smal"], "did you mean 'small'?"),
        (["why", "verdicts:Nosy:Small"], "did you mean 'verdicts:Noisy:Small'"),
        (["why", "verdict:Noisy:Small"], "did you mean 'verdicts'"),
        (["why", "verdicts"], "unknown cell 'verdicts'"),
        (["make", "averaged", "--vary", "asumed.truth=0.6"], "did you mean 'assumed.truth'"),
        (["make", "averaged", "--vary", "assumed.truth=0.7"], "expected one of 0.5, 0.6"),
        (["show", "verdicts", "--vary", "truth"], "expected setting=value"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_an_unknown_name_is_answered_with_the_nearest(
    place: Workplace, arguments: list[str], says: str
) -> None:
    outcome = place.repro(*arguments)
    assert outcome.code == 2
    assert outcome.err.startswith("repro: ")
    assert says in outcome.err
    assert outcome.err.count("\n") == 1
    assert outcome.out == ""


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("tables/verdicts.toml", '50.00 ± 4.00", Large', '50..00", Large'),
        ("methods/noisy.toml", 'step = "draw"', 'step = "drew"'),
        ("methods/noisy.toml", '{ keep = "{keep}" }', '{ keep = "some" }'),
    ],
)
@pytest.mark.parametrize("command", ["make", "show", "plan", "diff"])
def test_a_mistake_in_a_spec_changes_nothing(
    copied: Workplace, file: str, old: str, new: str, command: str
) -> None:
    copied.edit(file, old, new)
    before = copied.files()
    outcome = copied.repro(command, "verdicts", *(INLINE if command == "make" else ()))
    assert outcome.code == 2
    assert f"{copied.specs / file}:{copied.line(file, new)}: " in outcome.err
    assert outcome.err.count("\n") == 1
    assert copied.files() == before


def test_looking_changes_no_record(copied: Workplace) -> None:
    """Verdicts that are computed anew may be remembered; the evidence stays as it is."""
    before = copied.files()
    for command in (["list"], ["show", "broken"], ["plan", "verdicts"], ["diff", "averaged"]):
        assert copied.repro(*command).code in (0, 1)
    after = copied.files()
    kept = {name: data for name, data in after.items() if name in before and "duckdb" not in name}
    assert kept == {name: data for name, data in before.items() if "duckdb" not in name}
    assert all(name.split("/")[0] in ("memo", "repro.duckdb") for name in after.keys() - before)


def test_the_help_of_every_command_has_an_example_that_is_its_own() -> None:
    from typer.main import get_command

    from harness.cli.main import app

    def commands(group: Any, name: str) -> Iterator[tuple[str, Any]]:
        for word, command in sorted(group.commands.items()):
            if hasattr(command, "commands"):
                yield from commands(command, f"{name} {word}")
            else:
                yield f"{name} {word}", command

    for name, command in commands(get_command(app), "repro"):
        assert command.epilog, name
        assert command.epilog.startswith(f"Such as: {name}"), name


def test_a_word_alone_says_what_is_here_and_what_to_do_next(place: Workplace) -> None:
    lines = place.repro().out.splitlines()
    assert lines[1].startswith("3 exhibits; results are here of: ")
    assert lines[4].startswith("repro show ")
    assert len(lines) <= 12


def test_a_family_alone_prints_its_help_line_by_line(place: Workplace) -> None:
    shown = place.repro("evidence")
    lines = (shown.out + shown.err).splitlines()
    assert lines[0].startswith("Usage: ")
    assert "Options:" in lines
