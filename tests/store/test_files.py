"""Reading JSON is what the standard library makes of it."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.store.digest import canonical
from harness.store.files import parse_json

LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False)
WORDS = st.text(st.characters(codec=None))
VALUES = st.recursive(
    LEAVES | WORDS, lambda held: st.lists(held) | st.dictionaries(WORDS, held), max_leaves=20
)


@given(VALUES)
def test_what_was_written_comes_back(value: object) -> None:
    found = parse_json(canonical(value))
    assert found == value == json.loads(canonical(value))
    assert repr(found) == repr(json.loads(canonical(value)))


def test_what_only_the_standard_library_reads() -> None:
    assert parse_json('"\\ud800"') == "\ud800"
    assert parse_json("[" * 300 + "]" * 300) == json.loads("[" * 300 + "]" * 300)
    assert math.isnan(parse_json("NaN"))


@pytest.mark.parametrize("text", ["", "[1,]", "{'a': 1}", b'"\xff"', "[" * 100_000, "1 2", "01"])
def test_what_is_no_json_is_refused(text: str | bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (of either reader)
        parse_json(text)
