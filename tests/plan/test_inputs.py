"""Parameters that are files, wherever in a model they stand."""

from __future__ import annotations

from typing import Annotated

import pytest
from pydantic import BaseModel, Field

from harness.plan.inputs import InputFiles, file_fields, reads_files


class Plain(BaseModel):
    count: int
    names: dict[str, str]


class Direct(BaseModel):
    data: InputFiles


class Described(BaseModel):
    data: Annotated[InputFiles | None, Field(description="left out where there is none")] = None


class Nested(BaseModel):
    inner: list[Direct] | None
    again: Nested | None = None


class Many(BaseModel):
    each: dict[str, InputFiles]


@pytest.mark.parametrize(
    ("params", "fields", "reads"),
    [
        (Plain, set(), False),
        (Direct, {"data"}, True),
        (Described, {"data"}, True),
        (Nested, set(), True),
        (Many, set(), True),
    ],
)
def test_files_are_found_wherever_they_stand(
    params: type[BaseModel], fields: set[str], reads: bool
) -> None:
    assert file_fields(params) == fields
    assert reads_files(params) == reads
