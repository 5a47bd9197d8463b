"""Gradients of single examples: their norms, their products, and greedy choices by them.

With respect to the last layer, the gradient of an example's cross-entropy is g = [e, e h^T], with
e = softmax - one-hot and h the penultimate features. Such gradients are never written out, since
<g_i, g_j> = <e_i, e_j> (1 + <h_i, h_j>).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from harness.lab.coresets.pools import Pool, observed
from harness.lab.models.classifier import Classifier
from harness.lab.train.loop import Examples

GRADIENT_NUMBERS = 2**25
"""Numbers held at a time in gradients of single examples."""


TINY = np.finfo(np.float64).tiny


AT_ONCE = 128
"""Gains that are computed together: a few loops of Python save many."""


def norms(classifier: Classifier, examples: Examples, gradient: str) -> np.ndarray:
    """Norm (n,) of each example's gradient, in all parameters or in those of the last layer.

    Gradients are taken in the type of the weights, whatever training computed in.
    """
    precision = "float64" if classifier.precision == "float64" else "float32"
    plain = replace(classifier, precision=precision)
    found = all_parameter_norms if gradient == "all-parameters" else last_layer_norms
    return found(plain, examples).cpu().numpy()


def all_parameter_norms(classifier: Classifier, examples: Examples) -> Tensor:
    """Norm (n,) of the gradient of each example's cross-entropy in all parameters."""
    network = classifier.network.eval()
    weights = {name: tensor.detach() for name, tensor in network.named_parameters()}

    def loss(weights: dict[str, Tensor], image: Tensor, label: Tensor) -> Tensor:
        logits = torch.func.functional_call(network, weights, (image[None],))
        return functional.cross_entropy(logits, label[None])

    gradients = torch.func.vmap(torch.func.grad(loss), in_dims=(None, 0, 0))
    at_once = max(1, GRADIENT_NUMBERS // sum(tensor.numel() for tensor in weights.values()))
    parts = []
    batches = zip(examples.images.split(at_once), examples.labels.split(at_once), strict=True)
    for images, labels in batches:
        found = gradients(weights, classifier.normalised(classifier.pixels(images)), labels)
        squares = [tensor.flatten(1).square().sum(dim=1) for tensor in found.values()]
        parts.append(torch.stack(squares).sum(dim=0).sqrt())
    return torch.cat(parts)


def last_layer_norms(classifier: Classifier, examples: Examples) -> Tensor:
    """Norm (n,) of [e, e h^T]: that of e = softmax - one-hot times that of [1, h]."""
    parts, start = [], 0
    for features, logits in observed(classifier, examples):
        labels = examples.labels[start : start + len(logits)]
        start += len(logits)
        wrong = logits.softmax(dim=1) - functional.one_hot(labels, logits.shape[1])
        with_bias = 1 + features.square().sum(dim=1)
        parts.append(torch.linalg.vector_norm(wrong, dim=1) * with_bias.sqrt())
    return torch.cat(parts)


def errors(log_probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Softmax minus one-hot, (n, classes): the gradient of the cross-entropy in the logits.

    The entry of the true class is minus the sum of the others, which keeps its digits where the
    probability is almost 1.
    """
    wrong: np.ndarray = np.exp(log_probabilities)
    every = np.arange(len(labels))
    wrong[every, labels] = 0
    wrong[every, labels] = -wrong.sum(axis=1)
    return wrong


def scaled_errors(pool: Pool, batch_size: int) -> np.ndarray:
    """`errors` of a pool; over the size of each example's batch if `batch_size` is not 0.

    Batches go through the pool in its order, and the last may be smaller.
    """
    wrong = errors(pool.log_probabilities, pool.labels)
    if not batch_size:
        return wrong
    begun = np.arange(len(pool)) // batch_size * batch_size
    scaled: np.ndarray = wrong / np.minimum(batch_size, len(pool) - begun)[:, None]
    return scaled


def products(pool: Pool, batch_size: int = 0) -> np.ndarray:
    """Inner products of the last-layer gradients, float64 (n, n)."""
    wrong = scaled_errors(pool, batch_size)
    inner: np.ndarray = (wrong @ wrong.T) * (1 + pool.features @ pool.features.T)
    return inner


def cosine_similarity(inner: np.ndarray) -> np.ndarray:
    """1/2 + cosine/2 from inner products, in [0, 1]; a gradient of 0 has cosine 0 with others."""
    norms = np.sqrt(inner.diagonal())
    cosine = inner / np.maximum(np.outer(norms, norms), TINY)
    np.fill_diagonal(cosine, 1.0)
    similarity: np.ndarray = 0.5 + 0.5 * cosine.clip(-1, 1)
    return similarity


def distances(inner: np.ndarray) -> np.ndarray:
    """Euclidean distances from inner products."""
    squares = inner.diagonal()
    apart: np.ndarray = np.sqrt((squares[:, None] + squares[None] - 2 * inner).clip(min=0))
    return apart


class FacilityLocation:
    """f(S) = sum over i of max over j in S of s_ij, for symmetric s >= 0; f of nothing is 0.

    It is submodular: the gain of a row never rises as others come in.
    """

    def __init__(self, similarity: np.ndarray) -> None:
        self._similarity = similarity
        self._covered = np.zeros(len(similarity))

    def __len__(self) -> int:
        return len(self._similarity)

    def gains(self, rows: np.ndarray) -> np.ndarray:
        """The gain (k,) of each of `rows` (k,), if it came in next."""
        found: np.ndarray = np.maximum(self._similarity[rows] - self._covered, 0).sum(axis=1)
        return found

    def add(self, row: int) -> None:
        np.maximum(self._covered, self._similarity[row], out=self._covered)


def lazy_greedy(
    function: FacilityLocation, count: int, at_once: int = AT_ONCE
) -> tuple[np.ndarray, np.ndarray]:
    """Rows (count,) in the order of the greedy choice, and their gains; ties to the lowest row.

    A gain is only computed anew where its last value, which bounds it from above, is among the
    `at_once` largest (Minoux 1978): the choice is that of the plain greedy algorithm.
    """
    bounds = np.full(len(function), np.inf)
    stale = np.ones(len(function), bool)
    rows: list[int] = []
    gains: list[float] = []
    while len(rows) < count:
        best = int(bounds.argmax())
        if stale[best]:
            old = np.flatnonzero(stale)
            last = min(at_once, len(old)) - 1
            largest = old[np.argpartition(-bounds[old], last)[:at_once]]
            bounds[largest] = function.gains(largest)
            stale[largest] = False
            continue
        rows.append(best)
        gains.append(float(bounds[best]))
        function.add(best)
        bounds[best] = -np.inf
        stale = bounds > -np.inf
    return np.array(rows), np.array(gains)


def graph_cut(
    similarity: np.ndarray, trade_off: float, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """The same for f(S) = lambda x (s of all to those in S) - (s among those in S), s symmetric.

    A choice lowers all gains by twice a row of s, which is cheaper than putting any of them off.
    """
    left = trade_off * similarity.sum(axis=1) - similarity.diagonal()
    rows = np.empty(count, np.int64)
    gains = np.empty(count)
    for number in range(count):
        row = left.argmax()
        rows[number], gains[number] = row, left[row]
        left -= 2 * similarity[row]
        left[row] = -np.inf
    return rows, gains


def glister(
    pool: Pool, count: int, step_size: float, update: bool, batch_size: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Rows (count,) in the order chosen, and their gains <g_i, G>.

    g_i is an example's gradient in the last layer, G the mean gradient of the pool after the layer
    has moved by -step_size x (sum of the chosen g). Without `update` it never moves, as in
    DeepCore, whose optimiser asks for the update by another name. Ties go to the lowest row.
    """
    given = np.hstack([np.ones((len(pool), 1)), pool.features])
    own = wrong = scaled_errors(pool, batch_size)
    logits = pool.logits.copy()
    rows: list[int] = []
    gains = []
    while len(rows) < count:
        mean = wrong.T @ given / len(pool)
        gain = ((own @ mean) * given).sum(axis=1)
        gain[rows] = -np.inf
        best = int(gain.argmax())
        rows.append(best)
        gains.append(gain[best])
        if update:
            logits -= step_size * np.outer(given @ given[best], own[best])
            moved = replace(pool, logits=logits)
            wrong = scaled_errors(moved, batch_size)
    return np.array(rows), np.array(gains)
