"""Printed numbers as fields of specs, written as texts and read once, when the spec is loaded."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, PlainSerializer, PlainValidator

from harness.spec.printed import Printed
from harness.spec.reading import read_printed


def _as_printed(text: Any) -> Printed:
    if isinstance(text, Printed):
        return text
    # As a TOML number it would lose its trailing zeros.
    if not isinstance(text, str):
        raise ValueError('expected a number in quotes, as printed, such as "12.50"')
    read = read_printed(text)
    if read.bold or read.underline:
        raise ValueError("expected a text without markup; name its column in 'bold', 'underline'")
    if text != text.strip() or read.kind == "unreadable":
        why = read.reason or "it begins or ends with a space"
        raise ValueError(f"expected a number as printed, such as '12.57 ± 0.03', or a word; {why}")
    return read


def _with_value(printed: Printed) -> Printed:
    if printed.kind != "number":
        raise ValueError("expected a number as printed, such as '12.57' or '12.57 ± 0.03'")
    return printed


def _no_bound(printed: Printed) -> Printed:
    if not printed.is_number:
        raise ValueError("expected a number, not a bound")
    return printed


PrintedText = Annotated[
    Printed,
    PlainValidator(_as_printed, json_schema_input_type=str),
    PlainSerializer(str, return_type=str),
]
"""A printed cell in a spec, which is written as a text and read once."""
PrintedAmount = Annotated[PrintedText, AfterValidator(_with_value)]
"""The same, where it has to be a number or a bound."""
PrintedNumber = Annotated[PrintedAmount, AfterValidator(_no_bound)]
"""The same, where it has to be a number."""
