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
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from harness.judge.moderated import Bound, Floats

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
    import numpy as np

    powers = np.round(np.log(np.divide(ours, theirs)) / np.log(4))
    return np.asarray(2.0 ** np.clip(powers, 0, len(SCATTERS) - 1))


def level(alpha: float, reported_runs: float, looks: Sequence[int], scatter: float | None) -> float:
    """One-sided level at the last look, where all looks together are wrong with chance `alpha`.

    Args:
        reported_runs: of the stated number; infinite for one that is known exactly.
        looks: runs of ours at each look, increasing; none: it is looked at once.
        scatter: see `scatter_of`; None where errors are not moderated.
    """
    import numpy as np

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
    import numpy as np

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
    import numpy as np
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
    import numpy as np
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
    import numpy as np
    from scipy.special import ndtr, ndtri

    wander = np.sqrt(np.maximum(ours * (1 - 1 / more), 1e-300))
    reach = -ndtri(level) * np.sqrt(theirs + ours / more)
    inside = ndtr((high - reach - gap) / wander) - ndtr((low + reach - gap) / wander)
    outside = ndtr((gap - high - reach) / wander) + ndtr((low - reach - gap) / wander)
    return np.asarray(np.maximum(inside, 0) + outside)
