"""Making images: parameters, inputs and costs.

Neither torch nor numpy is imported here, so that planning stays cheap.
"""

from __future__ import annotations

from pydantic import model_validator

from harness.lab.declare import declare, passes
from harness.lab.recipe import Count, CropScale, DatasetRef, check_factor
from harness.plan.step import Facts, StepParams, Work


class StitchParams(StepParams):
    dataset: DatasetRef
    network: str
    """Of the teacher."""
    per_class: Count
    factor: Count
    """Each image is a grid of factor x factor patches."""
    crops: Count = 5
    """Random crops tried per source image."""
    crop_scale: CropScale

    @model_validator(mode="after")
    def _whole_patches(self) -> StitchParams:
        check_factor(self.factor, self.dataset)
        return self


def _stitch_work(p: StitchParams, facts: Facts) -> Work:
    """The pool is an input, so its size is a guess: RDED's 300 per class, or what is needed."""
    pool = p.dataset.classes * max(300, p.per_class * p.factor**2)
    return passes(facts, p.network, p.dataset, 0, p.crops * min(pool, p.dataset.train_size))


STEPS = (
    declare("stitch", "distill.stitch", StitchParams, _stitch_work, inputs=("pool", "teacher")),
)
