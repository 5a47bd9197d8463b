"""Students that are trained together have the records that they have alone, to rounding."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from harness.lab.models.networks import build
from harness.lab.probing import DATASET, NETWORK
from harness.lab.steps import STEPS
from harness.lab.train import fused, student
from harness.lab.train.student import StudentParams
from harness.plan.step import MemoryInput, Probe, Share, StepContext, StepInput
from harness.run.call import call_together
from harness.run.probe import probe_of
from tests.lab.test_resume import Died, InMemory

KINDS = ("student", "student_stored", "student_online")
STEP = {step.name: step for step in STEPS}


def shares(probe: Probe, name: str) -> list[Share]:
    """Four seeds, each with images of its own order."""
    made = []
    for seed in range(4):
        order = np.random.default_rng(seed).permutation(20)
        inputs: dict[str, StepInput] = {}
        for key, given in probe.inputs.items():
            assert isinstance(given, MemoryInput)
            arrays = {part: array[order] for part, array in given.held.items()}
            inputs[key] = MemoryInput(given.values, arrays, given.files)
        made.append(Share(inputs, StepContext(name, seed)))
    return made


@pytest.mark.parametrize("room", [10, 2, 0], ids=["all four", "two and two", "one by one"])
@pytest.mark.parametrize("name", KINDS)
def test_fused_equals_alone(name: str, room: int, monkeypatch: pytest.MonkeyPatch) -> None:
    probe = probe_of(STEP[name])
    params = probe.params
    assert isinstance(params, StudentParams)
    alone = [getattr(student, name)(params, s.inputs, s.context) for s in shares(probe, name)]
    one = fused.activations(build(NETWORK, DATASET, 0), DATASET.channels, DATASET.resolution)
    monkeypatch.setattr(fused, "CACHED", room * params.recipe.batch_size * one)
    step = STEP[name]
    stated = params.model_dump(mode="json")
    together = call_together(step.fused(params), stated, shares(probe, name), StepContext(name, 0))
    for own, other in zip(alone, together, strict=True):
        assert other.values == pytest.approx(dict(own.values), rel=1e-9)
        np.testing.assert_allclose(other.arrays["curve"], own.arrays["curve"], rtol=1e-9)
        assert other.arrays["correct"].tobytes() == own.arrays["correct"].tobytes()
    assert len({result.values["loss"] for result in together}) == 4


def test_a_group_that_was_cut_off_goes_on() -> None:
    probe = student.probe_student()

    def run(checkpoints: InMemory) -> list[Mapping[str, object]]:
        ctx = StepContext("student", 0, checkpoints=checkpoints.part("whole"))
        made = student.student_together(probe.params, shares(probe, "student"), ctx)  # type: ignore[arg-type]
        return [result.values for result in made]

    untouched = InMemory(life=0)
    whole = run(untouched)
    first = InMemory(life=untouched.saves // 2)
    with pytest.raises(Died):
        run(first)
    second = InMemory(life=0)
    second.held = dict(first.held)
    assert run(second) == whole
    assert second.saves == untouched.saves - first.saves
