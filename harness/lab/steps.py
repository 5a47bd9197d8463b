"""The steps that the lab can do.

Neither torch nor numpy is imported here, so that planning stays cheap: each step names the function
that does the work, which is imported only when the step runs.
"""

from __future__ import annotations

from harness.lab.coresets import steps as coresets
from harness.lab.distill import matching, recover, stitch, trajectories
from harness.lab.distill.backbones import methods as backbones
from harness.lab.distill.diffusion import generate as diffusion
from harness.lab.imports import steps as imports
from harness.lab.measure import steps as measure
from harness.lab.train import steps as train
from harness.plan.step import StepType

STEPS: tuple[StepType, ...] = (
    *train.STEPS,
    *coresets.STEPS,
    *stitch.STEPS,
    *recover.STEPS,
    *matching.STEPS,
    *trajectories.STEPS,
    *diffusion.STEPS,
    *backbones.STEPS,
    *imports.STEPS,
    *measure.STEPS,
)
