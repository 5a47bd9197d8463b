"""Cases for the lines of the proof of Lemma 1, and the error of each line by each oracle.

The oracles are derivatives of the softmax and of KL(q || p) that know nothing of these lines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import TypeAlias

import mpmath
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor
from torch.nn import functional

from harness.lab.measure.lemma import formulas
from harness.lab.measure.lemma.lemma1 import IdentityParams
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


LINES = (
    "softmax-derivative",
    "loss-gradient",
    "loss-gradient-t2",
    "grand",
    "norm-identity",
    "result",
)
"""Names of the lines in the specs; the third is a form of the second with T^2."""
ALLOWED: Mapping[str, float] = {"autograd": 1e-11, "differences": 1e-6, "mpmath": 1e-11}
"""Largest error, in the units below, that is rounding: of float64, or of differences in it."""
CHOSEN = 4
"""Logits of a case in which derivatives are taken."""
WEIGHTS = 16
"""Weights that a drawn linear model has beyond the number of its classes."""


def cases(params: IdentityParams, temperature: float, generator: Generator) -> Iterator[Case]:
    """Drawn logits and targets of every kind and number of classes, at one temperature."""
    for classes, kind in product(params.classes, formulas.TARGETS):
        for _ in range(params.draws):
            logits = formulas.logits((classes,), params.largest_logit, generator)
            target = formulas.target(kind, classes, params.largest_logit, temperature, generator)
            # The logits that matter most, and some others.
            first = [int(logits.argmax()), int(target.argmax())]
            others = torch.randperm(classes, generator=generator).tolist()
            chosen = np.array(list(dict.fromkeys(first + others))[:CHOSEN])
            yield Case(logits, target, temperature, chosen)


def errors_of(case: Case, generator: Generator) -> dict[str, dict[str, float]]:
    """The errors of a case: oracle -> line -> error."""
    found = {
        name: _derivative_errors(case, oracle(case))
        for name, oracle in ORACLES.items()
        if applies(name, case)
    }
    found["autograd"] |= _norm_errors(case, generator)
    return found


def _derivative_errors(case: Case, known: Derivatives) -> dict[str, float]:
    heat, rows = case.temperature, case.chosen
    p, q = formulas.answer(case.logits, heat), case.target
    apart = {
        "softmax-derivative": heat * (formulas.softmax_derivative(p, heat)[rows] - known.softmax),
        "loss-gradient": heat * (formulas.loss_gradient(p, q, heat)[rows] - known.loss),
        "loss-gradient-t2": (formulas.loss_gradient_t2(p, q, heat)[rows] - known.loss_t2) / heat,
    }
    return {line: float(np.abs(error).max()) for line, error in apart.items()}


def _norm_errors(case: Case, generator: Generator) -> dict[str, float]:
    """The lines on norms, for a linear model with these logits."""
    heat, classes = case.temperature, len(case.logits)
    p, q = formulas.answer(case.logits, heat), case.target
    psi = formulas.normal((classes, classes + WEIGHTS), generator)
    largest = float(np.linalg.norm(psi, 2))
    exact = formulas.grand(p, q, psi @ psi.T, heat)
    size = 10 ** (2 * float(formulas.uniform((), generator)) - 1)
    orthogonal = size * np.linalg.qr(psi.T)[0].T
    combined = np.linalg.norm((p - q) @ orthogonal)
    approximate = size * formulas.el2n_sl(p, q, heat)
    return {
        "grand": float(heat / largest * abs(exact - _gradient_norm(case, psi))),
        "norm-identity": float(abs(combined - heat * approximate) / size),
        "result": float(heat / size * abs(approximate - _gradient_norm(case, orthogonal))),
    }


def _gradient_norm(case: Case, psi: Floats) -> float:
    """Norm of the gradient of KL(q || p) in the weights of f(w) = f + psi w, at w = 0."""
    weights = torch.zeros(psi.shape[1], dtype=torch.float64, requires_grad=True)
    logits = torch.from_numpy(case.logits) + torch.from_numpy(psi) @ weights
    log_p = (logits / case.temperature).log_softmax(0)
    functional.kl_div(log_p, torch.from_numpy(case.target), reduction="sum").backward()
    assert weights.grad is not None
    return float(torch.linalg.vector_norm(weights.grad))
