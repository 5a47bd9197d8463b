"""The data-aware scaling law and least squares for it: two dimensions searched, the rest closed.

The law (Goyal et al., CVPR 2024; supplement, Section 3, Equations 7 and 8): a network that has seen
n samples of a pool of P has the error

    printed    y(n) = a P^b w(n) + d
    official   y(n) = ((a P)^b + d) w(n)

    w(n) = exp(b R(n)),  R(n) = sum over the epochs j >= 2 of delta^(j-1) log(n_j / n_(j-1)),

with n_j = min(n, j P) for the epochs begun and delta = (1/2)^(1/tau). The second form is what the
authors' code (locuslab/scaling_laws_data_filtering) computes: a stands inside the power, and d
shrinks with the rest. The law starts at the end of the first epoch.

Either form is a line A v + D in its wave v, given b and tau (variable projection, Golub and Pereyra
1973). Printed: v = P^b w(n), A = a, D = d. Official: v = w(n), A = (a P)^b + d, D = 0; a and d are
only identified together there, so d has to be given.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice, product
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.ndimage import minimum_filter
from scipy.optimize import least_squares

from harness.lab.measure.values import Floats


@dataclass(frozen=True)
class Evaluations:
    """The evaluations of a learning curve."""

    samples: Floats
    """Samples seen before each evaluation, (evaluations,), rising, none below `pool`."""
    pool: float
    """Samples of one epoch, in the same unit."""

    def __len__(self) -> int:
        return len(self.samples)

    @cached_property
    def _growth(self) -> Floats:
        """log(n_j / n_(j-1)) of each evaluation (rows) in each epoch after the first (columns)."""
        epochs = np.arange(1, max(2, np.ceil(self.samples[-1] / self.pool)))
        share = self.samples[:, None] / (epochs * self.pool)
        return np.log(np.clip(share, 1, 1 + 1 / epochs))

    def repeated(self, tau: ArrayLike) -> Floats:
        """R of every evaluation and half-life: (..., evaluations) from tau (...), in epochs."""
        epochs = np.arange(1, self._growth.shape[1] + 1)
        left: Floats = delta(tau)[..., None] ** epochs
        return left @ self._growth.T


def delta(tau: ArrayLike) -> Floats:
    """Share of a sample's utility that is left after one repetition (Equation 8)."""
    share: Floats = 0.5 ** (1 / np.asarray(tau, dtype=np.float64))
    return share


def printed(
    evaluations: Evaluations, a: ArrayLike, b: ArrayLike, tau: ArrayLike, d: float
) -> Floats:
    """Errors by Equation 7: (..., evaluations), from a, b and tau (...) that broadcast."""
    power = np.asarray(b, np.float64)[..., None]
    first = np.asarray(a, np.float64)[..., None] * evaluations.pool**power
    return first * np.exp(power * evaluations.repeated(tau)) + d


def official(
    evaluations: Evaluations, a: ArrayLike, b: ArrayLike, tau: ArrayLike, d: float
) -> Floats:
    """Errors by the authors' code, shaped like those of `printed`."""
    power = np.asarray(b, np.float64)[..., None]
    first = (np.asarray(a, np.float64)[..., None] * evaluations.pool) ** power + d
    return first * np.exp(power * evaluations.repeated(tau))


LAWS = {"printed": printed, "official": official}


SIDE = 24
"""Points a side of the coarse grid, even in log(-b) and log(tau), whose minima are the starts."""
STARTS = 4
"""Most minima from which the search descends."""


@dataclass(frozen=True)
class LawFit:
    """The law fitted to curves that share a and d."""

    b: Floats
    """(curves,)"""
    tau: Floats
    """(curves,)"""
    a: float
    """Infinite where an official curve begins at its d or below."""
    d: float
    sse: float
    """Sum of squared errors over all curves."""
    predicted: Floats
    """Errors by the law, curve after curve (points,)."""


