"""Designs over what a paper leaves open: which runs they hold, and that they are found again."""

from __future__ import annotations

import json
from collections import Counter
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from harness.plan.design import Alternative, arranged
from tests.cli.open_choices import INLINE, LONE, PAIR, flips, turns, with_one_row, with_two_rows
from tests.toy.paper import Workplace


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    return with_two_rows(tmp_path)


@pytest.fixture
def factors(tmp_path: Path) -> Workplace:
    return with_one_row(tmp_path)


def test_a_design_is_written_down_before_it_runs_and_found_again(place: Workplace) -> None:
    command = ("make", "open", "--explore", "8", "--json")
    written = place.repro(*command, "--write-only").json["design"]
    assert place.store.events.read() == []
    path = Path(written["file"])
    assert path.parent == place.root / "designs"
    assert sorted(map(tuple, written["runs"])) == sorted(
        (f"{row}.{name}={json.dumps(other)}",)
        for row, settings in (("lone", LONE), ("pair", PAIR))
        for name, (_, other) in settings.items()
    )
    before = path.read_bytes()
    made = place.repro(*command, *INLINE).json
    assert path.read_bytes() == before
    told = place.repro("assumptions", "open", "--flips", "--json").json
    assert {"version": told["version"], **made["turned_by"]} == told
    assert "found" in place.repro("make", "open", "--explore", "8", *INLINE).out


def test_the_name_of_a_design_counts_the_runs_that_it_holds(place: Workplace) -> None:
    def file(*arguments: str) -> str:
        more = ("--vary", "lone.one=0.9", "--write-only", "--json")
        return place.repro("make", *arguments, *more).json["design"]["file"]

    few = file("open", "--explore", "1")
    assert few.endswith("open-stated-1x5.json")
    assert file("open", "--explore", "1000000") == few
    assert file("open", "open", "--explore", "2") == few
    assert [path.name for path in (place.root / "designs").iterdir()] == [Path(few).name]
    many = place.repro("make", "open", "--explore", "5000", "--write-only", "--json")
    assert f"-{len(many.json['design']['runs'])}x5.json" in many.json["design"]["file"]


def test_designs_of_as_many_runs_stand_side_by_side(place: Workplace) -> None:
    def write(alternative: str) -> dict[str, Any]:
        more = ("--explore", "1", "--vary", alternative, "--write-only", "--json")
        return place.repro("make", "open", *more).json["design"]

    one, other = write("lone.one=0.9"), write("lone.other=0.5005")
    assert (one["runs"], other["runs"]) == ([["lone.one=0.9"]], [["lone.other=0.5005"]])
    assert one["file"] != other["file"]
    assert (write("lone.one=0.9"), write("lone.other=0.5005")) == (one, other)
    assert len([*(place.root / "designs").iterdir()]) == 2


@pytest.mark.parametrize("names", ["abcd", "abcde", "aabbc", "aaabcdefghijk"])
def test_more_runs_are_never_fewer(names: str) -> None:
    known = [Alternative(name, k, frozenset("xyz"[k % 3])) for k, name in enumerate(names)]
    counts = [len(arranged(known, runs)) for runs in range(1, 60)]
    assert counts == sorted(counts)
    assert counts[: len(known)] == [*range(1, len(known) + 1)]
    assert len(arranged(known, 1_000_000)) == len(set(arranged(known, 1_000_000))) == counts[-1]


ALL = ["lone.one=0.8", "lone.one=0.9", "lone.other=0.4", "lone.scatter=0.05"]


def explored(place: Workplace, runs: int, *only: str) -> dict[str, Any]:
    more = [word for text in only for word in ("--vary", text)]
    found = place.repro("make", "open", "--explore", str(runs), *more, "--write-only", "--json")
    assert found.code == 0, found.err
    return found.json["design"]


@pytest.mark.parametrize("runs", [2, 3])
def test_few_runs_try_every_alternative_and_its_absence(factors: Workplace, runs: int) -> None:
    design = explored(factors, runs)
    assert len(design["runs"]) == runs
    times = Counter(chain.from_iterable(design["runs"]))
    assert sorted(times) == ALL
    assert max(times.values()) < runs
    assert design["left_out"] == {}


def test_what_so_few_runs_cannot_take_is_left_out_with_its_reason(factors: Workplace) -> None:
    design = explored(factors, 1)
    (run,) = design["runs"]
    ((text, why),) = design["left_out"].items()
    assert sorted([*run, text]) == ALL
    assert why == (
        "a run takes one of the 2 alternatives of lone.one that are explored; for all of them it "
        "needs --explore 2"
    )
    shown = factors.repro("make", "open", "--explore", "1", "--write-only").out
    assert f"left out: {text}: {why}" in shown
    assert "not in it" not in shown


