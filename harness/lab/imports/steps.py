"""Using a released set: parameters, inputs and cost.

Neither torch nor numpy is imported here, so that planning stays cheap.
"""

from __future__ import annotations

import re

from pydantic import field_validator

from harness.lab.declare import declare, passes
from harness.lab.recipe import Count, DatasetRef
from harness.plan.step import Facts, StepParams, Work


class ReleasedSetParams(StepParams):
    dataset: DatasetRef
    per_class: Count
    fingerprint: str
    """Of the set, as `repro data import` prints it."""
    network: str
    """Of the teacher that has to recognise the images; a list of rows needs none."""
    whitened: bool
    """Whether students read whitened images, as those of a set released whitened have to."""

    @field_validator("fingerprint")
    @classmethod
    def _named(cls, fingerprint: str) -> str:
        if not re.fullmatch(r"probe|[0-9a-f]{64}", fingerprint):
            raise ValueError(
                "no released set is named here; `repro data import` reads one that you have "
                "downloaded, and prints the 64 hexadecimal digits to write into the method's spec"
            )
        return fingerprint


def _released_set_work(p: ReleasedSetParams, facts: Facts) -> Work:
    return passes(facts, p.network, p.dataset, 0, p.per_class * p.dataset.classes)


STEPS = (
    declare(
        "released_set",
        "imports.use",
        ReleasedSetParams,
        _released_set_work,
        inputs=("teacher?",),
    ),
)
