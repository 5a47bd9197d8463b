"""A run that comes to no finite number has failed: it is named, and the others are judged."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from harness.plan.step import StepContext, StepInput, StepResult
from tests.cli.conftest import INLINE
from tests.toy import functions
from tests.toy.paper import Workplace
from tests.toy.steps import MeasureParams

CELL = "verdicts:Faithful:Small"
LOST = {1: float("nan"), 2: float("inf")}


@pytest.fixture
def diverged(place: Workplace, monkeypatch: pytest.MonkeyPatch) -> Workplace:
    """Two of five runs of one cell came to nothing, and all of another."""
    measure = functions.measure

    def broken(
        params: MeasureParams, inputs: Mapping[str, StepInput], context: StepContext
    ) -> StepResult:
        found = measure(params, inputs, context)
        value = LOST.get(context.seed, found.values["accuracy"])
        value = float("nan") if params.std > 0.01 else value  # those of Noisy
        return StepResult({**found.values, "accuracy": value}, found.arrays)

    with monkeypatch.context() as patch:
        patch.setattr(functions, "measure", broken)
        made = place.repro("make", CELL, "verdicts:Noisy:Small", *INLINE)
    assert "Traceback" not in made.err
    assert "Seed 1 failed: accuracy is nan" in " ".join(made.out.split())
    return place


def strict(text: str) -> dict[str, object]:
    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is no JSON")

    found: dict[str, object] = json.loads(text, parse_constant=refuse)
    return found


@pytest.mark.parametrize(
    "command",
    [
        ("show", "verdicts"),
        ("diff", "verdicts"),
        ("verify",),
        ("compare", "stated", "stated", "verdicts"),
        ("runs",),
    ],
)
def test_no_command_stumbles_over_it(diverged: Workplace, command: tuple[str, ...]) -> None:
    plain = diverged.repro(*command)
    assert plain.code == 0, plain.err
    assert strict(diverged.repro(*command, "--json").out)


def test_a_report_is_written(diverged: Workplace) -> None:
    assert diverged.repro("report").code == 0


def test_the_other_seeds_are_judged_and_these_named(diverged: Workplace) -> None:
    found = diverged.repro("show", "verdicts", "--json").json
    cells = {(cell["row"], cell["column"]): cell for cell in found["cells"]}
    assert cells["Faithful", "Small"]["reproduced"]["seeds"] == [0, 3, 4]
    assert cells["Faithful", "Small"]["verdict"] == "reproduced"
    assert cells["Noisy", "Small"]["verdict"] == "not run"
    named = [reason for reason, of in found["not_run"].items() if CELL in of]
    assert [reason.partition(".")[0] for reason in named] == [
        "Seed 1 failed: accuracy is nan",
        "Seed 2 failed: accuracy is inf",
    ]


def test_it_can_be_dropped_and_run_anew(diverged: Workplace) -> None:
    before = diverged.files()
    listed = diverged.repro("store", "drop", CELL)
    assert (listed.code, diverged.files()) == (0, before), "nothing goes without --yes"
    assert "5 records would be dropped" in listed.out
    records = diverged.repro("store", "drop", CELL, "--json").json["records"]
    lost = [record["identity"] for record in records if record["seed"] in LOST]
    for identity in lost:
        assert diverged.repro("store", "drop", identity[:12], "--yes").code == 0
    assert diverged.repro("make", CELL, *INLINE).code == 0
    found = diverged.repro("show", "verdicts", "--json").json
    cells = {(cell["row"], cell["column"]): cell for cell in found["cells"]}
    assert cells["Faithful", "Small"]["reproduced"]["seeds"] == [0, 1, 2, 3, 4]
    dropped = diverged.repro("store", "drop", CELL, "--yes", "--json").json
    assert (len(dropped["records"]), dropped["dropped"]) == (5, True)
    assert diverged.repro("store", "verify").code == 0


@pytest.mark.parametrize("name", ["verdicts:Faithfull:Small", "0123456789abcdef", "0"])
def test_what_is_no_record_is_an_error(diverged: Workplace, name: str) -> None:
    outcome = diverged.repro("store", "drop", name, "--yes")
    assert outcome.code == 2
    assert name in outcome.err
