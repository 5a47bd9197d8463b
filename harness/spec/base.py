"""The base of every spec model, and the small types that specs share."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

Scalar = bool | int | float | str
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]*$", max_length=80)]
"""An identifier: lower case, digits, '.', '_' and '-'."""


def _addressable(text: str) -> str:
    if ":" in text or not text.isprintable():
        raise ValueError("expected a printable name without ':', which separates address parts")
    return text


Label = Annotated[str, StringConstraints(min_length=1, max_length=200)]
"""A text that the paper prints."""
AddressPart = Annotated[Label, AfterValidator(_addressable)]
"""The name of a row or a column, as used in the address of a cell."""


class Misplaced(ValueError):
    """A mistake in one key of a spec, found where its file is not known.

    Args:
        keys: path from the spec, or the part of it that is checked, to what is wrong.
    """

    def __init__(self, message: str, *keys: int | str) -> None:
        super().__init__(message)
        self.keys = keys


class SpecModel(BaseModel):
    """A frozen piece of a spec. Unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")
