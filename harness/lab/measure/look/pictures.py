"""Some images of a method to look at."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from harness.errors import UserError
from harness.lab.data import sets
from harness.lab.data.ragged import Ragged
from harness.lab.data.resize import evaluation_view
from harness.lab.distill.images import as_bytes
from harness.lab.measure.look.steps import PicturesParams
from harness.lab.train.loop import scale_of
from harness.plan.step import StepContext, StepInput, StepResult


def pictures(
    params: PicturesParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> StepResult:
    """The first `count` images of one class, as a student is given them.

    Array `pictures` uint8 (count, h, w, c). Photographs of many sizes are shown as they are when a
    student is judged on them. Raises `UserError` if the class has fewer images.
    """
    given = inputs["images"]
    rows = np.flatnonzero(given.array("labels") == params.label)[: params.count]
    if len(rows) < params.count:
        raise UserError(
            f"{params.count} pictures of class {params.label} are asked for, but the input has "
            f"{len(rows)}; ask for fewer, or for another class"
        )
    if "images" in given.arrays:
        images = given.array("images")[rows]
    else:
        images = sets.load(params.dataset).train.images[given.array("indices")[rows]]
    if isinstance(images, Ragged):
        seen = evaluation_view(images, params.dataset.resolution, torch.float32)
        images = seen.round().byte().permute(0, 2, 3, 1).numpy()
    elif images.dtype != np.uint8:
        normalised = torch.from_numpy(images).permute(0, 3, 1, 2)
        images = as_bytes(normalised, scale_of(given, params.dataset))
    return StepResult({}, {"pictures": images})
