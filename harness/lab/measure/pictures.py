"""Pictures of a method's images, for a figure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, model_validator

from harness.errors import UserError
from harness.lab.probing import DATASET, chosen
from harness.lab.recipe import Count, DatasetRef
from harness.later import np, torch
from harness.plan.step import Probe, StepContext, StepInput, StepParams, StepResult, declare

if TYPE_CHECKING:
    from harness.lab.data.ragged import Ragged


class PicturesParams(StepParams):
    dataset: DatasetRef
    label: Annotated[int, Field(ge=0)]
    """The class that is shown."""
    count: Count

    @model_validator(mode="after")
    def _a_class(self) -> PicturesParams:
        if self.label >= self.dataset.classes:
            raise ValueError(
                f"class {self.label} is asked for, but those of '{self.dataset.name}' are 0 to "
                f"{self.dataset.classes - 1}"
            )
        return self


def pictures(
    params: PicturesParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> StepResult:
    """The first `count` images of one class, as a student is given them.

    Array `pictures` uint8 (count, h, w, c). Photographs of many sizes are shown as they are when a
    student is evaluated on them. Raises `UserError` if the class has fewer images.
    """

    from harness.lab.data import sets
    from harness.lab.data.ragged import Ragged
    from harness.lab.data.resize import evaluation_view
    from harness.lab.distill.synthesis import as_bytes
    from harness.lab.train.loop import scale_of

    given = inputs["images"]
    rows = np.flatnonzero(given.array("labels") == params.label)[: params.count]
    if len(rows) < params.count:
        raise UserError(
            f"{params.count} pictures of class {params.label} are asked for, but the input has "
            f"{len(rows)}; ask for fewer, or for another class"
        )
    images: np.ndarray | Ragged
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


STEPS = (
    declare(
        pictures,
        lambda: Probe(
            PicturesParams(dataset=DATASET, label=2, count=2),
            {"images": chosen(per_class=3)},
            variants=({"label": 0},),
        ),
        inputs=("images",),
    ),
)
