"""What can be run, declared without importing what does it."""

from __future__ import annotations

from typing import Literal

from harness.plan.step import Facts, StepParams, StepType, Work


class LeaveOneOutParams(StepParams):
    classifier: Literal["rda", "qda", "lda", "nearest"]
    scaling: Literal["all", "rest", "none"] = "all"
    priors: Literal["shares", "equal"] = "shares"
    metric: Literal["euclidean", "manhattan"] = "euclidean"


def _seconds(params: LeaveOneOutParams, facts: Facts) -> Work:
    return Work(samples=0, flops=0, seconds=5.0 if params.classifier == "rda" else 0.5)


NEEDS = {"sklearn": "scikit-learn"}
"""Library -> what to install where it is missing."""
STEPS = (
    StepType(
        name="leave_one_out",
        params=LeaveOneOutParams,
        function="experiment.functions:leave_one_out",
        inputs=(),
        revision=1,
        cost=_seconds,
        probe="experiment.functions:probe",
    ),
)
