"""Looking at a cell after some runs and again after more, with the same errors as looking once.

Group-sequential tests with error spending (Lan and DeMets, 1983, Biometrika 70:659): each look may
use up a part of the 5 %, and all looks together use no more. The stated number is drawn once, so
the information about the difference after n runs of ours is 1 / (1/n + 1/m), and differences at
successive looks are correlated as group-sequential theory has it.

Spending is of Pocock's kind, which is generous early, since most cells are decided by few runs. It
goes on for ever: how many runs there will be at most need not be known beforehand, and may be
changed after a look. So a verdict depends on the looks that were taken, and on nothing else.

Where our runs scatter more than theirs, each of theirs is worth several of ours, and looks have
less in common. Levels are those of normal statistics, used as levels of t;
`benchmarks.rule.looks` measures what comes of it.

How likely more runs of ours are to decide a cell is the predictive power of Spiegelhalter,
Freedman and Blackburn (1986, Controlled Clinical Trials 7:8): our true mean and spread are drawn
from what is known of them now, further runs from those, and each such future is decided by the
rule itself. The stated number stays as it is, with its own uncertainty, however often we run; no
false-discovery control enters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from harness.judge.decision import ALPHA, Decision, Evidence
from harness.later import np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harness.judge.moderated import Bound, Floats, Prior


LOOKS = (2, 3, 5, 8, 12, 20, 30)
"""Runs of ours after which a cell is judged."""
FUTILE = 0.06
"""A cell is given up when no number of runs that is left decides it with this chance."""
_SPENT_HALF = 5
"""With so many runs of ours, half of the information is taken to be there."""
_GENEROUS = 1.5
"""How much more may be spent by moderated errors, which are wrong more rarely at small levels than
normal statistics; half and a quarter as much more where our runs scatter twice and four times as
much as theirs. Chosen by simulation, so that looking is wrong no more often than five runs."""
SCATTERS = (1.0, 2.0, 4.0)
"""How many times as much our runs may be taken to scatter as theirs, see `scatter_of`."""
_NODES = 1601
_REACH = 6.5


class Curve(NamedTuple):
    """Error over all looks -> the level at which the last of them tests, both increasing."""

    errors: Floats
    levels: Floats


def looks_up_to(most: int) -> tuple[int, ...]:
    """The runs after which a cell is judged that gets `most` at most."""
    return (*(n for n in LOOKS if n < most), most)


def scatter_of(ours: Bound, theirs: Bound) -> Floats:
    """How many times as much our runs scatter as theirs, the nearest of `SCATTERS`.

    It is 1 where ours scatter less, too: there looks are wrong no more often than five runs.

    Args:
        ours, theirs: variances of a run, pooled over the cells of an exhibit, positive.
    """

    powers = np.round(np.log(np.divide(ours, theirs)) / np.log(4))
    return np.asarray(2.0 ** np.clip(powers, 0, len(SCATTERS) - 1))


def level(alpha: float, reported_runs: float, looks: Sequence[int], scatter: float | None) -> float:
    """One-sided level at the last look, where all looks together are wrong with chance `alpha`.

    Args:
        reported_runs: of the stated number; infinite for one that is known exactly.
        looks: runs of ours at each look, increasing; none: it is looked at once.
        scatter: see `scatter_of`; None where errors are not moderated.
    """

    if not looks:
        return alpha
    curve, generous = _rule(reported_runs, looks, scatter)
    spent = np.log(alpha * generous)
    found = float(np.exp(np.interp(spent, np.log(curve.errors), np.log(curve.levels))))
    return min(found, alpha)


def p_over_looks(
    p: Floats, reported_runs: float, looks: Sequence[int], scatter: float | None
) -> Floats:
    """p-values that hold whenever the looks end, from one-sided ones at the last look.

    The smallest error over all looks with which the last one would reject (the stagewise p-value of
    repeated tests, Jennison and Turnbull, 2000, section 9.2).
    """

    curve, generous = _rule(reported_runs, looks, scatter)
    errors, levels = np.log(curve.errors), np.log(curve.levels)
    inner = np.exp(np.interp(np.log(np.maximum(p, 1e-300)), levels, errors))
    small = p / curve.levels[0] * curve.errors[0]
    spent = np.where(p < curve.levels[0], small, inner)
    return np.maximum(p, spent / generous)


def _rule(reported_runs: float, looks: Sequence[int], scatter: float | None) -> tuple[Curve, float]:
    """The curve, and how much more may be spent than it says."""
    if scatter is None:
        return _curve(reported_runs, tuple(looks)), 1.0
    return _curve(reported_runs * scatter**2, tuple(looks)), 1 + (_GENEROUS - 1) / scatter


@lru_cache(maxsize=256)
def _curve(reported_runs: float, looks: tuple[int, ...]) -> Curve:
    from scipy.special import ndtr

    runs = np.array(looks, dtype=np.float64)
    errors = np.geomspace(1e-9, 0.5, 40)
    shares = np.log1p((np.e - 1) * runs / (runs + _SPENT_HALF))
    spending = np.diff(shares, prepend=0.0)[:, None] * errors
    levels = ndtr(-bounds(1 / (1 / runs + 1 / reported_runs), spending)[-1])
    return Curve(np.append(errors, 1.0), np.append(levels, 1.0))


def bounds(information: Floats, spending: Floats) -> Floats:
    """Upper bounds of z that are first crossed with given chances (Armitage et al., 1969).

    The score z * sqrt(information) is a random walk; its density below all bounds so far is kept
    on a grid.

    Args:
        information: at each look (looks,), increasing.
        spending: chances at each look (looks, rules).

    Returns:
        Bounds (looks, rules).
    """
    from scipy.stats import norm

    grid = np.linspace(-_REACH, _REACH, _NODES) * np.sqrt(information[-1])
    step = grid[1] - grid[0]
    density = np.repeat(norm.pdf(grid, scale=np.sqrt(information[0]))[:, None], len(spending.T), 1)
    found = []
    for i, spend in enumerate(spending):
        if i > 0:
            scale = np.sqrt(information[i] - information[i - 1])
            density = norm.pdf(grid[:, None] - grid, scale=scale) @ density * step
        above = np.cumsum(density[::-1], axis=0)[::-1] * step - density * step / 2
        bound = np.array([np.interp(-s, -a, grid) for s, a in zip(spend, above.T, strict=True)])
        found.append(bound / np.sqrt(information[i]))
        density = np.where(grid[:, None] < bound, density, 0.0)
    return np.array(found)


def chance(
    gap: Bound, ours: Bound, theirs: Bound, more: Bound, level: Bound, low: Bound, high: Bound
) -> Floats:
    """How likely a later look is to decide a cell, whose spreads are taken as they are now.

    The difference to come is normal around the present one; the stated number stays.

    Args:
        gap: the present difference.
        ours, theirs: the two parts of its squared error, of our mean and of the stated number.
        more: how many times as many runs of ours there will be.
        level: of the later look.
        low, high: where a difference counts as none.
    """
    from scipy.special import ndtr, ndtri

    wander = np.sqrt(np.maximum(ours * (1 - 1 / more), 1e-300))
    reach = -ndtri(level) * np.sqrt(theirs + ours / more)
    inside = ndtr((high - reach - gap) / wander) - ndtr((low + reach - gap) / wander)
    outside = ndtr((gap - high - reach) / wander) + ndtr((low - reach - gap) / wander)
    return np.asarray(np.maximum(inside, 0) + outside)


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

    from harness.judge.moderated import moderate, p_inside, p_outside, welch

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
