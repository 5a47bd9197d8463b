"""Derivatives of the softmax and of KL(q || p) that know nothing of the lines of the proof."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import mpmath
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from harness.lab.measure.values import Floats

STEP = 1e-5
"""Step of finite differences, in units of T."""
DIGITS = 60
"""Digits of mpmath, which differentiates by differences too, with a step of 10^-20."""


@dataclass(frozen=True)
class Case:
    """Logits, a target and a temperature, and the logits in which derivatives are taken."""

    logits: Floats
    """float64 (classes,)"""
    target: Floats
    """A distribution, float64 (classes,)."""
    temperature: float
    chosen: NDArray[np.int64]
    """int64 (k,)"""


@dataclass(frozen=True)
class Derivatives:
    softmax: Floats
    """dp_i / df_k of the chosen k, (k, classes)."""
    loss: Floats
    """dKL / df_k (k,)."""
    loss_t2: Floats
    """d(T^2 KL) / df_k (k,)."""


def by_autograd(case: Case) -> Derivatives:
    """Derivatives by torch, in float64."""
    target, heat = torch.from_numpy(case.target), case.temperature
    unit = functional.one_hot(torch.from_numpy(case.chosen), len(case.logits)).double()

    def loss(logits: Tensor) -> Tensor:
        return functional.kl_div((logits / heat).log_softmax(0), target, reduction="sum")

    def along(function: Callable[[Tensor], Tensor]) -> Floats:
        at = torch.from_numpy(case.logits)
        slope = torch.func.vmap(lambda v: torch.func.jvp(function, (at,), (v,))[1])
        slopes: Floats = slope(unit).numpy()
        return slopes

    return Derivatives(
        along(lambda logits: (logits / heat).softmax(0)),
        along(loss),
        along(lambda logits: heat**2 * loss(logits)),
    )


def by_differences(case: Case) -> Derivatives:
    """Derivatives by central differences in float64; for |f| / T up to about 30."""
    step = STEP * case.temperature
    shift = step * np.eye(len(case.logits))[case.chosen]
    up, down = (_plain(case.logits + sign * shift, case) for sign in (1, -1))
    softmax, loss = ((high - low) / (2 * step) for high, low in zip(up, down, strict=True))
    return Derivatives(softmax, loss, case.temperature**2 * loss)


def _plain(logits: Floats, case: Case) -> tuple[Floats, Floats]:
    """p (k, classes) and KL (k,), written out."""
    weights = np.exp(logits / case.temperature)
    p = weights / weights.sum(axis=1, keepdims=True)
    q = case.target
    held = q > 0
    return p, (q[held] * (np.log(q[held]) - np.log(p[:, held]))).sum(axis=1)


def by_mpmath(case: Case) -> Derivatives:
    """Derivatives by central differences with 60 digits, for any logit and temperature."""
    with mpmath.workdps(DIGITS):
        heat, step = mpmath.mpf(case.temperature), mpmath.mpf(10) ** -20
        logits = [mpmath.mpf(f) / heat for f in case.logits.tolist()]
        target = [mpmath.mpf(q) for q in case.target.tolist()]
        softmax, loss = [], []
        for k in case.chosen.tolist():
            ends = []
            for sign in (1, -1):
                moved = list(logits)
                moved[k] += sign * step
                ends.append(_many_digits(moved, target))
            (p_up, up), (p_down, down) = ends
            across = 2 * step * heat
            pairs = zip(p_up, p_down, strict=True)
            softmax.append([float((high - low) / across) for high, low in pairs])
            loss.append((up - down) / across)
        return Derivatives(
            np.array(softmax),
            np.array([float(each) for each in loss]),
            np.array([float(heat**2 * each) for each in loss]),
        )


def _many_digits(
    logits: list[mpmath.mpf], target: list[mpmath.mpf]
) -> tuple[list[mpmath.mpf], mpmath.mpf]:
    weights = [mpmath.exp(each) for each in logits]
    whole = mpmath.fsum(weights)
    p = [each / whole for each in weights]
    terms = [q * mpmath.log(q / own) for q, own in zip(target, p, strict=True) if q]
    return p, mpmath.fsum(terms)


Oracle: TypeAlias = Callable[[Case], Derivatives]
ORACLES: Mapping[str, Oracle] = {
    "autograd": by_autograd,
    "differences": by_differences,
    "mpmath": by_mpmath,
}


def applies(oracle: str, case: Case) -> bool:
    """Differences where |f| / T is at most 30, mpmath beyond, autograd everywhere."""
    small = np.abs(case.logits).max() / case.temperature <= 30
    return oracle == "autograd" or (oracle == "differences") == small
