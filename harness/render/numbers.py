"""Reproduced numbers, written the way the paper writes the number beside them."""

from __future__ import annotations

import re

from harness.judge.model import Amount

_DECIMAL = re.compile(r"\d+(?:\.(\d+))?")
_DEFAULT = 2


def mean_std(mean: float, std: float | None, like: str | None = None) -> str:
    """`93.10 ± 0.40`, with as many decimals as `like` (a reported cell) has, else two.

    The mean follows the decimals of the reported mean and the spread those of the reported
    spread. `std` is None where a single run has none; then the mean stands alone.
    """
    written, _, spread = (like or "").partition("±")
    places = _decimals(written, _DEFAULT)
    if std is None:
        return _fixed(mean, places)
    return f"{_fixed(mean, places)} ± {_fixed(std, _decimals(spread, places))}"


def amount_text(amount: Amount) -> str:
    """A quantity with its 95 % interval or else its spread over seeds, in significant digits."""
    if amount.low is not None and amount.high is not None:
        return f"{amount.mean:.4g} [{amount.low:.4g}, {amount.high:.4g}]"
    return f"{amount.mean:.4g}" + (f" ± {amount.std:.2g}" if amount.std is not None else "")


def _decimals(text: str, default: int) -> int:
    match = _DECIMAL.search(text)
    return default if match is None else len(match[1] or "")


def _fixed(value: float, places: int) -> str:
    # Adding zero turns the -0.0 that rounding leaves into 0.0.
    return f"{round(value, places) + 0.0:.{places}f}"
