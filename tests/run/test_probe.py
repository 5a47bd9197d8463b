"""Probes notice changed numbers, and ask for a revision."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harness.errors import UserError
from harness.plan.step import Share, StepContext, StepInput, StepResult, StepType
from harness.run.fingerprint import fingerprint
from harness.run.probe import check, differences, flatten, update
from tests.toy.functions import draw
from tests.toy.steps import STEPS, DrawParams


def shifted(
    params: DrawParams, inputs: Mapping[str, StepInput], context: StepContext
) -> StepResult:
    """A draw whose numbers have moved a little."""
    result = draw(params, inputs, context)
    return StepResult(result.values, {"images": result.arrays["images"] * (1 + 1e-5)})


def nudged(params: DrawParams, inputs: Mapping[str, StepInput], context: StepContext) -> StepResult:
    """A draw that another order of additions could have given."""
    result = draw(params, inputs, context)
    return StepResult(result.values, {"images": result.arrays["images"] * (1 + 1e-9)})


MOVED = replace(STEPS[0], function=f"{__name__}:shifted")


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    path = tmp_path / "probes.json"
    update(STEPS, path)
    return path


def test_unchanged_steps_pass(kept: Path):
    assert check(STEPS, kept) == []
    nudge = replace(STEPS[0], function=f"{__name__}:nudged")
    assert check([nudge, *STEPS[1:]], kept) == []


def test_changed_numbers_ask_for_a_revision_and_are_not_written(kept: Path):
    before = kept.read_text()
    (message,) = check([MOVED, *STEPS[1:]], kept)
    assert message.startswith("step draw: revision 1 gives different numbers (images.elements.0: ")
    assert "raise its revision in tests.toy.steps and run `repro probe --update`" in message
    with pytest.raises(UserError, match="revision 1 gives different numbers"):
        update([MOVED, *STEPS[1:]], kept)
    assert kept.read_text() == before


def test_a_raised_revision_is_written_and_the_rest_is_left(kept: Path):
    raised = [replace(MOVED, revision=2), *STEPS[1:]]
    (message,) = check(raised, kept)
    assert "its revision is 2, but the probe numbers are of revision 1" in message
    before = json.loads(kept.read_text())
    assert update(raised, kept) == ["step draw: the numbers of revision 2 replace those of 1"]
    assert update(raised, kept) == []
    after = json.loads(kept.read_text())
    assert check(raised, kept) == []
    assert after["draw"]["revision"] == 2
    assert after["select"] == before["select"]


def test_new_and_forgotten_steps_are_told(kept: Path):
    renamed = replace(STEPS[0], name="sketch")
    messages = check([renamed, *STEPS[1:]], kept)
    assert [m.split(";")[0] for m in messages] == [
        "step sketch: no probe numbers are kept",
        "step draw: probe numbers of no step",
    ]
    assert update([renamed, *STEPS[1:]], kept) == [
        "step sketch: the numbers of revision 1 are kept",
        "step draw: its numbers are dropped",
    ]
    assert set(json.loads(kept.read_text())) == {"sketch", *(step.name for step in STEPS[1:])}


def remembered(path: Path) -> dict[str, list[str]]:
    return {name: entry["confirmed"] for name, entry in json.loads(path.read_text()).items()}


def test_code_that_a_probe_has_confirmed_is_remembered_until_the_revision_rises(kept: Path):
    nudge = replace(STEPS[0], function=f"{__name__}:nudged")
    before = remembered(kept)
    assert before["draw"] == [fingerprint(STEPS[0].function)[:16]]
    assert update([nudge, *STEPS[1:]], kept) == [
        "step draw: its code has changed since, and is remembered under revision 1"
    ]
    both = sorted([*before["draw"], fingerprint(nudge.function)[:16]])
    assert remembered(kept) == before | {"draw": both}
    update([replace(MOVED, revision=2), *STEPS[1:]], kept)
    assert remembered(kept) == before | {"draw": [fingerprint(MOVED.function)[:16]]}


def wrong_together(
    params: DrawParams, shares: Sequence[Share], context: StepContext
) -> list[StepResult]:
    return [shifted(params, share.inputs, share.context) for share in shares]


def test_numbers_that_differ_where_steps_run_together_are_seen(kept: Path):
    fused = replace(STEPS[0], fused=lambda params: f"{__name__}:wrong_together")
    (message,) = check([fused, *STEPS[1:]], kept)
    assert "revision 1 gives different numbers (images.elements.0: " in message


@pytest.mark.parametrize("place", [0, 7, 8, 500, 999])
def test_one_changed_element_of_a_large_array_is_seen(place: int):
    array = np.random.default_rng(0).normal(5.0, 1.0, (10, 100))
    known = flatten(StepResult({}, {"x": array}))
    changed = array.copy()
    changed.flat[place] *= 1.01
    assert list(differences(known, flatten(StepResult({}, {"x": changed})))) != []
    assert list(differences(known, flatten(StepResult({}, {"x": array * (1 + 1e-12)})))) == []


def test_two_swapped_elements_of_a_large_array_are_seen():
    array = np.random.default_rng(0).normal(0.0, 1.0, 1000)
    known = flatten(StepResult({}, {"x": array}))
    array[[500, 700]] = array[[700, 500]]
    assert list(differences(known, flatten(StepResult({}, {"x": array})))) != []


def test_rounding_that_a_cancelling_sum_leaves_is_no_change():
    array = np.random.default_rng(0).normal(0.0, 1e6, 1000)
    array -= array.mean()
    known = flatten(StepResult({}, {"x": array}))
    known["arrays"]["x"]["sum"] += 1e-8
    assert list(differences(known, flatten(StepResult({}, {"x": array})))) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [(1.0, 1.0 + 1e-5), (True, False), ("a", "b"), ([1, 2], [1]), (None, 1), (float("nan"), 1.0)],
)
def test_values_of_every_kind_are_compared(old, new):
    a, b = flatten(StepResult({"v": old})), flatten(StepResult({"v": new}))
    assert [line.startswith("values.v") for line in differences(a, b)] == [True]
    assert list(differences(a, flatten(StepResult({"v": old})))) == []


def unannotated(params, inputs, context):  # type: ignore[no-untyped-def]
    """Its author has forgotten to say which parameters it takes."""
    return StepResult({})


def broken_probe():
    raise ZeroDivisionError("one over nothing")


@pytest.mark.parametrize(
    ("step", "says"),
    [
        (replace(STEPS[0], function=f"{__name__}:unannotated"), "must annotate its first argument"),
        (
            replace(STEPS[0], probe=f"{__name__}:broken_probe"),
            "ZeroDivisionError: one over nothing",
        ),
        (replace(STEPS[0], probe=broken_probe), "test_probe.py"),
    ],
)
def test_what_its_author_has_to_mend_is_a_message(kept: Path, step: StepType, says: str):
    before = kept.read_bytes()
    with pytest.raises(UserError, match="step draw: its probe does not run") as stop:
        check([step], kept)
    assert says in str(stop.value)
    with pytest.raises(UserError, match="correct the step or its probe"):
        update([step], kept)
    assert kept.read_bytes() == before
