"""The lines of the proof of Lemma 1 (supplement, Section 4), as functions in float64.

f are logits, p their softmax at temperature T, q a target distribution, psi_k the gradient of logit
k in the weights, G the Gram matrix of the psi.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import null_space
from scipy.special import softmax

from harness.lab.measure.values import Floats


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
