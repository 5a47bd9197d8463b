"""Steps that were cut off go on where they stopped, and leave what they would have left."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from harness.lab.probing import DATASET, NETWORK, RECIPE, chosen
from harness.lab.steps import STEPS
from harness.lab.train.loop import RunState
from harness.lab.train.student import StudentParams
from harness.plan.step import Checkpoints, Probe, StepContext
from harness.run.call import call
from harness.run.probe import probe_of
from tests.lab.fixtures import as_bytes, changed

LONG = (
    "teacher",
    "dynamics",
    "el2n_score",
    "el2n_sl_score",
    "grand_score",
    "visits",
    "select_window",
    "student",
    "student_online",
    "learning_curve",
    "learning_curve_online",
    "experts",
    "distill_dm",
    "distill_dc",
    "distill_tm",
    "distill_datm",
    "distill_sre2l",
    "distill_dwa",
    "distill_fadrm",
    "distill_d4m",
    "distill_minimax",
    "distill_gvbsm",
    "distill_edc",
    "gram_during_training",
)


class Died(BaseException):
    """As a process that is killed: no step catches it."""


class InMemory:
    """Checkpoints after every update; the process dies after `life` of them."""

    def __init__(self, life: int) -> None:
        self.life = life
        self.saves = 0
        self.held: dict[str, Mapping[str, np.ndarray]] = {}

    def part(self, name: str) -> Checkpoints:
        return Part(self, name)


class Part:
    def __init__(self, whole: InMemory, name: str) -> None:
        self.whole, self.name = whole, name

    def load(self) -> Mapping[str, np.ndarray] | None:
        return self.whole.held.get(self.name)

    def due(self) -> bool:
        return True

    def save(self, state: Mapping[str, np.ndarray]) -> None:
        self.whole.held[self.name] = dict(state)
        self.whole.saves += 1
        if self.whole.saves == self.whole.life:
            raise Died

    def part(self, name: str) -> Checkpoints:
        return Part(self.whole, name)


def run(name: str, probe: Probe, checkpoints: InMemory) -> Mapping[str, bytes]:
    step = next(step for step in STEPS if step.name == name)
    context = StepContext(name, probe.seed, checkpoints=checkpoints.part("whole"))
    result = call(step.function, probe.params.model_dump(mode="json"), probe.inputs, context)
    return as_bytes(result)


def check(name: str, probe: Probe) -> None:
    untouched = InMemory(life=0)
    whole = run(name, probe, untouched)
    assert untouched.saves > 3
    for life in {1, untouched.saves // 2, untouched.saves - 1, untouched.saves}:
        first = InMemory(life)
        with pytest.raises(Died):
            run(name, probe, first)
        second = InMemory(life=0)
        second.held = dict(first.held)
        assert run(name, probe, second) == whole
        # It went on: it did not start again.
        assert second.saves == untouched.saves - life


@pytest.mark.parametrize("name", LONG)
def test_a_step_that_was_killed_ends_as_if_it_had_not_been(name: str) -> None:
    step = next(step for step in STEPS if step.name == name)
    check(name, probe_of(step))


@pytest.mark.parametrize(
    "fields",
    [
        {"optimizer": "adamw"},
        {"scheduler": "step", "loop": "official", "step_factor": 0.1, "nesterov": False},
        {"augmentation": "dsa", "dsa_strategy": "color_crop_cutout_flip_scale_rotate"},
    ],
    ids=["adamw", "official loop", "dsa"],
)
def test_optimiser_schedule_and_draws_are_restored(fields: Mapping[str, object]) -> None:
    recipe = changed(RECIPE, **fields)
    params = StudentParams(dataset=DATASET, network=NETWORK, recipe=recipe, per_class=5)
    check("student", Probe(params, {"images": chosen(per_class=5)}))


@pytest.mark.parametrize("lost", ["generators", "optimizer/", "network/", "kept/"])
def test_each_part_of_the_state_matters(lost: str, monkeypatch: pytest.MonkeyPatch) -> None:
    saved = RunState.saved

    def forgetful(self, step, optimizer):
        state = saved(self, step, optimizer)
        for name in state:
            if name.startswith(lost):
                state[name] = np.zeros_like(state[name])
        if lost == "generators":
            state[lost] = first["generators"]
        return state

    recipe = changed(RECIPE, augmentation="rrc-flip")
    params = StudentParams(dataset=DATASET, network=NETWORK, recipe=recipe, per_class=5)
    probe = Probe(params, {"images": chosen(per_class=5)})
    untouched = InMemory(life=1)
    with pytest.raises(Died):
        run("student", probe, untouched)
    first = untouched.held["whole"]
    monkeypatch.setattr(RunState, "saved", forgetful)
    with pytest.raises(AssertionError):
        check("student", probe)
