"""Scores and choices by the gradients of single examples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch
from scipy.special import log_softmax
from torch import Tensor
from torch.nn import functional

from harness.lab.coresets.el2n import early_networks
from harness.lab.coresets.pools import Choice, Pool, observed, selection
from harness.lab.coresets.steps import GlisterParams, GrandParams
from harness.lab.data import sets
from harness.lab.models.classifier import Classifier
from harness.lab.train.loop import Examples
from harness.plan.step import StepContext, StepInput, StepResult

GRADIENT_NUMBERS = 2**25
"""Numbers held at a time in gradients of single examples."""


def grand_score(
    params: GrandParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> StepResult:
    """Norm of the gradient of each example's cross-entropy, mean over `runs` (Paul et al. 2021).

    Networks as in `el2n_score`, evaluation mode, un-augmented, with respect to all parameters or to
    those of the last layer. Reduction `mean` is DeepCore's: the gradient is that of the mean loss
    of the example's batch, so that the members of the last, smaller batch come out larger.
    Array `score` (n,), float32: high is hard.
    """
    train = sets.load(params.dataset).train
    examples = Examples.on(ctx.device, train.images, train.labels)
    norms = all_parameter_norms if params.gradient == "all-parameters" else last_layer_norms
    total = np.zeros(len(examples))
    for classifier in early_networks(params, examples, ctx):
        # Gradients are taken in the type of the weights, whatever training computed in.
        plain = replace(classifier, precision=_precision(classifier))
        total += norms(plain, examples).cpu().numpy()
    score = total / params.runs
    if params.reduction == "mean":
        size = params.recipe.batch_size
        score /= np.minimum(size, len(score) - np.arange(len(score)) // size * size)
    return StepResult({}, {"score": score.astype(np.float32)})


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


def _precision(classifier: Classifier) -> str:
    return "float64" if classifier.precision == "float64" else "float32"


def select_glister(
    params: GlisterParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> StepResult:
    """Greedy descent of the validation loss in the last layer (GLISTER, Killamsetty et al. 2021).

    The pool itself is the validation set, as by default in DeepCore. Arrays `indices` and `labels`,
    int64, and `gains`, float64, in order of choice.
    """

    def choose(pool: Pool, count: int) -> Choice:
        rows, gains = glister(pool, count, params.step_size, params.update)
        return Choice(rows, {"gains": gains})

    return selection(params, params.balanced, inputs, ctx, choose)


def glister(
    pool: Pool, count: int, step_size: float, update: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Rows (count,) in the order chosen, and their gains <g_i, G>.

    g_i is an example's gradient in the last layer, G the mean gradient of the pool after the layer
    has moved by -step_size x (sum of the chosen g). Without `update` it never moves, as in
    DeepCore, whose optimiser asks for the update by another name. Ties go to the lowest row.
    """
    given = np.hstack([np.ones((len(pool), 1)), pool.features])
    own = wrong = errors(pool.log_probabilities, pool.labels)
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
            wrong = errors(log_softmax(logits, axis=1), pool.labels)
    return np.array(rows), np.array(gains)


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