def test_alternatives_that_are_named_share_the_only_run(factors: Workplace) -> None:
    named = ("lone.one=0.9", "lone.other=0.4")
    design = explored(factors, 1, *named)
    assert (design["runs"], design["left_out"]) == ([[*named]], {})


def test_what_is_not_in_a_design_that_is_found_is_said(factors: Workplace) -> None:
    """Found again, it stays as it was written down, though more is asked for now."""
    explored(factors, 1, "lone.other=0.4")
    design = explored(factors, 1)
    assert design["runs"] == [["lone.other=0.4"]]
    assert design["missing"] == ["lone.one=0.8", "lone.one=0.9", "lone.scatter=0.05"]
    shown = factors.repro("make", "open", "--explore", "1", "--write-only").out
    assert "not in it: lone.one=0.8, lone.one=0.9, lone.scatter=0.05; remove the file" in shown
    Path(design["file"]).unlink()
    assert explored(factors, 1)["missing"] == []


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"lone.other=0.4"', '"foo.bar=3"', "runs.0: 'foo.bar=3': unknown setting 'foo.bar'; "),
        ('"lone.other=0.4"', '"lone.other=7"', "runs.0: 'lone.other=7': expected one of 0.5, 0.4"),
        ('"seeds": 5', '"seeds": -4', "seeds: Input should be greater than 0 (found -4)"),
        ('"seeds": 5', '"seeds": ', "not valid JSON: "),
    ],
)
def test_a_design_that_cannot_be_taken_is_told_in_one_line(
    factors: Workplace, old: str, new: str, told: str
) -> None:
    assert factors.repro("make", "open", *INLINE).code == 0
    before = factors.starts()
    path = Path(explored(factors, 1, "lone.other=0.4")["file"])
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")
    for command in (("make", "open", "--explore", "1"), ("assumptions", "open", "--flips")):
        refused = factors.repro(*command)
        assert refused.code == 2
        assert f"{path}:" in refused.err
        assert told in refused.err
        assert refused.err.count("\n") == 1
    assert factors.starts() == before


def test_with_fewer_runs_each_number_still_meets_one_alternative_at_a_time(
    place: Workplace,
) -> None:
    runs = place.repro("make", "open", "--explore", "4", "--write-only", "--json").json["design"][
        "runs"
    ]
    assert len(runs) == 4
    for run in runs:
        assert sorted(text.partition(".")[0] for text in run) == ["lone", "pair"]


def test_a_broken_design_is_told_before_anything_runs(place: Workplace) -> None:
    (place.root / "designs").mkdir()
    (place.root / "designs" / "zzz.json").write_text("{", encoding="utf-8")
    refused = place.repro("make", "open", "--explore", "8", *INLINE)
    assert refused.code == 2
    assert "zzz.json" in refused.err
    assert place.starts() == 0


def test_what_cannot_be_explored_is_said(place: Workplace) -> None:
    wrong = place.repro("make", "open", "--explore", "3", "--vary", "assumed.truth=0.6")
    assert wrong.code == 2
    assert "cannot be explored in open" in wrong.err
    assert place.repro("make", "open", "averaged", "--explore", "3").code == 2
    assert place.repro("make", "open", "--write-only").code == 2
    for more in ((), ("--write-only",)):
        refused = place.repro("make", "open", "--explore", "3", "--source", "reported", *more)
        assert refused.code == 2
        assert "--source reported does not go with --explore" in refused.err
    assert not (place.root / "designs").exists()


def test_a_design_also_runs_the_seeds_that_one_cell_is_spared(place: Workplace) -> None:
    own = 'device = "cpu"\n[seeds_of]\n"open:lone:Small" = 2'
    place.edit("profiles/stated.toml", 'device = "cpu"', own)
    for more in ((), ("--vary", "lone.one=0.9")):
        assert place.repro("make", "open:lone", *more, *INLINE).code == 0
    assert flips(place, "lone")["begun"] == {"lone.one=0.9": 2}
    before = place.starts()
    explored = ("--explore", "1", "--vary", "lone.one=0.9")
    assert place.repro("make", "open:lone", *explored, *INLINE).code == 0
    assert place.starts() == before + 2 * 3, "of the default and of the alternative"
    assert turns(flips(place, "lone")) == {"lone.one=0.9": "turned"}
