"""Longley's regression in exact and in double arithmetic, and three models of a binary choice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

import numpy as np
import statsmodels.api as sm

from experiment.steps import LongleyParams, SpectorParams
from harness.plan.step import Probe, StepContext, StepInput, StepResult


def longley(
    params: LongleyParams, inputs: Mapping[str, StepInput], context: StepContext
) -> StepResult:
    """`estimate` and `sd` of one coefficient of employment on six regressors, in this order."""
    data = sm.datasets.longley.load_pandas()
    fit = _exact if params.arithmetic == "exact" else _double
    at = int(params.term[1])
    return StepResult(
        dict(zip(("estimate", "sd"), fit(data.exog.values, data.endog.values, at), strict=True))
    )


def _exact(x: np.ndarray, y: np.ndarray, at: int) -> tuple[float, float]:
    """By the normal equations in rational numbers: nothing is rounded before the end.

    Args:
        x: float64 (n, k), decimals of one digit.
        y: float64 (n,).
    """
    rows = [[Fraction(1), *(Fraction(str(value)) for value in row)] for row in x.tolist()]
    target = [Fraction(str(value)) for value in y.tolist()]
    size = len(rows[0])
    normal = [[sum(r[i] * r[j] for r in rows) for j in range(size)] for i in range(size)]
    moments = [sum(r[i] * t for r, t in zip(rows, target, strict=True)) for i in range(size)]
    solved = _solve(normal, moments)
    column = _solve(normal, [Fraction(int(i == at)) for i in range(size)])
    pairs = zip(rows, target, strict=True)
    off = [t - sum(a * b for a, b in zip(r, solved, strict=True)) for r, t in pairs]
    variance = sum(e * e for e in off) / (len(rows) - size) * column[at]
    return float(solved[at]), float(variance) ** 0.5


def _solve(matrix: Sequence[Sequence[Fraction]], right: Sequence[Fraction]) -> list[Fraction]:
    """Gauss and Jordan; the matrix is positive definite, so that no pivot is 0."""
    full = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    for at, pivot in enumerate(full):
        pivot[:] = [value / pivot[at] for value in pivot]
        for other in full:
            if other is not pivot:
                other[:] = [a - other[at] * b for a, b in zip(other, pivot, strict=True)]
    return [row[-1] for row in full]


def _double(x: np.ndarray, y: np.ndarray, at: int) -> tuple[float, float]:
    fit = sm.OLS(y, sm.add_constant(x)).fit()
    return float(fit.params[at]), float(fit.bse[at])


def spector(
    params: SpectorParams, inputs: Mapping[str, StepInput], context: StepContext
) -> StepResult:
    """The coefficients, by their names, of whether a grade improved."""
    data = sm.datasets.spector.load_pandas()
    design = sm.add_constant(data.exog)
    if params.model == "linear":
        fit = sm.OLS(data.endog, design).fit()
    else:
        model = sm.Logit if params.model == "logit" else sm.Probit
        fit = model(data.endog, design).fit(disp=0, tol=1e-12)
    return StepResult({name: float(value) for name, value in fit.params.items()})


def probe_longley() -> Probe:
    return Probe(LongleyParams(term="B1", arithmetic="exact"), {})


def probe_spector() -> Probe:
    return Probe(SpectorParams(model="probit"), {})
