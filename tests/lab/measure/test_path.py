"""Loss and accuracy along a synthesis."""

from __future__ import annotations

import numpy as np
import pytest

from harness.errors import UserError
from harness.lab.measure.dcs.path import SynthesisPathParams, synthesis_path
from harness.plan.step import MemoryInput, StepResult
from tests.lab.fixtures import context, held

LOSSES = np.exp(-np.arange(40) / 20)


def path(*runs: np.ndarray, declared: tuple[int, ...] = ()) -> StepResult:
    inputs = {f"synthesis.{k}": held(losses=losses) for k, losses in enumerate(runs)}
    inputs |= {f"student.{k}": MemoryInput({"accuracy": 0.2 + 0.1 * k}) for k in range(len(runs))}
    params = SynthesisPathParams(iterations=declared or tuple(map(len, runs)))
    return synthesis_path(params, inputs, context("synthesis_path"))


def test_the_curve_of_the_longest_and_a_student_of_each() -> None:
    found = path(LOSSES[:1], LOSSES[:20], LOSSES)
    assert found.arrays["iterations"].tolist() == list(range(1, 41))
    assert np.array_equal(found.arrays["losses"], LOSSES)
    assert found.arrays["evaluated"].tolist() == [1, 20, 40]
    assert found.arrays["accuracies"] == pytest.approx([0.2, 0.3, 0.4])
    assert found.values["accuracy_change"] == pytest.approx(0.2)
    assert found.values["loss_change"] == pytest.approx(LOSSES[36:].mean() - 1)


def test_a_synthesis_that_is_no_beginning_of_the_longest_is_refused() -> None:
    with pytest.raises(UserError, match="20 iterations was given as the first 20 of one of 40"):
        path(LOSSES[:20] + 1e-9, LOSSES)
    with pytest.raises(UserError, match="as the first 30"):
        path(LOSSES[:20], LOSSES, declared=(30, 40))
