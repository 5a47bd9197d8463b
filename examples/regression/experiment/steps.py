"""What can be run, declared without importing what does it."""

from __future__ import annotations

from typing import Literal

from harness.plan.step import Facts, StepParams, StepType, Work


class LongleyParams(StepParams):
    term: Literal["B0", "B1", "B2", "B3", "B4", "B5", "B6"]
    arithmetic: Literal["exact", "double"]


class SpectorParams(StepParams):
    model: Literal["linear", "logit", "probit"]


def _hardly(params: StepParams, facts: Facts) -> Work:
    """So little work that a forecast of it says nothing."""
    return Work(samples=0, flops=0)


NEEDS = {"statsmodels": "statsmodels"}
"""Library -> what to install where it is missing."""
STEPS = (
    StepType(
        name="longley",
        params=LongleyParams,
        function="experiment.functions:longley",
        inputs=(),
        revision=1,
        cost=_hardly,
        probe="experiment.functions:probe_longley",
    ),
    StepType(
        name="spector",
        params=SpectorParams,
        function="experiment.functions:spector",
        inputs=(),
        revision=1,
        cost=_hardly,
        probe="experiment.functions:probe_spector",
    ),
)
