"""Gram matrices of the gradients of logits during training, and the rankings that follow."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import torch
from scipy.stats import spearmanr
from torch import Tensor
from torch.func import functional_call, jacrev, vmap

from harness.lab.measure.lemma import formulas
from harness.lab.measure.lemma.lemma1 import GramParams
from harness.lab.measure.values import Floats
from harness.lab.models.classifier import Classifier
from harness.lab.models.running import last_linear
from harness.lab.train.loop import Examples, training
from harness.lab.train.schedule import batch_sizes
from harness.plan.step import StepContext

NUMBERS = 2**24
"""Most numbers of the psi that are in memory at once."""
PARTS = ("all", "last")
"""All parameters, and those of the last layer."""
QUANTILES = (0.05, 0.5, 0.95)
HARDEST = 0.3
"""Share of the examples that a selection would keep."""


def measured_run(
    params: GramParams, examples: Examples, chosen: Examples, ctx: StepContext
) -> dict[str, Floats]:
    """One run: `logits` (epochs, n, classes) and Gram matrices (epochs, n, classes, classes)."""
    recipe, classes = params.recipe, params.dataset.classes
    classifier = Classifier.fresh(
        params.network, params.dataset, ctx.device, recipe.precision, ctx.derive("init")
    )
    shape = (len(params.epochs), len(chosen), classes)
    kept = {"logits": torch.empty(shape, dtype=torch.float64)}
    kept |= {part: torch.empty(*shape, classes, dtype=torch.float64) for part in PARTS}

    def measure(row: int) -> None:
        for name, found in gradients_of_logits(classifier, chosen).items():
            kept[name][row] = found

    if params.epochs[0] == 0:
        measure(0)
    per_epoch = len(batch_sizes(len(examples), recipe.batch_size, len(examples)))
    rows = {epoch * per_epoch: row for row, epoch in enumerate(params.epochs)}
    whole = recipe.run_epochs * len(examples)
    if params.epochs[-1] > 0:
        for update in training(classifier, examples, recipe, whole, ctx, kept=kept):
            if update.number in rows:
                measure(rows[update.number])
            if update.number == max(rows):
                break
    return {name: tensor.numpy() for name, tensor in kept.items()}


def gradients_of_logits(classifier: Classifier, examples: Examples) -> dict[str, Tensor]:
    """`logits` (n, classes) and the Gram matrices of their gradients, float64, on the CPU.

    `all` and `last` (n, classes, classes): inner products of the gradients of an example's logits
    in all parameters and in those of the last layer. Evaluation mode.
    """
    network = deepcopy(classifier.network).double().eval()
    wide = Classifier(network, classifier.dataset, classifier.device, "float64")
    weights = {name: tensor.detach() for name, tensor in network.named_parameters()}
    own = {id(tensor) for tensor in last_linear(network).parameters()}
    last = [name for name, tensor in network.named_parameters() if id(tensor) in own]

    def answer(weights: dict[str, Tensor], image: Tensor) -> tuple[Tensor, Tensor]:
        logits = functional_call(network, weights, (image[None],))[0]
        return logits, logits

    slopes = vmap(jacrev(answer, has_aux=True), in_dims=(None, 0))
    numbers = sum(map(torch.numel, weights.values())) * classifier.dataset.classes
    parts: list[dict[str, Tensor]] = []
    for images in examples.images.split(max(1, NUMBERS // numbers)):
        found, logits = slopes(weights, wide.shown(images))
        grams = {name: slope.flatten(2) @ slope.flatten(2).mT for name, slope in found.items()}
        parts.append(
            {
                "logits": logits,
                "all": sum(grams.values()),
                "last": sum(grams[name] for name in last),
            }
        )
    return {name: torch.cat([part[name] for part in parts]).cpu() for name in parts[0]}


def spreads(grams: Floats) -> dict[str, Floats]:
    """Differences of Gram matrices (epochs, n, classes, classes) from c^2 I."""
    norms = np.sqrt(np.diagonal(grams, axis1=-2, axis2=-1))
    c = formulas.usual_norm(grams)
    cosines = grams / (norms[..., None] * norms[..., None, :])
    apart = cosines[..., ~np.eye(grams.shape[-1], dtype=bool)]
    return {
        "cosine": np.quantile(apart, QUANTILES, axis=(1, 2)).T,
        "norms": (norms.std(axis=2) / c).mean(axis=1),
        "c": c.std(axis=1) / c.mean(axis=1),
        "bound": np.median(formulas.bounds(grams, c), axis=2).T,
    }


def rank_agreement(
    runs: list[dict[str, Floats]], part: str, target: Floats, heat: float
) -> dict[str, Floats]:
    """Agreement of the orders of the images by GraNd and by the score, each (epochs,)."""
    exact, score, scaled = [], [], []
    for run in runs:
        p = formulas.answer(run["logits"], heat)
        norm = formulas.el2n_sl(p, target, heat)
        exact.append(formulas.grand(p, target, run[part], heat))
        score.append(norm)
        scaled.append(formulas.usual_norm(run[part]) * norm)
    truth = np.mean(exact, axis=0)
    pairs = {"rank": np.mean(score, axis=0), "c_rank": np.mean(scaled, axis=0)}
    found = {
        name: np.array([spearmanr(*pair).statistic for pair in zip(truth, other, strict=True)])
        for name, other in pairs.items()
    }
    hardest = round(HARDEST * truth.shape[1])
    both = np.stack([truth, pairs["rank"]]).argsort(axis=2, kind="stable")[..., -hardest:]
    kept = [len(np.intersect1d(one, other)) / hardest for one, other in both.swapaxes(0, 1)]
    return found | {"kept": np.array(kept)}
