"""Reproduced numbers, written the way the paper writes the number beside them."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from harness.spec.printed import Printed, decimals

if TYPE_CHECKING:
    pass

_DEFAULT = 2


def mean_std(mean: float, std: float | None, like: Printed | None = None) -> str:
    """`93.10 ± 0.40`, with as many decimals as `like` (a reported cell) has, else two.

    The mean follows the decimals of the reported mean and the spread those of the reported
    spread. `std` is None where a single run has none; then the mean stands alone.
    """
    places = _decimals(like.value if like else None, _DEFAULT)
    if std is None:
        return _fixed(mean, places)
    spread = _decimals(like.spread if like else None, places)
    return f"{_fixed(mean, places)} ± {_fixed(std, spread)}"


def fixed(value: float, like: Printed | None = None, sign: bool = False) -> str:
    """A value with as many decimals as `like` has, else two; with its plus sign if that is told."""
    text = _fixed(value, _decimals(like.value if like else None, _DEFAULT))
    return f"+{text}" if sign and not text.startswith("-") else text


def hours(seconds: float) -> str:
    """A duration in the unit that reads best."""
    if seconds < 120:
        return f"{seconds:.1f} s"
    if seconds < 7200:
        return f"{seconds / 60:.1f} min"
    return f"{seconds / 3600:.1f} h"


def _decimals(value: Decimal | None, default: int) -> int:
    return default if value is None else decimals(value)


def _fixed(value: float, places: int) -> str:
    # Adding zero turns the -0.0 that rounding leaves into 0.0.
    return f"{round(value, places) + 0.0:.{places}f}"
