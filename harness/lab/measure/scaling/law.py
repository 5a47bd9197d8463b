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


@dataclass(frozen=True)
class Looks:
    """Where a learning curve was looked at."""

    samples: np.ndarray
    """Seen at each look, float64 (looks,), rising, none below `pool`."""
    pool: float
    """Samples of one epoch, in the same unit."""

    def __len__(self) -> int:
        return len(self.samples)

    @cached_property
    def _growth(self) -> np.ndarray:
        """log(n_j / n_(j-1)) of each look (rows) in each epoch after the first (columns)."""
        epochs = np.arange(1, max(2, np.ceil(self.samples[-1] / self.pool)))
        share = self.samples[:, None] / (epochs * self.pool)
        return np.log(np.clip(share, 1, 1 + 1 / epochs))

    def repeated(self, tau: ArrayLike) -> np.ndarray:
        """R of every look for every half-life: (..., looks) from tau (...), in epochs."""
        epochs = np.arange(1, self._growth.shape[1] + 1)
        return delta(tau)[..., None] ** epochs @ self._growth.T


def delta(tau: ArrayLike) -> np.ndarray:
    """Share of a sample's utility that is left after one repetition (Equation 8)."""
    return 0.5 ** (1 / np.asarray(tau, dtype=np.float64))


def printed(looks: Looks, a: ArrayLike, b: ArrayLike, tau: ArrayLike, d: float) -> np.ndarray:
    """Errors by Equation 7: (..., looks), from a, b and tau (...) that broadcast."""
    power = np.asarray(b)[..., None]
    first = np.asarray(a)[..., None] * looks.pool**power
    return first * np.exp(power * looks.repeated(tau)) + d


def official(looks: Looks, a: ArrayLike, b: ArrayLike, tau: ArrayLike, d: float) -> np.ndarray:
    """Errors by the authors' code, shaped like those of `printed`."""
    power = np.asarray(b)[..., None]
    first = (np.asarray(a)[..., None] * looks.pool) ** power + d
    return first * np.exp(power * looks.repeated(tau))


LAWS = {"printed": printed, "official": official}