@dataclass(frozen=True)
class LawProblem:
    """The law that is fitted, the evaluations, and the bounds of the search."""

    evaluations: tuple[Evaluations, ...]
    """The evaluations of each curve; one curve only if the law is official."""
    law: Literal["printed", "official"]
    a: float | None
    """Given, or fitted if None; as is `d`."""
    d: float | None
    b_bounds: tuple[float, float]
    """Both negative."""
    tau_bounds: tuple[float, float]
    """Bounds of tau, in epochs."""

    @property
    def free(self) -> int:
        """Number of fitted parameters."""
        return 2 * len(self.evaluations) + (self.a is None) + (self.d is None)

    @property
    def _given_d(self) -> float:
        """The d of the official law, in which it cannot be fitted."""
        assert self.d is not None
        return self.d

    @cached_property
    def bounds(self) -> Floats:
        """Low and high of a place (2, 2 x curves): log(-b) and log(tau) of each curve in turn."""
        (least, most), tau = self.b_bounds, self.tau_bounds
        return np.tile(np.log([[-most, tau[0]], [-least, tau[1]]]), len(self.evaluations))

    @cached_property
    def _grid(self) -> Floats:
        """Coarse places of one curve (SIDE, SIDE, 2)."""
        low, high = self.bounds[:, :2]
        sides: Floats = np.linspace(low, high, SIDE).T
        return np.stack(np.meshgrid(*sides, indexing="ij"), axis=-1)

    @cached_property
    def _grid_waves(self) -> list[Floats]:
        return [self._wave(evaluations, self._grid) for evaluations in self.evaluations]

    def _wave(self, evaluations: Evaluations, place: Floats) -> Floats:
        """v of one curve, (..., evaluations) from places (..., 2)."""
        b, tau = -np.exp(place[..., :1]), np.exp(place[..., 1])
        size = np.log(evaluations.pool) if self.law == "printed" else 0.0
        wave: Floats = np.exp(b * (size + evaluations.repeated(tau)))
        return wave

    def _line(self, place: Floats, wave: Floats, errors: Floats) -> tuple[Floats, Floats]:
        """A and D (...) of waves (..., points) at places (..., 2 x curves)."""
        if self.law == "printed":
            return line(wave, errors, self.a, self.d)
        if self.a is None:
            return line(wave, errors, None, 0.0, least=self._given_d)
        factor = (self.a * self.evaluations[0].pool) ** -np.exp(place[..., 0]) + self._given_d
        return line(wave, errors, factor, 0.0)

    def at(self, place: Floats, errors: Floats) -> LawFit:
        """The best that the law can do with the b and tau of a place (2 x curves,)."""
        own = place.reshape(-1, 2)
        waves = [
            self._wave(evaluations, part)
            for evaluations, part in zip(self.evaluations, own, strict=True)
        ]
        wave = np.concatenate(waves)
        factor, offset = self._line(place, wave, errors)
        predicted = factor * wave + offset
        b, tau = -np.exp(own[:, 0]), np.exp(own[:, 1])
        a, d = float(factor), float(offset)
        if self.law == "official":
            d = self._given_d
            with np.errstate(divide="ignore", over="ignore"):
                a = self.a or float((factor - d) ** (1 / b[0]) / self.evaluations[0].pool)
        return LawFit(b, tau, a, d, float(((predicted - errors) ** 2).sum()), predicted)

    def starts(self, errors: Floats) -> Iterator[Floats]:
        """Places of the deepest minima of the coarse grid, each curve taken alone."""
        ends = np.cumsum([len(evaluations) for evaluations in self.evaluations])[:-1]
        alone = [
            self._minima(wave, own)
            for wave, own in zip(self._grid_waves, np.split(errors, ends), strict=True)
        ]
        together = product(*(places[:STARTS] for places in alone))
        return (np.concatenate(places) for places in islice(together, STARTS))

    def _minima(self, wave: Floats, errors: Floats) -> Floats:
        """Places (minima, 2) of one curve, the deepest first."""
        factor, offset = self._line(self._grid, wave, errors)
        residual = factor[..., None] * wave + offset[..., None] - errors
        sse = np.einsum("...i,...i", residual, residual)
        lowest = sse <= minimum_filter(sse, size=3, mode="nearest")
        deepest: Floats = self._grid[lowest][np.argsort(sse[lowest], kind="stable")]
        return deepest


