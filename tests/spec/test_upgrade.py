"""Specs of an older format, rewritten in place."""

from __future__ import annotations

import difflib
from pathlib import Path

import pytest

from harness.plan.exhibit import plan_exhibit
from harness.spec.paper import FORMAT, format_of
from harness.spec.upgrade import MIGRATIONS, taken, upgraded
from tests.toy.paper import Workplace

PLACED = 'value = 0.04\nsource = "code"\nplace = "official code: scatter"\n'


@pytest.fixture
def old(place: Workplace) -> Workplace:
    """Two copies of a setting that nothing varies, beside two that are alike and can be varied."""
    for method, value in (("noisy", "0.04"), ("faithful", "0.002")):
        stated = f'[settings.scatter]\nvalue = {value}\nsource = "paper"\nplace = "Section 1"\n'
        place.edit(f"methods/{method}.toml", stated, f"# Why.\n[settings.scatter]\n{PLACED}")
    return place


def texts(place: Workplace) -> dict[Path, str]:
    return {path: path.read_text("utf-8") for path in sorted(place.specs.rglob("*.toml"))}


def test_the_format_is_one_more_than_there_are_migrations() -> None:
    assert len(MIGRATIONS) + 1 == FORMAT


def test_copies_become_references_and_nothing_else_changes(old: Workplace) -> None:
    before, plan = texts(old), plan_exhibit(old.paper, "verdicts").steps
    settings = {name: each.choices for name, each in old.paper.settings().items()}
    outcome = old.repro("upgrade", str(old.specs))
    assert outcome.code == 0
    assert outcome.out.endswith("Format 1 to 3; specs rewritten: 2\n")
    after = texts(old)
    assert {path.name for path in after if after[path] != before[path]} == {
        "noisy.toml",
        "paper.toml",
    }
    noisy = old.specs / "methods" / "noisy.toml"
    lines = difflib.ndiff(before[noisy].splitlines(), after[noisy].splitlines())
    assert sorted(line for line in lines if line[0] in "+-") == [
        '+ from = "faithful.scatter"',
        *sorted(f"- {line}" for line in PLACED.splitlines()),
    ]
    assert old.paper.settings()["noisy.scatter"].origins == ("faithful.scatter",)
    assert {name: each.choices for name, each in old.paper.settings().items()} == settings
    assert plan_exhibit(old.paper, "verdicts").steps == plan


def test_an_upgrade_is_done_once(old: Workplace) -> None:
    assert old.repro("upgrade", str(old.specs)).code == 0
    once = texts(old)
    assert format_of(old.specs) == FORMAT
    assert old.repro("upgrade").out == "The specs are of format 3 already.\n"
    assert texts(old) == once


def test_a_dry_run_shows_the_same_and_writes_nothing(old: Workplace) -> None:
    before = texts(old)
    dry = old.repro("upgrade", "--dry").out
    assert texts(old) == before
    assert dry.replace("would be rewritten", "rewritten") == old.repro("upgrade").out
    assert '+from = "faithful.scatter"' in dry


def test_what_is_varied_or_overridden_or_printed_stays(old: Workplace) -> None:
    """`keep` has alternatives in every method, and `truth` is what the paper itself states."""
    changed = upgraded(old.specs)
    assert "from" not in changed[Path("methods/noisy.toml")][1].split("[settings.scatter]")[0]
    assert [text.count("from = ") for _, text in changed.values()] == [1, 0]


def test_specs_that_are_wrong_are_not_touched(old: Workplace) -> None:
    old.edit("methods/noisy.toml", 'step = "draw"', 'stp = "draw"')
    before = texts(old)
    outcome = old.repro("upgrade")
    assert outcome.code == 2
    assert "did you mean 'step'" in outcome.err
    assert texts(old) == before


CHOICES = '''# Kept above.
[[settings.a]] # first
value = 1
when = { x = [
    2,
] }

# Kept between.
[[settings.a]]
value = """
[settings.b]
"""

# Kept below.
[settings.b]
value = 3
'''


def test_several_choices_become_one_reference() -> None:
    simple = CHOICES.replace('"""\n[settings.b]\n"""', "2")
    assert taken(simple, "a", "other.a") == (
        '# Kept above.\n[settings.a]\nfrom = "other.a"\n\n# Kept between.\n\n'
        "# Kept below.\n[settings.b]\nvalue = 3\n"
    )


@pytest.mark.parametrize(
    "text", [CHOICES, "settings = { a = { value = 1 } }\n", "settings.a.value = 1\n"]
)
def test_what_cannot_be_rewritten_line_by_line_is_left(text: str) -> None:
    assert taken(text, "a", "other.a") == text


@pytest.mark.parametrize("section", ["[reporting]\nn = 5\n\n", ""])
def test_accuracies_are_said_to_be_accuracies(old: Workplace, section: str) -> None:
    path = old.specs / "tables" / "averaged.toml"
    column = old.paper.exhibits["averaged"].column_names[0]
    text = path.read_text("utf-8")
    stated = text[text.index("[reporting]") : text.index("[bind]")]
    path.write_text(text.replace(stated, section), encoding="utf-8")
    assert old.paper.exhibits["averaged"].reporting_of("Faithful", column).unit == ""
    assert old.repro("upgrade", str(old.specs)).code == 0
    reporting = old.paper.exhibits["averaged"].reporting_of("Faithful", column)
    assert reporting.unit == "percent top-1"
    assert reporting.n == (5 if section else "unknown")
