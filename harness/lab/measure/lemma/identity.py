"""Every line of the proof of Lemma 1 on drawn logits, temperatures and targets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product

import numpy as np
import torch
from torch import Generator
from torch.nn import functional

from harness.lab.measure.lemma import drawn, formulas
from harness.lab.measure.lemma.oracles import ORACLES, Case, Derivatives, applies
from harness.lab.measure.lemma.steps import IdentityParams
from harness.plan.step import Json, StepContext, StepInput, StepResult

LINES = (
    "softmax-derivative",
    "loss-gradient",
    "loss-gradient-t2",
    "grand",
    "norm-identity",
    "result",
)
"""As the specs call them; the second has a form with T^2 beside it."""
ALLOWED: Mapping[str, float] = {"autograd": 1e-11, "differences": 1e-6, "mpmath": 1e-11}
"""Largest error, in the units below, that is rounding: of float64, or of differences in it."""
CHOSEN = 4
"""Logits of a case in which derivatives are taken."""
WEIGHTS = 16
"""Weights that a drawn linear model has beyond the number of its classes."""


def lemma_identity(
    params: IdentityParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> StepResult:
    """Compare each line of the proof with oracles that know nothing of it.

    The derivatives of the softmax and of the loss are compared with autograd, with finite
    differences where |f| / T <= 30, and with mpmath beyond. `grand` is the gradient norm of a
    linear model with drawn psi; `norm-identity` and `result` have orthogonal psi of equal norm;
    all three by autograd. Errors are the largest absolute ones in natural units: derivatives times
    T (over T in the form with T^2), norms times T over the largest singular value of the psi.

    Values: `LINE.ORACLE`, the largest error, and `largest.ORACLE` of all lines; `cases`, and
    `cases.ORACLE`; `holds`: no error is above rounding.
    Arrays: `temperatures` (t,); `autograd`, `differences` and `mpmath` (t, 6), the largest error at
    each temperature in each line of `LINES`, NaN where there was no case; `drawn` (cases, 3),
    temperature, classes and ||p - q|| of each case.
    Draws: "cases" of `ctx`.
    """
    generator = Generator().manual_seed(ctx.derive("cases"))
    arrays = {name: np.full((len(params.temperatures), len(LINES)), np.nan) for name in ORACLES}
    counts = dict.fromkeys(ORACLES, 0)
    met = []
    for row, temperature in enumerate(params.temperatures):
        ctx.report(row / len(params.temperatures), f"temperature {temperature:g}")
        for case in _cases(params, temperature, generator):
            p = formulas.answer(case.logits, temperature)
            met.append((temperature, len(p), np.linalg.norm(p - case.target)))
            for oracle, errors in _errors(case, generator).items():
                counts[oracle] += 1
                columns = [LINES.index(line) for line in errors]
                found = list(errors.values())
                arrays[oracle][row, columns] = np.fmax(arrays[oracle][row, columns], found)
    values: dict[str, Json] = {"cases": counts["autograd"]}
    values |= {f"cases.{oracle}": count for oracle, count in counts.items()}
    holds = True
    for (column, line), (oracle, errors) in product(enumerate(LINES), arrays.items()):
        if not np.isnan(errors[:, column]).all():
            values[f"{line}.{oracle}"] = largest = float(np.nanmax(errors[:, column]))
            holds &= largest <= ALLOWED[oracle]
    values |= {
        f"largest.{oracle}": float(np.nanmax(errors))
        for oracle, errors in arrays.items()
        if counts[oracle]
    }
    values["holds"] = bool(holds)
    arrays |= {"temperatures": np.array(params.temperatures), "drawn": np.array(met)}
    return StepResult(values, arrays)


def _cases(params: IdentityParams, temperature: float, generator: Generator) -> Iterator[Case]:
    for classes, kind in product(params.classes, drawn.TARGETS):
        for _ in range(params.draws):
            logits = drawn.logits((classes,), params.largest_logit, generator)
            target = drawn.target(kind, classes, params.largest_logit, temperature, generator)
            # The logits that matter most, and some others.
            first = [int(logits.argmax()), int(target.argmax())]
            others = torch.randperm(classes, generator=generator).tolist()
            chosen = np.array(list(dict.fromkeys(first + others))[:CHOSEN])
            yield Case(logits, target, temperature, chosen)


def _errors(case: Case, generator: Generator) -> dict[str, dict[str, float]]:
    """Oracle -> line -> error."""
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
        "grand": heat / largest * abs(exact - _gradient_norm(case, psi)),
        "norm-identity": abs(combined - heat * approximate) / size,
        "result": heat / size * abs(approximate - _gradient_norm(case, orthogonal)),
    }


def _gradient_norm(case: Case, psi: np.ndarray) -> float:
    """Norm of the gradient of KL(q || p) in the weights of f(w) = f + psi w, at w = 0."""
    weights = torch.zeros(psi.shape[1], dtype=torch.float64, requires_grad=True)
    logits = torch.from_numpy(case.logits) + torch.from_numpy(psi) @ weights
    log_p = (logits / case.temperature).log_softmax(0)
    functional.kl_div(log_p, torch.from_numpy(case.target), reduction="sum").backward()
    return float(torch.linalg.vector_norm(weights.grad))
