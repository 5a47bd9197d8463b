"""Whether a printed number is what its own results come to, rounded as it is printed.

This is asked of results that are read from files, which are the paper's own: whether they agree
with the print is no question of chance, as whether another run comes back is.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from harness.judge.exhibit import Judgement
from harness.judge.results import ItemResult
from harness.spec.printed import P_VALUE, Printed, half_unit

_SLACK = 1e-9
"""What binary fractions are off by, relative to the number."""


@dataclass(frozen=True, slots=True)
class AsPrinted:
    """`mean`, `error`: whether it is what the results come to; None where nothing is printed."""

    result: ItemResult
    mean: bool
    error: bool | None

    @property
    def agrees(self) -> bool:
        return self.mean and self.error is not False


def as_printed(judgement: Judgement, result: ItemResult) -> AsPrinted | None:
    """A number whose results were read from files, beside what is printed; else None.

    An error may be the standard deviation or the standard error of the runs, by n or by n - 1,
    unless its spec says which of the two; errors of other kinds are not looked at. A p-value that
    is printed as 0 is never right, since none is 0.
    """
    printed, amount = result.item.reported, result.amount
    if not result.evidence or amount is None or printed is None:
        return None
    if printed.value is None or printed.relation != "=":
        return None
    _, row, column = result.item.address
    how = judgement.plan.exhibit.reporting_of(row, column)
    error = _error(amount.values, printed, how.spread if how else "unknown")
    agrees = _prints(amount.mean, printed.value)
    if printed.value == 0 and P_VALUE.fullmatch(column):
        agrees = amount.mean == 0
    return AsPrinted(result, agrees, error)


def _error(values: Sequence[float], printed: Printed, spread: str) -> bool | None:
    error, n = printed.error, len(values)
    if error is None or error.minus != error.plus or spread not in ("std", "sem", "unknown"):
        return None
    if n < 2:
        return None
    stds = (statistics.stdev(values), statistics.pstdev(values))
    sizes = {"std": stds, "sem": tuple(each / n**0.5 for each in stds)}
    allowed = sizes[spread] if spread in sizes else (*sizes["std"], *sizes["sem"])
    return any(_prints(size, error.plus) for size in allowed)


def _prints(ours: float, printed: Decimal) -> bool:
    """Whether a number is rounded to the printed digits; of a tie, to either side."""
    half = float(half_unit(printed))
    return abs(ours - float(printed)) <= half + _SLACK * max(1.0, abs(ours))
