"""How fast EL2N-SL and GraNd part when the psi are not orthogonal, or not of equal norm."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from scipy.stats import spearmanr
from torch import Generator

from harness.lab.measure.lemma import drawn, formulas
from harness.lab.measure.lemma.steps import DegradationParams
from harness.plan.step import Json, StepContext, StepInput, StepResult

QUANTILES = (0.05, 0.5, 0.95)
NEAR = 0.05


def lemma_degradation(
    params: DegradationParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> StepResult:
    """GraNd over c EL2N-SL, exactly, for Gram matrices ever further from Assumption 1.

    Three families with c = 1, at levels t: `cosines`, (1 - t) I + t V V' with the rows of V drawn
    on a sphere of dimension `rank`; `norms`, diagonal, of norms whose logarithms spread by t;
    `common`, I + t C 11', which a = p - q cannot see, since it sums to zero.

    Arrays: `levels` (l,); `cosine` (l,), mean absolute cosine in the first family; and for each
    family F: `F_ratio` (l, 3), the 5 %, 50 % and 95 % quantile of the ratio; `F_bound` (l, 2), the
    medians of its bounds by the spectrum of G / c^2 - I; `F_rank` (l,), Spearman's correlation of
    GraNd with EL2N-SL over the draws. Values: `F_near`, the share of levels at which 90 % of the
    ratios are within 5 % of 1; `F_outside`, the most by which a ratio leaves its bounds;
    `common_error`, the most by which a ratio of that family leaves 1.
    Draws: "examples" of `ctx`, the same at every level.
    """
    arrays = {"levels": np.array(params.levels)}
    values: dict[str, Json] = {}
    for family, gram_of in FAMILIES.items():
        ratios, bounds, ranks = [], [], []
        for level in params.levels:
            generator = Generator().manual_seed(ctx.derive("examples"))
            p, q = (_answers(params, generator) for _ in range(2))
            gram = gram_of(params, level, generator)
            exact = formulas.grand(p, q, gram, params.temperature)
            score = formulas.el2n_sl(p, q, params.temperature)
            ratios.append(exact / score)
            bounds.append(formulas.bounds(gram, 1.0))
            ranks.append(spearmanr(exact, score).statistic)
        ratio, bound = np.array(ratios), np.array(bounds)
        low, _, high = spread = np.quantile(ratio, QUANTILES, axis=1)
        arrays[f"{family}_ratio"] = spread.T
        arrays[f"{family}_bound"] = np.median(bound, axis=2)
        arrays[f"{family}_rank"] = np.array(ranks)
        values[f"{family}_near"] = float(((low > 1 - NEAR) & (high < 1 + NEAR)).mean())
        outside = np.maximum(bound[:, 0] - ratio, ratio - bound[:, 1])
        values[f"{family}_outside"] = max(0.0, float(outside.max()))
        if family == "common":
            values["common_error"] = float(np.abs(ratio - 1).max())
    arrays["cosine"] = np.array([_mean_cosine(params, level, ctx) for level in params.levels])
    return StepResult(values, arrays)


def _answers(params: DegradationParams, generator: Generator) -> np.ndarray:
    """Softened answers (draws, classes) of drawn logits."""
    shape = (params.draws, params.classes)
    logits = drawn.logits(shape, params.largest_logit, generator)
    return formulas.answer(logits, params.temperature)


def _cosines(params: DegradationParams, level: float, generator: Generator) -> np.ndarray:
    rows = drawn.normal((params.draws, params.classes, params.rank), generator)
    rows /= np.linalg.norm(rows, axis=-1, keepdims=True)
    return (1 - level) * np.eye(params.classes) + level * rows @ rows.swapaxes(-1, -2)


def _norms(params: DegradationParams, level: float, generator: Generator) -> np.ndarray:
    squares = np.exp(2 * level * drawn.normal((params.draws, params.classes), generator))
    squares /= squares.mean(axis=1, keepdims=True)
    return squares[..., None] * np.eye(params.classes)


def _common(params: DegradationParams, level: float, generator: Generator) -> np.ndarray:
    gram = np.eye(params.classes) + level * params.classes
    return np.broadcast_to(gram, (params.draws, *gram.shape))


FAMILIES: Mapping[str, Callable[[DegradationParams, float, Generator], np.ndarray]] = {
    "cosines": _cosines,
    "norms": _norms,
    "common": _common,
}


def _mean_cosine(params: DegradationParams, level: float, ctx: StepContext) -> float:
    generator = Generator().manual_seed(ctx.derive("cosine"))
    gram = np.abs(_cosines(params, level, generator))
    return float(gram[:, ~np.eye(params.classes, dtype=bool)].mean())
