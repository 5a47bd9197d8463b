"""Chosen images as they come back from image files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from harness.errors import UserError
from harness.lab.coresets.params import SelectParams
from harness.lab.cost import no_work
from harness.lab.probing import DATASET, chosen
from harness.plan.step import Probe, StepContext, StepInput, StepResult, declare


class FilesParams(SelectParams):
    jpeg_quality: Annotated[int, Field(ge=1, le=95)]


def jpeg_files(
    params: FilesParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> StepResult:
    """The chosen training images, each written as a JPEG file and read again.

    Arrays `images` uint8 (n, height, width, channels) and `labels` int64 (n,), in the order of the
    input `subset`. Raises `UserError` where images have many sizes: those are kept as pixels of
    files that were JPEG already.
    """
    import numpy as np

    from harness.lab.data import sets
    from harness.lab.data.jpeg import through_jpeg

    train = sets.load(params.dataset).train
    if not isinstance(train.images, np.ndarray):
        raise UserError(
            f"the images of '{params.dataset.name}' come from JPEG files already; saving them "
            "again is a reading of data sets of small square images only"
        )
    rows = inputs["subset"].array("indices")
    images = through_jpeg(train.images[rows], params.jpeg_quality)
    return StepResult({}, {"images": images, "labels": inputs["subset"].array("labels")})


def probe_jpeg_files() -> Probe:
    params = FilesParams(dataset=DATASET, per_class=2, jpeg_quality=75)
    return Probe(params, {"subset": chosen(per_class=2)})


STEPS = (declare(jpeg_files, FilesParams, no_work, probe_jpeg_files, inputs=("subset",)),)
