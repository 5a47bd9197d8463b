"""Trajectory matching (TM, Cazenavette et al. 2022), and with difficulty aligned (DATM)."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import cycle, islice
from typing import Any

import torch
from torch import Generator, Tensor, nn

from harness.lab.distill.experts import Trajectories
from harness.lab.distill.objectives import tm_loss, unrolled
from harness.lab.distill.steps import DatmParams, TmParams
from harness.lab.distill.synthesis import (
    Reals,
    augmented,
    classes_of,
    descend,
    first_images,
    fresh,
    synthesised,
)
from harness.lab.models.classifier import SCORED_AT_ONCE, Classifier
from harness.lab.train.dsa import Independent
from harness.lab.train.loop import Examples, random_batches
from harness.lab.train.schedule import batch_sizes
from harness.plan.step import StepContext, StepInput, StepResult


def distill_tm(params: TmParams, inputs: Mapping[str, StepInput], ctx: StepContext) -> StepResult:
    """Move images until a few steps on them lead where an expert got by epochs on real ones.

    At each iteration: an expert's weights at an epoch in [0, t_plus); n steps of SGD on augmented
    synthetic batches; the distance to the expert m epochs later. Images and the rate of those steps
    are learned, whitened where the experts read whitened images. The record is that of
    `synthesised`, with the value `learning_rate`.
    Draws: "first" and "synthesis" of `ctx`.
    """
    reals, trajectories = Reals.of(params, ctx.device), Trajectories.of(inputs["experts"])
    classifier = fresh(params, ctx.device, seed=0, zca=trajectories.zca)
    first = Generator().manual_seed(ctx.derive("first"))
    images, _ = first_images(params, reals, classifier.shown, first)
    learned = nn.ParameterDict({"images": images, "rate": first_rate(params, images)})
    optimizer = torch.optim.SGD(pixels_and_rate(params, learned))
    labels = classes_of(params).to(ctx.device)

    def iterate(number: int, drawn: Generator) -> float:
        start, target = trajectories.drawn(0, params.t_plus, params.m, ctx.device, drawn)
        loss = matching_loss(params, classifier, learned, labels, start, target, drawn)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()

    losses = descend(learned, optimizer, params.iterations, ctx, iterate)
    images = classifier.scaled(learned["images"])
    return synthesised(params, images, losses, {"learning_rate": learned["rate"].item()})


def distill_datm(
    params: DatmParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> StepResult:
    """As `distill_tm`, with learned soft labels and a window of starting epochs (Guo et al. 2024).

    Images begin as real ones that an expert classifies correctly, their labels as the mean logits
    of the experts that do. The window is [t_minus, upper), where `upper` grows from `t_first` to
    `t_plus` over the first `expansion` iterations. An iteration whose loss exceeds `skip_above`
    changes nothing. Beside what `distill_tm` leaves: array `soft_labels` (n, classes), logits;
    `labels` are their largest classes.
    """
    reals, trajectories = Reals.of(params, ctx.device), Trajectories.of(inputs["experts"])
    classifier = fresh(params, ctx.device, seed=0, zca=trajectories.zca)
    logits, right = verdicts(classifier, reals.examples, trajectories)
    if params.initial_images == "correctly-classified":
        reals = reals.among(right.any(dim=0).cpu())
    first = Generator().manual_seed(ctx.derive("first"))
    images, rows = first_images(params, reals, classifier.shown, first)
    learned = nn.ParameterDict(
        {
            "images": images,
            "rate": first_rate(params, images),
            "logits": mean_of_right(logits[:, rows], right[:, rows]),
        }
    )
    labels = {
        "params": [learned["logits"]],
        "lr": params.learning_rate_labels,
        "momentum": params.momentum_labels,
    }
    optimizer = torch.optim.SGD([*pixels_and_rate(params, learned), labels])

    def iterate(number: int, drawn: Generator) -> float:
        window = (params.t_minus, upper_bound(params, number))
        start, target = trajectories.drawn(*window, params.m, ctx.device, drawn)
        targets = learned["logits"].softmax(dim=1)
        loss = matching_loss(params, classifier, learned, targets, start, target, drawn)
        if loss.item() <= params.skip_above:
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return loss.item()

    losses = descend(learned, optimizer, params.iterations, ctx, iterate)
    soft = learned["logits"].detach().cpu()
    return synthesised(
        params,
        classifier.scaled(learned["images"]),
        losses,
        {"learning_rate": learned["rate"].item()},
        {"soft_labels": soft.numpy(), "labels": soft.argmax(dim=1).numpy()},
    )


def matching_loss(
    params: TmParams,
    classifier: Classifier,
    learned: nn.ParameterDict,
    targets: Tensor,
    start: dict[str, Tensor],
    target: dict[str, Tensor],
    drawn: Generator,
) -> Tensor:
    """How far n steps on the synthetic images stay behind the expert's m epochs, as a share."""
    images, count = learned["images"], len(learned["images"])
    size = min(params.synthetic_batch_size or count, count)
    sizes = list(islice(cycle(batch_sizes(count, size, count)), params.n))
    batches = (
        (augmented(params, images[rows], Independent(drawn)), targets[rows])
        for rows in (batch.to(images.device) for batch in random_batches(count, sizes, drawn))
    )
    start = {name: weight.requires_grad_() for name, weight in start.items()}
    return tm_loss(start, unrolled(classifier.network, start, batches, learned["rate"]), target)


def first_rate(params: TmParams, images: Tensor) -> Tensor:
    return torch.tensor(params.first_learning_rate, dtype=images.dtype, device=images.device)


def pixels_and_rate(params: TmParams, learned: nn.ParameterDict) -> list[dict[str, Any]]:
    """The groups of the optimiser."""
    rates = {"images": params.learning_rate_pixels, "rate": params.learning_rate_rate}
    return [
        {"params": [learned[name]], "lr": rate, "momentum": params.momentum}
        for name, rate in rates.items()
    ]


def upper_bound(params: DatmParams, iteration: int) -> int:
    """Where the window of starting epochs ends, exclusive."""
    grown = params.t_plus - params.t_first
    return params.t_first + grown * min(iteration, params.expansion) // max(1, params.expansion)


@torch.no_grad()
def verdicts(
    classifier: Classifier, examples: Examples, trajectories: Trajectories
) -> tuple[Tensor, Tensor]:
    """What every expert says at its end: logits (experts, n, classes), and whether it is right."""
    said = []
    for expert in range(len(trajectories.files)):
        weights = trajectories.weights(expert, trajectories.epochs, classifier.device)
        parts = (classifier.shown(part) for part in examples.images.split(SCORED_AT_ONCE))
        said.append(
            torch.cat([torch.func.functional_call(classifier.network, weights, p) for p in parts])
        )
    logits = torch.stack(said)
    return logits, logits.argmax(dim=2) == examples.labels


def mean_of_right(logits: Tensor, right: Tensor) -> Tensor:
    """Mean logits (n, classes) of the experts that are right, or of all where none is."""
    counted = torch.where(right.any(dim=0), right, torch.ones_like(right)).to(logits.dtype)
    return (logits * counted[..., None]).sum(dim=0) / counted.sum(dim=0)[:, None]
