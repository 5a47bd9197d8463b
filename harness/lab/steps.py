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
from harness.lab.measure import pictures
from harness.lab.measure.dcs import losses, ood, path, repeat
from harness.lab.measure.lemma import lemma1
from harness.lab.measure.scaling import curves, fitting
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
    *repeat.STEPS,
    *losses.STEPS,
    *path.STEPS,
    *ood.STEPS,
    *curves.STEPS,
    *fitting.STEPS,
    *lemma1.STEPS,
    *pictures.STEPS,
)
