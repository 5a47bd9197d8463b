"""Families of Gram matrices ever further from Assumption 1 of Lemma 1."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from torch import Generator

from harness.lab.measure.lemma import drawn, formulas
from harness.lab.measure.lemma.lemma1 import DegradationParams
from harness.lab.measure.values import Floats
from harness.plan.step import StepContext

QUANTILES = (0.05, 0.5, 0.95)
NEAR = 0.05


def answers(params: DegradationParams, generator: Generator) -> Floats:
    """Softened answers (draws, classes) of drawn logits."""
    shape = (params.draws, params.classes)
    logits = drawn.logits(shape, params.largest_logit, generator)
    return formulas.answer(logits, params.temperature)


def _cosines(params: DegradationParams, level: float, generator: Generator) -> Floats:
    rows = drawn.normal((params.draws, params.classes, params.rank), generator)
    rows /= np.linalg.norm(rows, axis=-1, keepdims=True)
    return (1 - level) * np.eye(params.classes) + level * rows @ rows.swapaxes(-1, -2)


def _norms(params: DegradationParams, level: float, generator: Generator) -> Floats:
    squares = np.exp(2 * level * drawn.normal((params.draws, params.classes), generator))
    squares /= squares.mean(axis=1, keepdims=True)
    return squares[..., None] * np.eye(params.classes)


def _common(params: DegradationParams, level: float, generator: Generator) -> Floats:
    gram = np.eye(params.classes) + level * params.classes
    return np.broadcast_to(gram, (params.draws, *gram.shape))


FAMILIES: Mapping[str, Callable[[DegradationParams, float, Generator], Floats]] = {
    "cosines": _cosines,
    "norms": _norms,
    "common": _common,
}


def mean_cosine(params: DegradationParams, level: float, ctx: StepContext) -> float:
    """Mean absolute cosine of two psi in the family `cosines`."""
    generator = Generator().manual_seed(ctx.derive("cosine"))
    gram = np.abs(_cosines(params, level, generator))
    return float(gram[:, ~np.eye(params.classes, dtype=bool)].mean())
