"""A printed number: the exact text, and what it says."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Literal, NamedTuple

from pydantic import AfterValidator

_PRINTED = re.compile(r"(?P<mean>-?\d+(?:\.\d+)?)(?: ± (?P<error>\d+(?:\.\d+)?))?")

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
    error = match["error"]
    return Printed(Decimal(match["mean"]), None if error is None else Decimal(error))


def _checked(text: str) -> str:
    parse_printed(text)
    return text


PrintedText = Annotated[str, AfterValidator(_checked)]
