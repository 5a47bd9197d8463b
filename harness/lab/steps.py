"""The steps that the lab can do, module by module.

A module that declares steps has torch and numpy from `harness.later`, so planning stays cheap.
"""

from __future__ import annotations

from harness.lab.coresets import (
    centers,
    dynamics,
    el2n,
    herding,
    select,
    submodular,
    uncertainty,
)
from harness.lab.distill import matching, recover, stitch, trajectories
from harness.lab.distill.backbones import methods
from harness.lab.distill.diffusion import generate
from harness.lab.imports import released_set
from harness.lab.measure import pictures
from harness.lab.measure.dcs import losses, ood, path, repeat
from harness.lab.measure.lemma import lemma1
from harness.lab.measure.scaling import curves, fitting
from harness.lab.train import student, teacher
from harness.plan.step import StepType

MODULES = (
    teacher,
    student,
    dynamics,
    el2n,
    uncertainty,
    select,
    centers,
    herding,
    submodular,
    stitch,
    recover,
    matching,
    trajectories,
    generate,
    methods,
    released_set,
    repeat,
    losses,
    path,
    ood,
    curves,
    fitting,
    lemma1,
    pictures,
)
NEEDS = dict.fromkeys(("torch", "torchvision", "timm", "sklearn"), "repro-harness[lab]")
"""Library -> what to install where it is missing."""
STEPS: tuple[StepType, ...] = tuple(step for module in MODULES for step in module.STEPS)
