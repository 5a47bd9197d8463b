"""Cases for the lines of the proof of Lemma 1, and the error of each line by each oracle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product

import numpy as np
import torch
from torch import Generator
from torch.nn import functional

from harness.lab.measure.lemma import drawn, formulas
from harness.lab.measure.lemma.lemma1 import IdentityParams
from harness.lab.measure.lemma.oracles import ORACLES, Case, Derivatives, applies
from harness.lab.measure.values import Floats

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
    for classes, kind in product(params.classes, drawn.TARGETS):
        for _ in range(params.draws):
            logits = drawn.logits((classes,), params.largest_logit, generator)
            target = drawn.target(kind, classes, params.largest_logit, temperature, generator)
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
    psi = drawn.normal((classes, classes + WEIGHTS), generator)
    largest = float(np.linalg.norm(psi, 2))
    exact = formulas.grand(p, q, psi @ psi.T, heat)
    size = 10 ** (2 * float(drawn.uniform((), generator)) - 1)
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
