"""A printed number: the exact text, and what it says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import PlainSerializer, PlainValidator, StringConstraints

_PRINTED = re.compile(r"(-?\d+(?:\.\d+)?)(?: ± (\d+(?:\.\d+)?))?", re.ASCII)

Spread = Literal["std", "sem", "ci95", "unknown"]
"""The meaning of the number after ±."""


@dataclass(frozen=True, slots=True)
class Printed:
    """A number as it is printed, read once when its spec is loaded."""

    text: str
    """The exact text; trailing zeros are kept."""
    mean: Decimal
    error: Decimal | None
    """The number after ±, at the printed digits."""

    def __str__(self) -> str:
        return self.text


def parse_printed(text: str) -> Printed:
    """Read a text such as `12.57 ± 0.03`.

    Raises:
        ValueError: the text is not a number with an optional ± part.
    """
    match = _PRINTED.fullmatch(text)
    if match is None:
        raise ValueError("expected a number as printed, such as '12.57' or '12.57 ± 0.03'")
    mean, error = match.groups()
    return Printed(text, Decimal(mean), None if error is None else Decimal(error))


def _read(text: Any) -> Printed:
    if isinstance(text, Printed):
        return text
    # As a TOML number it would lose its trailing zeros.
    if not isinstance(text, str):
        raise ValueError('expected a number in quotes, as printed, such as "12.50"')
    return parse_printed(text)


_Text = Annotated[str, StringConstraints(pattern=f"^{_PRINTED.pattern}$")]
PrintedText = Annotated[
    Printed,
    PlainValidator(_read, json_schema_input_type=_Text),
    PlainSerializer(str, return_type=str),
]
"""A printed number in a spec, which is written as a text."""
