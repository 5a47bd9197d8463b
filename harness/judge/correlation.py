"""Rank correlation of two quantities over points, with and without account of a third.

Spearman's coefficient is Pearson's of mid-ranks. Three adjustments for the size of the subsets
that the points are of, since both quantities may fall with it:

- plain: none;
- partial: (r_xy - r_xz r_yz) / sqrt((1 - r_xz^2) (1 - r_yz^2)), each r that of ranks;
- within: the mean of the coefficients within each size, over the sizes that have one.

Intervals are percentiles over resampled points: those of one size are drawn with replacement, and
points that are made of the same images are drawn together. Any draw of monotone points is monotone
as well, so where all draws agree they tell nothing of chance, and there is no interval.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from harness.judge.model import Coefficient
from harness.spec.runs import Adjustment

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
DRAWS = 2000
LEAST = 3
"""Points that a size needs to have a coefficient of its own."""


def correlate(
    x: Sequence[float],
    y: Sequence[float],
    size: Sequence[float],
    unit: Sequence[Hashable],
    draws: int = DRAWS,
) -> list[Coefficient]:
    """The coefficients of points (x, y), under each adjustment for their size.

    Args:
        unit: what a point is made of; points of one size and unit are resampled together.
        draws: resampled sets of points behind the intervals; the same ones for all adjustments.
    """
    points = np.array([x, y, size], dtype=np.float64)
    resampled = _resampled(points[2], unit, draws)
    return [
        _coefficient(name, statistic, points, resampled) for name, statistic in _STATISTICS.items()
    ]


def spearman(x: Floats, y: Floats) -> Floats:
    """Spearman's coefficients of (..., n) points along the last axis, (...,).

    NaN where either quantity is constant or there are fewer than three points.
    """
    if x.shape[-1] < LEAST:
        return np.full(x.shape[:-1], np.nan)
    a, b = (rankdata(v, axis=-1) - (v.shape[-1] + 1) / 2 for v in (x, y))
    scale = np.sqrt((a * a).sum(-1) * (b * b).sum(-1))
    with np.errstate(invalid="ignore"):
        return np.asarray((a * b).sum(-1) / scale)


def partial(x: Floats, y: Floats, z: Floats) -> Floats:
    """Spearman's coefficients of (..., n) x and y given z, (n,); plain where z is constant."""
    if len(np.unique(z)) < 2:
        return spearman(x, y)
    z = np.broadcast_to(z, x.shape)
    xy, xz, yz = spearman(x, y), spearman(x, z), spearman(y, z)
    left = (1 - xz**2) * (1 - yz**2)
    # Of what follows its size exactly, nothing is left but the rounding of 1 - 1.
    return (xy - xz * yz) / np.sqrt(np.where(left > 1e-12, left, np.nan))


def within(x: Floats, y: Floats, z: Floats) -> Floats:
    """Means of Spearman's coefficients within the values of z, (n,); NaN where none has one."""
    each = np.array([spearman(x[..., z == v], y[..., z == v]) for v in np.unique(z)])
    defined = ~np.isnan(each)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(defined, each, 0.0).sum(0) / defined.sum(0))


_STATISTICS: Mapping[Adjustment, Callable[[Floats, Floats, Floats], Floats]] = {
    "plain": lambda x, y, z: spearman(x, y),
    "partial": partial,
    "within": within,
}


def _coefficient(
    name: Adjustment,
    statistic: Callable[[Floats, Floats, Floats], Floats],
    points: Floats,
    resampled: Sequence[Ints],
) -> Coefficient:
    x, y, z = points
    drawn = np.concatenate([statistic(x[at], y[at], z[at[0]]) for at in resampled])
    defined = drawn[~np.isnan(drawn)]
    enough = len(defined) >= len(drawn) / 2 and np.ptp(defined) > 1e-9
    low, high = np.quantile(defined, (0.025, 0.975)) if enough else (np.nan, np.nan)
    others = {f"{value:g}": z != value for value in np.unique(z)}
    return Coefficient(
        adjustment=name,
        rho=_known(statistic(x, y, z)),
        n=len(z),
        low=_known(low),
        high=_known(high),
        error=_known(defined.std(ddof=1)) if enough else None,
        without={size: _known(statistic(x[at], y[at], z[at])) for size, at in others.items()},
    )


def _resampled(size: Floats, unit: Sequence[Hashable], draws: int) -> list[Ints]:
    """Indices of the points of each draw: units with replacement, as many as each size has.

    Draws with equally many points of each size, which is all of them where units are alike, come
    as the rows of one array.
    """
    members: dict[tuple[float, Hashable], list[int]] = {}
    for index, key in enumerate(zip(size.tolist(), unit, strict=True)):
        members.setdefault(key, []).append(index)
    groups = [
        [held for (value, _), held in members.items() if value == here]
        for here in np.unique(size).tolist()
    ]
    generator = np.random.default_rng(0)
    alike: dict[bytes, list[list[int]]] = {}
    for _ in range(draws):
        drawn = [
            index
            for group in groups
            for at in generator.integers(len(group), size=len(group))
            for index in group[at]
        ]
        alike.setdefault(size[drawn].tobytes(), []).append(drawn)
    return [np.array(rows, dtype=np.int64) for rows in alike.values()]


def _known(value: npt.ArrayLike) -> float | None:
    number = float(np.asarray(value))
    return None if math.isnan(number) else number
