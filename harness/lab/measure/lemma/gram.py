"""Assumption 1 of Lemma 1 on real networks, and what it does to rankings, during training."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy

import numpy as np
import torch
from scipy.stats import spearmanr
from torch import Generator, Tensor, nn
from torch.func import functional_call, jacrev, vmap

from harness.lab.data import sets
from harness.lab.measure.lemma import formulas
from harness.lab.measure.lemma.steps import GramParams
from harness.lab.models.classifier import Classifier
from harness.lab.train.loop import Examples, training
from harness.lab.train.schedule import batch_sizes
from harness.plan.step import Json, StepContext, StepInput, StepResult

NUMBERS = 2**24
"""Most numbers of the psi that are in memory at once."""
PARTS = ("all", "last")
"""All parameters, and those of the last layer."""
QUANTILES = (0.05, 0.5, 0.95)
HARDEST = 0.3
"""Share of the examples that a selection would keep."""


def gram_during_training(
    params: GramParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> StepResult:
    """Gram matrices of the psi of drawn training images, at several epochs of several runs.

    Evaluation mode, un-augmented, in float64. For PART in `all` (parameters) and `last` (layer),
    arrays over the looks: `PART_cosine` (looks, 3), the 5 %, 50 % and 95 % quantile over images and
    pairs of classes of cos(psi_j, psi_k); `PART_norms` (looks,), the spread of the norms over k
    (standard deviation over root mean square), mean over images; `PART_c` (looks,), the spread of c
    over images; `PART_bound` (looks, 2), the median bounds of GraNd over c EL2N.
    For LABEL in `hard` (one-hot, T = 1: EL2N) and `soft` (the teacher at T: EL2N-SL), of scores
    averaged over the runs, as the lemma's expectation is: `PART_LABEL_rank` (looks,), Spearman's
    correlation of GraNd with the score; `PART_LABEL_c_rank`, of GraNd with the mean of c times the
    norm, so with c kept inside the expectation; `PART_LABEL_kept`, the share of the hardest 30 % by
    GraNd that are also the hardest 30 % by the score. Averages are over runs where not said.
    Array `epochs` (looks,); values: `X_end`, the last look of each other array X (looks,).
    Draws: "examples", and in each run "init", "order" and "augment" of `ctx`.
    """
    train = sets.load(params.dataset).train
    examples = Examples.on(ctx.device, train.images, train.labels)
    draws = Generator().manual_seed(ctx.derive("examples"))
    rows = torch.randperm(len(examples), generator=draws)[: params.examples].to(ctx.device)
    looked = Examples(examples.images[rows], examples.labels[rows])
    teacher = Classifier.stored(
        params.teacher, params.dataset, ctx.device, inputs["teacher"].tensors("weights")
    )
    taught = torch.cat(list(teacher.predict(looked.images))).double().cpu().numpy()
    targets = {
        "hard": (np.eye(params.dataset.classes)[looked.labels.cpu().numpy()], 1.0),
        "soft": (formulas.answer(taught, params.temperature), params.temperature),
    }
    runs = [
        _watched(params, examples, looked, ctx.part(run, params.runs)) for run in range(params.runs)
    ]
    arrays: dict[str, np.ndarray] = {"epochs": np.array(params.epochs)}
    for part in PARTS:
        shapes = [_shapes(run[part]) for run in runs]
        for name in shapes[0]:
            arrays[f"{part}_{name}"] = np.mean([shape[name] for shape in shapes], axis=0)
        for label, (target, heat) in targets.items():
            for name, ranks in _ranks(runs, part, target, heat).items():
                arrays[f"{part}_{label}_{name}"] = ranks
    values: dict[str, Json] = {
        f"{name}_end": float(array[-1])
        for name, array in arrays.items()
        if array.ndim == 1 and name != "epochs"
    }
    return StepResult(values, arrays)


def _watched(
    params: GramParams, examples: Examples, looked: Examples, ctx: StepContext
) -> dict[str, np.ndarray]:
    """Of one run: `logits` (looks, n, classes), and Gram matrices (looks, n, classes, classes)."""
    recipe, classes = params.recipe, params.dataset.classes
    classifier = Classifier.fresh(
        params.network, params.dataset, ctx.device, recipe.precision, ctx.derive("init")
    )
    shape = (len(params.epochs), len(looked), classes)
    kept = {"logits": torch.empty(shape, dtype=torch.float64)}
    kept |= {part: torch.empty(*shape, classes, dtype=torch.float64) for part in PARTS}

    def look(row: int) -> None:
        for name, found in gradients_of_logits(classifier, looked).items():
            kept[name][row] = found

    if params.epochs[0] == 0:
        look(0)
    per_epoch = len(batch_sizes(len(examples), recipe.batch_size, len(examples)))
    rows = {epoch * per_epoch: row for row, epoch in enumerate(params.epochs)}
    whole = recipe.run_epochs * len(examples)
    if params.epochs[-1] > 0:
        for update in training(classifier, examples, recipe, whole, ctx, kept=kept):
            if update.number in rows:
                look(rows[update.number])
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
    linear = [module for module in network.modules() if isinstance(module, nn.Linear)][-1]
    own = {id(tensor) for tensor in linear.parameters()}
    last = [name for name, tensor in network.named_parameters() if id(tensor) in own]

    def answer(weights: dict[str, Tensor], image: Tensor) -> tuple[Tensor, Tensor]:
        logits = functional_call(network, weights, (image[None],))[0]
        return logits, logits

    slopes = vmap(jacrev(answer, has_aux=True), in_dims=(None, 0))
    numbers = sum(map(torch.numel, weights.values())) * classifier.dataset.classes
    parts: list[dict[str, Tensor]] = []
    for images in examples.images.split(max(1, NUMBERS // numbers)):
        found, logits = slopes(weights, wide.normalised(wide.pixels(images)))
        grams = {name: slope.flatten(2) @ slope.flatten(2).mT for name, slope in found.items()}
        parts.append(
            {
                "logits": logits,
                "all": sum(grams.values()),
                "last": sum(grams[name] for name in last),
            }
        )
    return {name: torch.cat([part[name] for part in parts]).cpu() for name in parts[0]}


def _shapes(grams: np.ndarray) -> dict[str, np.ndarray]:
    """How Gram matrices (looks, n, classes, classes) differ from c^2 I."""
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


def _ranks(
    runs: list[dict[str, np.ndarray]], part: str, target: np.ndarray, heat: float
) -> dict[str, np.ndarray]:
    """How the orders of the images by GraNd and by the score agree, each (looks,)."""
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
