"""The lines of the proof of Lemma 1 (supplement, Section 4), as functions in float64.

f are logits, p their softmax at temperature T, q a target distribution, psi_k the gradient of logit
k in the weights, G the Gram matrix of the psi. For checking them: drawn logits and targets, and
families of Gram matrices ever further from Assumption 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch
from scipy.linalg import null_space
from scipy.special import softmax
from torch import Generator

from harness.lab.measure.lemma.lemma1 import DegradationParams
from harness.lab.measure.values import Floats
from harness.plan.step import StepContext


def answer(logits: Floats, temperature: float) -> Floats:
    """p (..., classes)."""
    p: Floats = softmax(logits / temperature, axis=-1)
    return p


def softmax_derivative(p: Floats, temperature: float) -> Floats:
    """dp_i / df_k at (k, i): p_i (delta_ik - p_k) / T."""
    return (np.diag(p) - np.outer(p, p)) / temperature


def loss_gradient(p: Floats, q: Floats, temperature: float) -> Floats:
    """dKL(q || p) / df_k: (p_k - q_k) / T."""
    return (p - q) / temperature


def loss_gradient_t2(p: Floats, q: Floats, temperature: float) -> Floats:
    """d(T^2 KL(q || p)) / df_k, in the form of Hinton et al.: T (p_k - q_k)."""
    return (p - q) * temperature


def grand(p: Floats, q: Floats, gram: Floats, temperature: float) -> Floats:
    """||sum_k (p_k - q_k) psi_k|| / T, exactly: sqrt(a'Ga) / T with a = p - q.

    (...) from p and q (..., classes) and Gram matrices (..., classes, classes).
    """
    a = p - q
    norm: Floats = np.sqrt(np.maximum(0, np.einsum("...i,...ij,...j", a, gram, a)))
    return norm / temperature


def el2n_sl(p: Floats, q: Floats, temperature: float) -> Floats:
    """||p - q|| / T (...); c times it is GraNd under Assumption 1."""
    norm: Floats = np.linalg.norm(p - q, axis=-1)
    return norm / temperature


def usual_norm(gram: Floats) -> Floats:
    """The root mean square c (...) of the norms of the psi."""
    c: Floats = np.sqrt(np.diagonal(gram, axis1=-2, axis2=-1).mean(axis=-1))
    return c


def bounds(gram: Floats, c: Floats | float) -> tuple[Floats, Floats]:
    """Least and greatest GraNd over c EL2N-SL (...), by the spectrum of G / c^2 - I.

    Only among vectors that sum to zero, as p - q does: G = c^2 I + s 11' leaves both at 1. Each is
    attained by some such vector. Gram matrices (..., classes, classes), c (...).
    """
    count = gram.shape[-1]
    apart = gram / np.asarray(c)[..., None, None] ** 2 - np.eye(count)
    basis = null_space(np.ones((1, count)))
    eigenvalues = np.linalg.eigvalsh(basis.T @ apart @ basis)
    return (
        np.sqrt(np.maximum(0, 1 + eigenvalues[..., 0])),
        np.sqrt(np.maximum(0, 1 + eigenvalues[..., -1])),
    )


SMALLEST = 0.1
"""The smallest size of a case's largest logit."""
TARGETS = ("one-hot", "near-uniform", "teacher")


def uniform(shape: tuple[int, ...], generator: Generator) -> Floats:
    """float64, in [0, 1)."""
    return torch.rand(shape, generator=generator, dtype=torch.float64).numpy()


def normal(shape: tuple[int, ...], generator: Generator) -> Floats:
    """float64, of variance 1."""
    return torch.randn(shape, generator=generator, dtype=torch.float64).numpy()


def logits(shape: tuple[int, ...], largest: float, generator: Generator) -> Floats:
    """Uniform up to a size drawn for each row, even in its logarithm up to `largest`."""
    size = largest * (SMALLEST / largest) ** uniform((*shape[:-1], 1), generator)
    return size * (2 * uniform(shape, generator) - 1)


def target(
    kind: str, classes: int, largest: float, temperature: float, generator: Generator
) -> Floats:
    """A distribution (classes,): one-hot, within 1 % of uniform, or a drawn teacher's answer."""
    if kind == "one-hot":
        chosen: Floats = np.eye(classes)[int(classes * uniform((), generator))]
        return chosen
    spread = 0.01 if kind == "near-uniform" else largest / temperature
    weights: Floats = np.exp(spread * (uniform((classes,), generator) - 1))
    share: Floats = weights / weights.sum()
    return share


QUANTILES = (0.05, 0.5, 0.95)
NEAR = 0.05


def answers(params: DegradationParams, generator: Generator) -> Floats:
    """Softened answers (draws, classes) of drawn logits."""
    shape = (params.draws, params.classes)
    return answer(logits(shape, params.largest_logit, generator), params.temperature)


def _cosines(params: DegradationParams, level: float, generator: Generator) -> Floats:
    rows = normal((params.draws, params.classes, params.rank), generator)
    rows /= np.linalg.norm(rows, axis=-1, keepdims=True)
    return (1 - level) * np.eye(params.classes) + level * rows @ rows.swapaxes(-1, -2)


def _norms(params: DegradationParams, level: float, generator: Generator) -> Floats:
    squares = np.exp(2 * level * normal((params.draws, params.classes), generator))
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
