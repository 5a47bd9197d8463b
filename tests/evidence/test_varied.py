"""Results in files are of what the paper states, and of none of its alternatives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.toy.paper import Workplace, new_workplace

RUNS = "method,seed,acc\n" + "".join(
    f"{method},{seed},{value + seed / 100}\n"
    for method, value in (("Faithful", 50.0), ("Assumed", 50.0))
    for seed in range(5)
)
VARY = ("--vary", "assumed.truth=0.6")


@pytest.fixture
def varied(tmp_path: Path) -> Workplace:
    """A table with steps, of which nothing was run, and files of its results."""
    place = new_workplace(tmp_path)
    (place.root / "runs.csv").write_text(RUNS, encoding="utf-8")
    place.add(
        "tables/averaged.toml",
        '\n[[evidence]]\nfiles = ["runs.csv"]\nrow = "method"\nseed = "seed"\nvalue = "acc"\n',
    )
    return place


def sources(place: Workplace, *command: str) -> dict[str, Any]:
    cells = place.repro(*command, "averaged", "--json").json["cells"]
    return {c["row"]: (ours := c["reproduced"]) and ours["source"] for c in cells}


@pytest.mark.parametrize("command", ["show", "diff"])
def test_they_are_of_no_alternative_that_a_number_depends_on(
    varied: Workplace, command: str
) -> None:
    assert sources(varied, command) == {"Faithful": "evidence", "Assumed": "evidence"}
    assert sources(varied, command, *VARY) == {"Faithful": "evidence", "Assumed": None}
    again = ("--vary", "replicate=pipeline")
    assert set(sources(varied, command, *again).values()) == {None}


def test_a_number_for_which_nothing_runs_says_whose_the_files_are(varied: Workplace) -> None:
    varied.edit("tables/averaged.toml", 'recipe = "measuring"\n', "")
    for method in ("faithful", "assumed"):
        bound = f'bind = {{ method = "{method}"'
        varied.edit("tables/averaged.toml", bound, f'{bound}, recipe = "measuring"')
    row = '[[rows]]\nname = "Files"\nlabel = "Files"\nbind = { method = "assumed" }\n\n'
    varied.edit("tables/averaged.toml", "[[evidence]]", f"{row}[[evidence]]")
    (varied.root / "runs.csv").write_text(f"{RUNS}Files,0,50.0\n", encoding="utf-8")
    assert sources(varied, "show")["Files"] == "evidence"
    shown = varied.repro("show", "averaged", *VARY, "--json").json
    (why,) = (why for why, at in shown["not_run"].items() if "averaged:Files:Mean" in at)
    assert why.endswith("unless varied, the files of its [[evidence]] count under profile stated.")


def test_compare_has_none_on_the_side_that_is_varied(varied: Workplace) -> None:
    done = varied.repro("compare", "stated", "stated", "averaged", *VARY, "--json").json
    kinds = {item["name"]: item["kind"] for item in done["changes"]}
    assert kinds == {"averaged:Faithful:Mean": "equal", "averaged:Assumed:Mean": "only in A"}


def test_they_are_no_fresh_seeds_of_the_default(varied: Workplace) -> None:
    """Ten seeds of the alternative confirm nothing while the default has the files alone."""
    cell = "averaged:Assumed:Mean"
    made = varied.repro("make", cell, "--seeds", "10", *VARY, "--executor", "inline")
    assert made.code == 0, made.err
    dropped = varied.repro("store", "drop", cell, "--seeds", "10", "--yes")
    assert dropped.code == 0, dropped.err
    found = varied.repro("assumptions", "averaged", "--flips", "--json").json["verdicts"]
    (assumed,) = (each for each in found if each["address"] == cell)
    assert assumed["verdict"] == "deviates"
    assert [each["standing"] for each in assumed["sets"]] == ["to be confirmed"]
