"""A printed number: the exact text, and what it says."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BeforeValidator, StringConstraints

_PRINTED = re.compile(r"(-?\d+(?:\.\d+)?)(?: ± (\d+(?:\.\d+)?))?", re.ASCII)

Spread = Literal["std", "sem", "ci95", "unknown"]
"""What the number after ± is."""


class Printed(NamedTuple):
    """The numbers in a printed text, at the printed digits."""

    mean: Decimal
    error: Decimal | None


def parse_printed(text: str) -> Printed:
    """Read a text such as `12.57 ± 0.03`.

    Raises:
        ValueError: the text is not a number with an optional ± part.
    """
    match = _PRINTED.fullmatch(text)
    if match is None:
        raise ValueError("expected a number as printed, such as '12.57' or '12.57 ± 0.03'")
    mean, error = match.groups()
    return Printed(Decimal(mean), None if error is None else Decimal(error))


def _checked(text: Any) -> Any:
    # As a TOML number it would lose its trailing zeros.
    if not isinstance(text, str):
        raise ValueError('expected a number in quotes, as printed, such as "12.50"')
    parse_printed(text)
    return text


_Text = Annotated[str, StringConstraints(pattern=f"^{_PRINTED.pattern}$")]
PrintedText = Annotated[str, BeforeValidator(_checked, json_schema_input_type=_Text)]
