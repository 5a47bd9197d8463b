"""How likely more runs of ours are to decide a cell.

The predictive power of Spiegelhalter, Freedman and Blackburn (1986, Controlled Clinical Trials
7:8): our true mean and spread are drawn from what is known of them now, further runs from those,
and each such future is decided by the rule itself. The stated number stays as it is, with its own
uncertainty, however often we run; no false-discovery control enters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from harness.judge.decision import ALPHA, Decision, Evidence

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from harness.judge.moderated import Floats, Prior

RUNS = (3, 5, 10, 20)
FUTURES = 4000


def chances(item: Evidence, prior: Prior | None = None) -> Mapping[int, float]:
    """Number of runs of ours -> how likely they are to give `reproduced` or `deviates`.

    Args:
        item: with at least one run of ours and a margin.
        prior: how alike the spreads of the exhibit are, see `decision.exhibit_prior`.

    Returns:
        Only numbers above the present one. Empty without a margin, and where nothing is known of
        the spread of our runs: neither ours nor theirs nor that of other cells.
    """
    import numpy as np

    if item.margin is None or (known := _spread(item, prior)) is None:
        return {}
    variance, df = known
    rng = np.random.default_rng(0)
    variances = variance * df / rng.chisquare(df, FUTURES)
    truths = item.ours.mean + np.sqrt(variances / item.ours.n) * rng.normal(size=FUTURES)
    return {
        n: float(np.mean(_decided(item, prior, *_future(item, n, truths, variances))))
        for n in RUNS
        if n > item.ours.n
    }


def at_looks(item: Evidence, tested: Decision, later: Sequence[int]) -> dict[int, float]:
    """Runs of ours at each later look -> how likely an open cell is decided there.

    Quicker than `chances`: spreads are taken as they are now, and error is spent at all of these
    looks. Empty where nothing was tested or no margin is declared.
    """
    from harness.judge.sequential import chance, level

    used, own = tested.statistics, tested.welch
    if used is None or own is None or item.margin is None:
        return {}
    theirs, looks, found = item.reported.runs, list(item.looks or (item.ours.n,)), {}
    share = item.ours.variance / item.ours.n / own.error**2 if own.error else 1.0
    parts = share * used.error**2, (1 - share) * used.error**2
    for n in later:
        looks.append(n)
        alpha = level(ALPHA, theirs, looks, tested.scatter)
        ends = item.region(item.bound)
        found[n] = float(chance(item.difference, *parts, n / item.ours.n, alpha, *ends))
    return found


def _spread(item: Evidence, prior: Prior | None) -> tuple[float, float] | None:
    """The variance of our runs with its degrees of freedom: the cell's own, with the prior's."""
    sides = (side for side in (item.ours, item.reported) if side.n > 1 and side.std)
    side = next(sides, None)
    own, variance = (0, 0.0) if side is None else (side.n - 1, (side.std or 0.0) ** 2)
    if prior is None:
        return (variance, own) if own else None
    weight = min(float(prior.df[0]), max(0.0, float(prior.most[0]) - own))
    common = float(prior.variance[0]) * (item.margin or 1.0) ** 2
    return (weight * common + own * variance) / (weight + own), weight + own


def _future(
    item: Evidence, n: int, truths: Floats, variances: Floats
) -> tuple[Floats, Floats, int]:
    """Means and sample variances of `n` runs of ours, of which the present ones are some."""
    import numpy as np

    rng = np.random.default_rng([0, n])
    now, more = item.ours.n, n - item.ours.n
    means = truths + np.sqrt(variances / more) * rng.normal(size=FUTURES)
    squares = (now - 1) * (item.ours.std or 0.0) ** 2 + now * more / n * (
        means - item.ours.mean
    ) ** 2
    if more > 1:
        squares = squares + variances * rng.chisquare(more - 1, FUTURES)
    return (now * item.ours.mean + more * means) / n, squares / (n - 1), n


def _decided(
    item: Evidence, prior: Prior | None, means: Floats, squares: Floats, n: int
) -> NDArray[np.bool_]:
    """Whether each future is decided."""
    import numpy as np

    from harness.judge.moderated import moderate, p_inside, p_outside, welch
    from harness.judge.sequential import level

    theirs = np.full(FUTURES, item.reported.runs)
    ours = np.full(FUTURES, float(n))
    looks = (*item.looks, n) if item.looks else ()
    alpha = level(ALPHA, item.reported.runs, looks, prior.scatter if prior else None)
    errors = welch((squares, np.full(FUTURES, item.reported.variance)), (ours, theirs))
    if prior is not None:
        unit = item.margin or 1.0
        errors = moderate(errors, (1 / ours + 1 / theirs) * unit**2, prior)
    gaps, (low, high) = means - item.reported.mean, item.region(item.bound)
    inside, outside = p_inside(gaps, low, high, errors), p_outside(gaps, low, high, errors)
    return np.minimum(inside, outside) < alpha
