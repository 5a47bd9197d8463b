"""The JSON that other tools rely on, as the design documents it: keys and types."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, TypeAdapter

from tests.cli.conftest import INLINE
from tests.toy.paper import PLOTTED, Workplace


class Shape(BaseModel):
    """Documented keys with exact types; further keys may be added without a new version."""

    model_config = ConfigDict(strict=True, extra="allow")


class Reported(Shape):
    text: str
    mean: float
    error: float | None
    spread: Literal["std", "sem", "ci95", "unknown"]
    n: int | Literal["unknown"]


class Reproduced(Shape):
    mean: float
    std: float | None
    n: int
    seeds: list[int]


Verdict = Literal[
    "reproduced", "deviates", "inconclusive", "not comparable", "not run", "paper-inconsistent"
]


class Cell(Shape):
    row: str
    column: str
    reported: Reported | None
    reproduced: Reproduced | None
    comparable: bool
    reason: str
    verdict: Verdict
    run: dict[str, Any]


class DiffCell(Cell):
    difference: float | None
    interval: list[float] | None
    margin: float | None


class Show(Shape):
    version: Literal[1]
    exhibit: str
    profile: str
    cells: list[Cell]


class Diff(Show):
    cells: list[DiffCell]  # type: ignore[assignment]


class Seconds(Shape):
    low: float
    mid: float
    high: float


class Step(Shape):
    identity: str
    step: str
    state: Literal["current", "linked", "run", "blocked", "running", "failed"]
    seconds: Seconds
    fused: str | None


class Plan(Shape):
    version: Literal[1]
    steps: list[Step]
    totals: dict[str, Any]


class Exhibit(Shape):
    id: str
    kind: str
    title: str


class List(Shape):
    version: Literal[1]
    exhibits: list[Exhibit]


Result = Literal["holds", "fails", "undecided", "not run", "printed only"]


class Claim(Shape):
    id: str
    text: str
    where: str
    reported: Result
    reproduced: Result
    profile: str


class Verify(Shape):
    version: Literal[1]
    claims: list[Claim]


class Finding(Shape):
    id: str
    where: str
    printed: str
    expected: str
    severity: str
    explanation: str


class Audit(Shape):
    version: Literal[1]
    findings: list[Finding]


SHAPES: dict[tuple[str, ...], type[Shape]] = {
    ("list",): List,
    ("show", "verdicts"): Show,
    ("show", "averaged", "--profile", "small"): Show,
    ("diff", "verdicts"): Diff,
    ("diff", "averaged", "--seeds", "1"): Diff,
    ("plan", "verdicts"): Plan,
    ("plan", "broken", "--profile", "small"): Plan,
    ("verify",): Verify,
    ("audit",): Audit,
}


@pytest.mark.parametrize("command", SHAPES, ids=" ".join)
def test_a_documented_shape(made: Workplace, command: tuple[str, ...]) -> None:
    outcome = made.repro(*command, "--json")
    TypeAdapter(SHAPES[command]).validate_python(outcome.json)


@pytest.mark.parametrize(
    "command",
    [
        *(["assumptions", "verdicts"], ["why", "verdicts:Noisy:Small"], ["status"], ["runs"]),
        *(["store", "verify"], ["show", "broken"], ["plan", "averaged"], ["diff", "broken"]),
    ],
    ids=" ".join,
)
def test_every_result_is_one_json_object_with_a_version(
    made: Workplace, command: list[str]
) -> None:
    assert len(made.repro(*command, "--json").json) >= 2


def test_a_printed_number_keeps_its_digits_and_an_absent_one_is_null(made: Workplace) -> None:
    cells = {
        (cell["row"], cell["column"]): cell["reported"]
        for cell in made.repro("show", "verdicts", "--json").json["cells"]
    }
    assert cells["Noisy", "Small"] == {
        "text": "50.00 ± 4.00",
        "mean": 50.0,
        "error": 4.0,
        "spread": "std",
        "n": 5,
        "half_unit": 0.005,
        "unit": "percent top-1",
    }
    assert cells["Cited", "Large"] is None


def test_a_cell_keeps_the_papers_column_and_says_what_was_run(made: Workplace) -> None:
    cells = made.repro("show", "verdicts", "--profile", "small", "--json").json["cells"]
    small = next(cell for cell in cells if (cell["row"], cell["column"]) == ("Noisy", "Small"))
    assert small["run"]["size"] == 15
    assert small["reason"] == "profile small: size 15 instead of 20"
    assert [len(terms) for terms in small["run"]["steps"]] == [1, 1]


def test_the_difference_is_ours_minus_reported(made: Workplace) -> None:
    for cell in made.repro("diff", "verdicts", "--json").json["cells"]:
        if cell["difference"] is not None:
            expected = cell["reproduced"]["mean"] - cell["reported"]["mean"]
            assert cell["difference"] == pytest.approx(expected)
            low, high = cell["interval"]
            assert low < cell["difference"] < high
            assert cell["margin"] == 1.0


def test_totals_are_the_sum_over_steps(place: Workplace) -> None:
    plan = place.repro("plan", "verdicts", "--json").json
    assert {step["state"] for step in plan["steps"]} == {"run"}
    total = plan["totals"]["seconds"]
    for bound in ("low", "mid", "high"):
        each = [step["seconds"][bound] for step in plan["steps"]]
        assert total[bound] == pytest.approx(sum(each))
        assert sum(s[bound] for s in plan["totals"]["by_step"].values()) == pytest.approx(sum(each))


def test_what_is_made_is_current_and_costs_nothing(made: Workplace) -> None:
    plan = made.repro("plan", "verdicts", "--json").json
    assert {step["state"] for step in plan["steps"]} == {"current"}
    assert plan["totals"]["seconds"] == {"low": 0.0, "mid": 0.0, "high": 0.0}


def test_assumptions_are_the_settings_that_the_paper_does_not_state(made: Workplace) -> None:
    listed = made.repro("assumptions", "averaged", "--json").json["assumptions"]
    found = {item["id"]: (item["value"], item["source"], item["alternatives"]) for item in listed}
    assert found == {
        "assumed.keep": (10, "ours", [5]),
        "assumed.truth": (0.5, "inferred", [0.6]),
        "faithful.keep": (10, "ours", [5]),
    }
    assert all(item["why"] for item in listed)


def test_list_says_which_exhibits_have_results_and_under_which_profile(made: Workplace) -> None:
    listed = {each["id"]: each["results"] for each in made.repro("list", "--json").json["exhibits"]}
    shown = made.repro("show", "verdicts", "--json").json
    there = [cell for cell in shown["cells"] if cell["reproduced"]]
    assert listed["verdicts"]["stated"] == len(there)


def test_what_only_reads_looks_under_one_profile_and_what_runs_under_the_default(
    place: Workplace,
) -> None:
    """Results are there under `stated` alone, and `small` becomes the default."""
    assert place.repro("make", "verdicts", *INLINE).code == 0
    place.edit("paper.toml", 'default_profile = "stated"', 'default_profile = "small"')
    reads = [("show", "verdicts"), ("diff", "verdicts"), ("report",)]

    def profiles() -> set[str]:
        claims = place.repro("verify", "--json").json["claims"]
        told = [place.repro(*words, "--json").json for words in reads]
        return {each["profile"] for each in (*claims, *told)}

    assert profiles() == {"stated"}
    assert place.repro("plan", "verdicts", "--json").json["profile"] == "small"
    assert "run under profile small: " in place.repro("plan", "verdicts").out
    assert place.repro("make", "verdicts", *INLINE).code == 0
    assert profiles() == {"small"}


def test_what_reads_all_exhibits_passes_over_numbers_that_nothing_is_said_of(
    place: Workplace,
) -> None:
    """The default has one number, of which neither the paper nor a claim says anything."""
    shutil.copytree(PLOTTED / "lemmas", place.specs / "lemmas")
    place.edit("profiles/small.toml", "20 = 15", "20 = 15\n40 = 35")  # shares no run with `stated`
    place.edit("paper.toml", 'default_profile = "stated"', 'default_profile = "small"')
    assert place.repro("make", "bound", "--profile", "small", *INLINE).code == 0
    told = [place.repro("report", "--json").json["profile"]]
    assert place.repro("make", "verdicts", "--profile", "stated", *INLINE).code == 0
    told += [place.repro("report", "--json").json["profile"]]
    told += [claim["profile"] for claim in place.repro("verify", "--json").json["claims"]]
    assert (told[0], set(told[1:])) == ("small", {"stated"})
    assert place.repro("report", "-p", "small", "--json").json["profile"] == "small"


def test_an_export_tells_which_formats_had_nothing_to_write(place: Workplace, tmp_path: Path):
    pytest.importorskip("mlcroissant")
    asked = ("store", "export", str(tmp_path / "out"), "verdicts", "--format", "made-sets")
    outcome = place.repro(*asked, "--json")
    assert json.loads(outcome.out)["empty"] == ["made-sets"]
    why = "none of these records has what it shows (data sets that steps made, with all their"
    assert why in " ".join(outcome.err.split())
