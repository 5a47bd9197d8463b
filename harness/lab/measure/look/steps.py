"""Looking at images: parameters and inputs.

Neither torch nor numpy is imported here, so that planning stays cheap.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from harness.lab.declare import declare, no_work
from harness.lab.recipe import Count, DatasetRef
from harness.plan.step import StepParams


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


STEPS = (declare("pictures", "measure.look.pictures", PicturesParams, no_work, inputs=("images",)),)
