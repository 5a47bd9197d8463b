from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.render.numbers import fixed, mean_std
from harness.spec.reading import read_printed


@pytest.mark.parametrize(
    ("mean", "std", "like", "text"),
    [
        (93.1, 0.4, None, "93.10 ± 0.40"),
        (93.14, 0.44, "40.2 ± 0.1", "93.1 ± 0.4"),
        (93.14, 0.444, "40.2 ± 0.15", "93.1 ± 0.44"),
        (93.14, 0.44, "40", "93 ± 0"),
        (93.14, None, "40.21 ± 0.15", "93.14"),
        (93.14, 0.4, "n/a", "93.14 ± 0.40"),
        (-0.001, 0.0, None, "0.00 ± 0.00"),
        (-1.234, None, "-0.5", "-1.2"),
        (float("nan"), None, None, "nan"),
    ],
)
def test_mean_std(mean: float, std: float | None, like: str | None, text: str) -> None:
    assert mean_std(mean, std, read_printed(like) if like else None) == text


@given(st.floats(-1000, 1000), st.integers(0, 6))
def test_numbers_are_rounded_exactly(mean: float, places: int) -> None:
    shown = mean_std(mean, None, read_printed(f"{1:.{places}f}"))
    exact = Decimal(mean).quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN)
    assert Decimal(shown) == exact
    assert len(shown.partition(".")[2]) == places


@pytest.mark.parametrize(
    ("value", "like", "text"),
    [
        (0.0004, "0.0315", "+0.0004"),
        (-2e-7, "-0.0358191792925910", "-0.0000002000000000"),
        (3.6, "1,204", "+4"),
        (-0.2, "1,204", "+0"),
        (0.3, "< 0.001", "+0.300"),
        (0.3, "n/a", "+0.30"),
        (0.3, None, "+0.30"),
    ],
)
def test_a_difference_has_the_decimals_of_the_printed_number(
    value: float, like: str | None, text: str
) -> None:
    assert fixed(value, read_printed(like) if like else None, sign=True) == text
