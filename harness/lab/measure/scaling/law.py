"""The data-aware scaling law (Goyal et al., CVPR 2024; supplement, Section 3, Equations 7 and 8).

A network that has seen n samples of a pool of P has the error

    printed    y(n) = a P^b w(n) + d
    official   y(n) = ((a P)^b + d) w(n)

    w(n) = exp(b R(n)),  R(n) = sum over the epochs j >= 2 of delta^(j-1) log(n_j / n_(j-1)),

with n_j = min(n, j P) for the epochs begun and delta = (1/2)^(1/tau). The second form is what the
authors' code (locuslab/scaling_laws_data_filtering) computes: a stands inside the power, and d
shrinks with the rest. The law starts at the end of the first epoch.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

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
