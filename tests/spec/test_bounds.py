"""Specs that would never be done, or mean another thing than they say, are refused at once."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.render.markup import runs
from harness.spec.base import same
from harness.spec.paper import load_paper
from harness.spec.toml import SpecError, read_toml
from tests.toy.paper import Workplace

VERDICTS, SMALL = "tables/verdicts.toml", "profiles/small.toml"


def refused(place: Workplace) -> str:
    with pytest.raises(SpecError) as stop:
        load_paper(place.specs)
    return str(stop.value)


@pytest.mark.parametrize("seeds", [10**8, 10**32])
def test_seeds_have_a_bound(place: Workplace, seeds: int) -> None:
    text = (place.specs / SMALL).read_text()
    line = next(line for line in text.splitlines() if line.startswith("seeds"))
    place.edit(SMALL, line, f"seeds = {seeds}")
    assert "less than or equal to 10000" in refused(place)


@pytest.mark.parametrize(
    ("seeds", "said"),
    [
        ("[]", "List should have at least 1 item, not 0"),
        ("[true]", "a valid integer (found True)"),
        ("[3, 0, 3]", "a seed comes twice"),
        ("[-1]", "greater than or equal to 0"),
        ("[2147483648]", "less than 2147483648"),
        (f"[{', '.join(map(str, range(10_001)))}]", "List should have at most 10000 items"),
    ],
)
def test_a_list_of_seeds_has_bounds(place: Workplace, seeds: str, said: str) -> None:
    place.edit(SMALL, "seeds = 2", f"seeds = {seeds}")
    told = refused(place)
    assert f"{SMALL}:{place.line(SMALL, 'seeds =')}" in told
    assert said in told
    assert len(told.splitlines()) == 1


def test_cells_have_a_bound(place: Workplace) -> None:
    columns = "".join(f'[[columns]]\nname = "c{at}"\nlabel = "c"\n' for at in range(3000))
    place.add(VERDICTS, f"\n{columns}")
    assert "expected at most 10000" in refused(place)


def test_runs_have_a_bound(place: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.plan.exhibit.MOST_RUNS", 12)
    outcome = place.repro("plan", "verdicts")
    assert outcome.code == 2
    assert "more than 12 runs" in outcome.err


@pytest.mark.parametrize(
    "special", [lambda path: os.mkfifo(path), lambda path: Path(path).symlink_to("/dev/zero")]
)
def test_what_is_no_regular_file_is_no_spec(
    place: Workplace, special: Callable[[str], None]
) -> None:
    special(str(place.specs / "methods" / "endless.toml"))
    assert "endless.toml: no regular file" in refused(place)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("seeds = 2", "seeds = 2.0"),
        ("seeds = 2", "seeds = true"),
        ("seeds = 2", 'seeds = "2"'),
        ("seeds = 2", "seeds = [2.0]"),
        ("seeds = 2", "seeds = [true]"),
    ],
)
def test_a_whole_number_is_one(place: Workplace, old: str, new: str) -> None:
    text = (place.specs / SMALL).read_text()
    line = next(line for line in text.splitlines() if line.startswith("seeds"))
    place.edit(SMALL, line, new)
    assert f"{SMALL}:" in refused(place)
    wrong = r"seeds: expected a count of seeds|seeds\.0: Input should be a valid integer"
    assert re.search(wrong, refused(place))


def test_twenty_point_nought_is_twenty(place: Workplace) -> None:
    """In a binding, so that a profile's map finds it, and that the identities are the same."""
    whole = place.repro("plan", "verdicts", "--json").json["steps"]
    text = (place.specs / VERDICTS).read_text()
    changed = text.replace("size = 20 ", "size = 20.0 ").replace("size = 40 ", "size = 40.0 ")
    assert changed != text, "the table binds numbers"
    (place.specs / VERDICTS).write_text(changed)
    assert place.repro("plan", "verdicts", "--json").json["steps"] == whole


def test_a_truth_value_is_no_number() -> None:
    assert same(1, 1.0)
    assert not same(1, True)
    assert not same(False, 0)


def test_a_byte_order_mark_is_accepted(place: Workplace) -> None:
    paths = list(place.specs.rglob("*.toml"))
    before = load_paper(place.specs)
    for path in paths:
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert load_paper(place.specs).model_copy(update={"digest": before.digest}) == before
    assert read_toml(paths[0])
    place.edit(SMALL, "seeds", "sedes")
    assert f"{SMALL}:{place.line(SMALL, 'sedes')}" in refused(place)
    assert place.repro("upgrade").code in (0, 2)


def took(text: str) -> float:
    began = time.process_time()
    list(runs(text))
    return time.process_time() - began


@pytest.mark.parametrize("piece", ["*a ", "**a ", "$a ", "$\\\\abc ", "*a**", "~ ", "\\abc"])
def test_reading_markup_grows_as_the_text_does(piece: str) -> None:
    """For 16 times the text a linear pattern takes 16 times as long, a quadratic one 256 times."""
    short, long = (min(took(piece * count) for _ in range(3)) for count in (2_000, 32_000))
    assert long < 64 * short + 0.02
