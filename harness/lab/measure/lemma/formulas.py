"""The lines of the proof of Lemma 1 (supplement, Section 4), as functions in float64.

f are logits, p their softmax at temperature T, q a target distribution, psi_k the gradient of logit
k in the weights, G the Gram matrix of the psi.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import null_space
from scipy.special import softmax


def answer(logits: np.ndarray, temperature: float) -> np.ndarray:
    """p (..., classes)."""
    return softmax(logits / temperature, axis=-1)


def softmax_derivative(p: np.ndarray, temperature: float) -> np.ndarray:
    """dp_i / df_k at (k, i): p_i (delta_ik - p_k) / T."""
    return (np.diag(p) - np.outer(p, p)) / temperature


def loss_gradient(p: np.ndarray, q: np.ndarray, temperature: float) -> np.ndarray:
    """dKL(q || p) / df_k: (p_k - q_k) / T."""
    return (p - q) / temperature


def loss_gradient_t2(p: np.ndarray, q: np.ndarray, temperature: float) -> np.ndarray:
    """The same of T^2 KL(q || p), the form of Hinton et al.: T (p_k - q_k)."""
    return (p - q) * temperature


def grand(p: np.ndarray, q: np.ndarray, gram: np.ndarray, temperature: float) -> np.ndarray:
    """||sum_k (p_k - q_k) psi_k|| / T, exactly: sqrt(a'Ga) / T with a = p - q.

    (...) from p and q (..., classes) and Gram matrices (..., classes, classes).
    """
    a = p - q
    return np.sqrt(np.maximum(0, np.einsum("...i,...ij,...j", a, gram, a))) / temperature


def el2n_sl(p: np.ndarray, q: np.ndarray, temperature: float) -> np.ndarray:
    """||p - q|| / T (...); times c, what GraNd is under Assumption 1."""
    return np.linalg.norm(p - q, axis=-1) / temperature


def usual_norm(gram: np.ndarray) -> np.ndarray:
    """c (...): the root mean square of the norms of the psi."""
    return np.sqrt(np.diagonal(gram, axis1=-2, axis2=-1).mean(axis=-1))


def bounds(gram: np.ndarray, c: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
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