def line(
    wave: Floats,
    errors: Floats,
    factor: Floats | float | None,
    offset: Floats | float | None,
    least: float = 0.0,
) -> tuple[Floats, Floats]:
    """The least-squares line factor x wave + offset along the last axis, factor and offset (...).

    Each may be given; a fitted factor is at least `least`, a fitted offset at least 0.
    """
    shape = wave.shape[:-1]
    if factor is None and offset is None:
        middle, mean = wave.mean(axis=-1), errors.mean(axis=-1)
        free = np.maximum(least, _slope(wave - middle[..., None], errors - mean))
        left = mean - free * middle
        through_zero = np.maximum(least, _slope(wave, errors))
        return np.where(left < 0, through_zero, free), np.maximum(left, 0)
    if factor is None:
        assert offset is not None
        factor = np.maximum(least, _slope(wave, errors - offset))
    if offset is None:
        offset = np.maximum(0, (errors - np.multiply.outer(factor, 1) * wave).mean(axis=-1))
    return np.broadcast_to(factor, shape), np.broadcast_to(offset, shape)


def _slope(x: Floats, y: Floats) -> Floats:
    squares = (x * x).sum(axis=-1)
    slope: Floats = (x * y).sum(axis=-1) / np.where(squares > 0, squares, 1)
    return slope


def fit(problem: LawProblem, errors: Floats, begin: Floats | None = None) -> LawFit:
    """Descend from the minima of a coarse grid (and from one more place), and keep the best.

    Args:
        errors: curve after curve (points,).
        begin: one more place to start from, such as the fit to like errors.
    """
    places = [*problem.starts(errors), *([] if begin is None else [begin])]
    return min((descend(problem, errors, place) for place in places), key=lambda made: made.sse)


def descend(problem: LawProblem, errors: Floats, place: Floats) -> LawFit:
    """The local minimum below a place, within the bounds."""
    low, high = problem.bounds
    found = least_squares(
        lambda at: problem.at(at, errors).predicted - errors,
        np.clip(place, low, high),
        bounds=(low, high),
        xtol=1e-10,
        ftol=1e-10,
        gtol=1e-10,
    )
    return problem.at(found.x, errors)


def grid_fit(
    law: str,
    evaluations: Evaluations,
    errors: Floats,
    values: tuple[Floats, Floats, Floats],
    d: float,
) -> LawFit:
    """The fit of the authors' code: the combination of a grid with the least sum of squared errors.

    Goyal et al. search 100 values each of a, b and tau, with d given, since scipy's optimisers were
    unstable for them. Their code stops after 100,000 combinations in random order; this function
    tries all of them, so its error is never above theirs. The first of equals is taken.

    Args:
        values: the values of a, of b and of tau.
    """
    a_values, b_values, tau_values = values
    best, least = (0.0, 0.0, 0.0), float("inf")
    for factor in a_values:
        predicted = LAWS[law](evaluations, factor, b_values[:, None], tau_values, d)
        sse = ((predicted - errors) ** 2).sum(axis=-1)
        row, column = np.unravel_index(sse.argmin(), sse.shape)
        if sse[row, column] < least:
            best = float(factor), float(b_values[row]), float(tau_values[column])
            least = float(sse[row, column])
    a, b, tau = best
    predicted = LAWS[law](evaluations, a, b, tau, d)
    return LawFit(np.array([b]), np.array([tau]), a, d, least, predicted)
