"""Loss and accuracy along a synthesis (supplement, Figure 4b and c)."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from harness.errors import UserError
from harness.lab.measure.values import number
from harness.lab.recipe import Count
from harness.later import np
from harness.plan.step import (
    MemoryInput,
    Probe,
    StepContext,
    StepInput,
    StepParams,
    StepResult,
    declare,
)


class SynthesisPathParams(StepParams):
    iterations: tuple[Count, ...] = Field(min_length=1)
    """Numbers of iterations of the syntheses, in order."""


def synthesis_path(
    params: SynthesisPathParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> StepResult:
    """The losses of the longest of several syntheses, and the accuracy of students of each.

    A shorter synthesis is the beginning of a longer one, since both draw alike. Inputs
    `synthesis.0` and so on, which hold `losses`, and `student.0` and so on, trained on their
    images. Arrays `iterations` (n,), from 1, and `losses` (n,); `evaluated` (k,), the
    iterations of the k students, and `accuracies` (k,), fractions. Values `loss_change` and
    `accuracy_change`, from the first synthesis to the last: of the mean loss over the last tenth
    of its iterations, and of the accuracy.
    Raises `UserError` if a synthesis has another number of iterations, or another beginning.
    """

    runs = [inputs[f"synthesis.{k}"].array("losses") for k in range(len(params.iterations))]
    longest = max(runs, key=len)
    for declared, losses in zip(params.iterations, runs, strict=True):
        if len(losses) != declared or not np.array_equal(losses, longest[: len(losses)]):
            raise UserError(
                f"synthesis_path: a synthesis of {len(losses)} iterations was given as the first "
                f"{declared} of one of {len(longest)}, and is not; give all of them the same "
                "settings, and their iterations in order"
            )
    accuracies = [number(inputs[f"student.{k}"], "accuracy") for k in range(len(runs))]
    tails = [losses[-max(1, len(losses) // 10) :].mean() for losses in runs]
    return StepResult(
        {
            "loss_change": float(tails[-1] - tails[0]),
            "accuracy_change": accuracies[-1] - accuracies[0],
        },
        {
            "iterations": np.arange(1, len(longest) + 1),
            "losses": np.asarray(longest, dtype=np.float64),
            "evaluated": np.array(params.iterations),
            "accuracies": np.array(accuracies, dtype=np.float64),
        },
    )


def _probe() -> Probe:

    losses = 1 / (3 + np.arange(12.0))
    inputs = {
        f"synthesis.{k}": MemoryInput(held={"losses": losses[:n]}) for k, n in enumerate((1, 12))
    }
    inputs |= {f"student.{k}": MemoryInput({"accuracy": 0.25 + 0.125 * k}) for k in range(2)}
    return Probe(SynthesisPathParams(iterations=(1, 12)), inputs)


STEPS = (declare(synthesis_path, _probe, inputs=("synthesis*", "student*")),)
