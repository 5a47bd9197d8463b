"""The steps that the lab can do, module by module.

A module that declares steps imports torch and numpy only inside functions, so planning stays cheap.
"""

from __future__ import annotations

from harness.lab.coresets import (
    cal,
    centers,
    dynamics,
    el2n,
    forgetting,
    herding,
    select,
    submodular,
    uncertainty,
)
from harness.lab.distill import steps as distill
from harness.lab.distill.backbones import steps as backbones
from harness.lab.distill.diffusion import steps as diffusion
from harness.lab.imports import released_set
from harness.lab.measure import steps as measure
from harness.lab.train import student, teacher
from harness.plan.step import StepType

MODULES = (
    teacher,
    student,
    dynamics,
    el2n,
    forgetting,
    uncertainty,
    cal,
    select,
    centers,
    herding,
    submodular,
    distill,
    diffusion,
    backbones,
    released_set,
    measure,
)
STEPS: tuple[StepType, ...] = tuple(step for module in MODULES for step in module.STEPS)
