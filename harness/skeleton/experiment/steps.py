"""What can be run, declared without importing what does it, so that planning stays quick.

A step is a name, its parameters, the function that does it, a cost and a probe. Raise `revision`
when its numbers change; `repro probe` says when that is due.
"""

from __future__ import annotations

from typing import Literal

from harness.plan.step import Facts, StepParams, StepType, Work


class RandomParams(StepParams):
    per_class: int


class CentralParams(StepParams):
    per_class: int
    around: Literal["mean", "median"] = "mean"


class ClassifyParams(StepParams):
    neighbours: int = 1


def _hardly(params: StepParams, facts: Facts) -> Work:
    """So little work that a forecast of it says nothing."""
    return Work(samples=0, flops=0)


NEEDS = {"sklearn": "scikit-learn"}
"""Library -> what to install where it is missing."""
STEPS = (
    StepType(
        name="random_subset",
        params=RandomParams,
        function="experiment.functions:random_subset",
        inputs=(),
        revision=1,
        cost=_hardly,
        probe="experiment.functions:probe_random",
    ),
    StepType(
        name="central_subset",
        params=CentralParams,
        function="experiment.functions:central_subset",
        inputs=(),
        revision=1,
        cost=_hardly,
        probe="experiment.functions:probe_central",
    ),
    StepType(
        name="classify",
        params=ClassifyParams,
        function="experiment.functions:classify",
        inputs=("subset",),
        revision=1,
        cost=_hardly,
        probe="experiment.functions:probe_classify",
    ),
)
