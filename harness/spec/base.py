"""The base of every spec model, and the small types that specs share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

from harness.errors import nearest

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


def check_distinct(what: str, names: Sequence[str], key: str = "name") -> None:
    """Raise Misplaced if two of the entries of a spec's list `what` have one `key`."""
    for index, name in enumerate(names):
        if name in names[:index]:
            message = f"{key}s of {what} must differ; '{name}' comes twice"
            raise Misplaced(message, what, index, key)


def check_known(what: str, name: str, known: Iterable[str], *keys: int | str) -> None:
    """Raise Misplaced, with the nearest name, if a name is not known."""
    if name not in known:
        raise Misplaced(f"unknown {what} '{name}'; {nearest(name, known)}", *keys)


class SpecModel(BaseModel):
    """A frozen piece of a spec. Unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")
