"""What is known of one number: its mean, its spread over training runs, and how many runs.

The training run is the unit of replication. All values carry the unit of their cell, which is
percentage points of accuracy unless a spec says otherwise.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from harness.spec.printed import Printed, Relation
from harness.spec.reporting import Reporting

UNKNOWN_RUNS = 3
"""How many runs a printed mean is taken to cover when the paper does not say."""
NOISE = 1e-12
"""Numbers that differ by no more than this share of their size are the same number."""


@dataclass(frozen=True, slots=True)
class Summary:
    """The mean of `n` runs and their sample standard deviation (n - 1 in the denominator).

    `std` is None where the spread over runs is not known: nothing was printed, there was one run,
    or all runs gave the same. Two runs of 450 test items agree by chance, which does not show that
    no others would differ. Raises ValueError for values that no sample can have.
    """

    mean: float
    std: float | None
    n: int
    obstacle: str = ""
    """Why nothing can be held against it, as against a median: its spread is none over runs."""

    def __post_init__(self) -> None:
        if not math.isfinite(self.mean):
            raise ValueError(f"a mean must be finite, found {self.mean}")
        if self.n < 1:
            raise ValueError(f"a mean covers at least one run, found n = {self.n}")
        if self.std is not None and not (math.isfinite(self.std) and self.std >= 0):
            raise ValueError(f"a standard deviation is finite and not negative, found {self.std}")
        if self.n == 1 and self.std:
            raise ValueError("one run has no standard deviation over runs")

    @classmethod
    def of(cls, values: Sequence[float], size: float = 0.0) -> Summary:
        """Summarise one value per run; at least one value, all finite.

        Args:
            size: how large the numbers are that the values are differences of, if they are.
        """
        noise = NOISE * max(size, *map(abs, values))
        differ = max(values) - min(values) > noise
        return cls(
            statistics.fmean(values), statistics.stdev(values) if differ else None, len(values)
        )

    @classmethod
    def exact(cls, value: float) -> Summary:
        """A number without uncertainty: a constant, a count, a deterministic result."""
        return cls(value, 0.0, 1)

    @classmethod
    def stated(cls, printed: Printed) -> Summary:
        """A number that a text states, which is taken as exact whatever its ± is."""
        spread = _spread_of(printed, Reporting())
        return replace(cls.exact(float(printed.number)), obstacle=_no_mean(spread))

    @classmethod
    def estimated(cls, mean: float, error: float | None, df: int | None) -> Summary:
        """A number with its standard error, as of a sample that has both.

        `df` is None where the error is taken as known; a sample as large as any has it then. One
        without error is exact.
        """
        if df is None and error == 0:
            return cls.exact(mean)
        n = 10**9 if df is None else df + 1
        return cls(mean, None if error is None else error * math.sqrt(n), 1 if error is None else n)

    @property
    def is_exact(self) -> bool:
        """Whether it is a number without uncertainty."""
        return self.std == 0 and self.n == 1

    @property
    def variance(self) -> float:
        """Variance over runs, NaN where it is not known."""
        return math.nan if self.std is None else self.std**2

    @property
    def runs(self) -> float:
        """Number of runs, infinite of a number that is known exactly."""
        return math.inf if self.is_exact else self.n

    def summary(self) -> Summary:
        """Itself, as `ReportedNumber.summary` gives one."""
        return self

    def scaled(self, factor: float) -> Summary:
        """The same sample in a unit `factor` times smaller."""
        std = None if self.std is None else self.std * abs(factor)
        return replace(self, mean=self.mean * factor, std=std)


def pairs_of(arms: Sequence[Mapping[int, float]]) -> list[int]:
    """The seeds by which arms are compared as pairs: those that all share, if they are three or
    more or all there are; none where that leaves less than two, and samples are compared.
    """
    shared = set.intersection(*(set(arm) for arm in arms))
    whole = all(len(arm) == len(shared) for arm in arms)
    return sorted(shared) if len(shared) >= (2 if whole else 3) else []


def paired(arms: Sequence[Mapping[int, float]], weights: Sequence[float]) -> Summary | None:
    """The weighted sum of arms, seed by seed; None where samples are to be compared instead.

    Against `Summary.exact(0)` the sum with weights 1 and -1 is the paired t test, which is sharper
    than that of two samples by what runs of one seed have in common: initial networks, orders of
    the data. Where all pairs differ by the same, nothing tells how much others would.
    """
    rows = [
        [weight * arm[seed] for weight, arm in zip(weights, arms, strict=True)]
        for seed in pairs_of(arms)
    ]
    if not rows:
        return None
    found = Summary.of([math.fsum(row) for row in rows], max(abs(x) for row in rows for x in row))
    return found if found.std is not None else None


@dataclass(frozen=True, slots=True)
class ReportedNumber:
    """A printed number: mean, error (None where there is none), what the error means, runs.

    Of two errors that differ, and of the two sides of an interval, the larger is the error, and an
    interval is taken as mean ± z · standard error, which gives a larger deviation than t would, so
    that nothing is decided sooner than the paper's numbers allow.
    `spread = "unknown"` is read as the standard deviation over runs, `n = "unknown"` as
    `UNKNOWN_RUNS`. Both readings are the project's, not the paper's, so a verdict is recomputed
    with other values of an unknown n (see `verdict`).
    """

    mean: float
    error: float | None = None
    spread: str = "unknown"
    """A `Spread`, or `ci` with the level in percent that the cell itself states."""
    n: int | Literal["unknown"] = "unknown"
    half_unit: float = 0.0
    """Half a unit of the last printed digit: what rounding may have hidden."""
    relation: Relation = "="
    """Other than "=" and "≈" it is a bound."""
    obstacle: str = ""
    """Why nothing can be held against it."""

    @classmethod
    def read(cls, printed: Printed, reporting: Reporting) -> ReportedNumber:
        """A printed number as its cell says that it is to be read, or else its exhibit.

        Raises:
            ValueError: the text is no number.
        """
        error, spread, obstacle = printed.spread, _spread_of(printed, reporting), ""
        if spread == "share":
            error = None
        elif error is None and printed.interval is not None:
            low, high = printed.interval.low, printed.interval.high
            error = max(printed.number - low, high - printed.number)
            if spread == "unknown":
                obstacle = "it is not said what the interval is (declare its 'spread')"
        if reporting.may_be_share(printed):
            obstacle = "its error may be in percent of it (declare its 'unit' if that is percent)"
        return cls(
            float(printed.number),
            None if error is None else float(error),
            spread,
            printed.n or reporting.n,
            float(printed.rounding),
            printed.relation,
            _no_mean(spread) or obstacle,
        )

    @property
    def is_bound(self) -> bool:
        """Whether it says only what the value is below or above."""
        return self.relation not in ("=", "≈")

    def summary(self, unknown_n: int = UNKNOWN_RUNS) -> Summary:
        """Mean, standard deviation over runs and runs, with an unknown n read as `unknown_n`.

        With one run the ± cannot be a spread over runs, whatever it is, so it is dropped. A printed
        ± 0.0 is a spread that was rounded away, so it is not known either.
        """
        runs = unknown_n if self.n == "unknown" else self.n
        if not self.error or runs == 1 or self.obstacle:
            return Summary(self.mean, None, runs, self.obstacle)
        return Summary(self.mean, self.error * _to_std(self.spread, runs), runs)


def _spread_of(printed: Printed, reporting: Reporting) -> str:
    """What the error of a cell is, by its own words where it has some."""
    interval = printed.interval
    if printed.error is not None or interval is None or interval.meaning == "unknown":
        return reporting.spread_of(printed)
    if interval.meaning != "ci":
        return interval.meaning
    if interval.level is None and reporting.spread.startswith("ci"):
        return reporting.spread
    return f"ci{interval.level or 95}"


def _no_mean(spread: str) -> str:
    """Why nothing can be held against a number with such a spread; empty if it can."""
    what = {"iqr": "an interquartile range", "range": "a range"}.get(spread)
    return f"a number with {what} is no mean with a standard deviation" if what else ""


def _to_std(spread: str, n: int) -> float:
    """Factor from the printed error to the standard deviation over `n` > 1 runs."""
    if spread == "sem":
        return math.sqrt(n)
    if spread.startswith("ci"):
        level = float(spread.removeprefix("ci")) / 100
        return math.sqrt(n) / statistics.NormalDist().inv_cdf(0.5 + level / 2)
    return 1.0
