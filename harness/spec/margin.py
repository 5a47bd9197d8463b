"""A margin: how far a number may be from the printed one and still count as the same."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field, PlainSerializer, PlainValidator, StringConstraints

from harness.spec.printed import Printed

_TEXT = re.compile(r"(\d+(?:\.\d+)?) (%|digits?)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Margin:
    """An amount of something, above 0."""

    amount: float
    per: Literal["unit", "%", "digit"] = "unit"
    """The unit of the number; a hundredth of the printed number; a unit of its last digit."""

    def of(self, printed: Printed) -> float | None:
        """In the unit of the number; None where it is a share of 0."""
        scale = {
            "unit": 1.0,
            "%": abs(float(printed.number)) / 100,
            "digit": 2 * float(printed.rounding),
        }
        return self.amount * scale[self.per] or None

    @property
    def stated(self) -> float | str:
        """As a spec has it."""
        ending = {"%": "%", "digit": "digit" if self.amount == 1 else "digits"}
        return self.amount if self.per == "unit" else f"{self.amount:g} {ending[self.per]}"


def parse_margin(stated: Any) -> Margin:
    """Read a number, `2 %` or `3 digits`.

    Raises:
        ValueError: it is none of these, or not above 0.
    """
    match = _TEXT.fullmatch(stated) if isinstance(stated, str) else None
    if isinstance(stated, Margin):
        found = stated
    elif match is not None:
        found = Margin(float(match[1]), "%" if match[2] == "%" else "digit")
    elif isinstance(stated, int | float) and not isinstance(stated, bool):
        found = Margin(float(stated))
    else:
        raise ValueError("expected a number above 0, or a text such as '2 %' or '3 digits'")
    if not 0 < found.amount < float("inf"):
        raise ValueError("a margin is above 0")
    return found


MarginText = Annotated[
    Margin,
    PlainValidator(
        parse_margin,
        json_schema_input_type=Annotated[float, Field(gt=0)]
        | Annotated[str, StringConstraints(pattern=f"^{_TEXT.pattern}$")],
    ),
    PlainSerializer(lambda margin: margin.stated, return_type=float | str),
]
"""A margin in a spec."""
