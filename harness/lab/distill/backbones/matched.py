"""Matching the statistics of synthetic images in a backbone's layers to those of real ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import torch
from safetensors.torch import load_file
from torch import Generator, Tensor, nn
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm as BatchNorm

from harness.errors import UserError
from harness.lab.distill.backbones.methods import EdcParams, MatchParams
from harness.lab.distill.backbones.moments import MOMENTS, Moments, layers_of, moments_of
from harness.lab.distill.recovery import ImageBatch, Recovered, Recovery, batched, running
from harness.lab.distill.synthesis import some_seed
from harness.lab.models.classifier import Classifier
from harness.lab.models.running import layer_inputs
from harness.lab.train.dsa import Siamese, dsa, groups
from harness.plan.step import StepContext, StepInput

SPECTRUM_SIDE = 32
"""Pixels to which images are shrunk before their spectrum is taken."""


@dataclass(frozen=True)
class Backbone:
    """A network in evaluation mode, and the statistics of the training split in its layers."""

    classifier: Classifier
    layers: Mapping[str, nn.Module]
    targets: Mapping[str, Moments]
    """`layer/kind` -> mean and variance, (groups,); those of a BatchNorm layer are its own."""
    classes: Mapping[str, Moments]
    """`layer/kind` -> moments of each class, (classes, groups); empty if not measured."""

    @classmethod
    def of(
        cls,
        params: MatchParams,
        number: int,
        inputs: Mapping[str, StepInput],
        ctx: StepContext,
        by_class: bool,
    ) -> Backbone:
        """Raises `UserError` if it has no layer to match."""
        name = params.networks[number]
        classifier = Classifier.stored(
            name,
            params.dataset,
            ctx.device,
            inputs[f"teacher.{number}"].tensors("weights"),
            params.precision,
        )
        classifier.network.eval()
        layers = layers_of(classifier.network, name)
        measured = inputs[f"statistics.{number}"]
        targets = {
            f"{path}/channel": running(layer)
            for path, layer in layers.items()
            if isinstance(layer, BatchNorm)
        }
        targets |= _paired(load_file(measured.tensors("statistics")), classifier)
        classes = load_file(measured.tensors("classes")) if by_class else {}
        return cls(classifier, layers, targets, _paired(classes, classifier))


def _paired(tensors: Mapping[str, Tensor], classifier: Classifier) -> dict[str, Moments]:
    """`layer/kind/moment` -> tensor, as `layer/kind` -> mean and variance on the device."""
    near = {name: t.to(classifier.device, classifier.dtype) for name, t in tensors.items()}
    keys = dict.fromkeys(name.rpartition("/")[0] for name in near)
    return {key: (near[f"{key}/mean"], near[f"{key}/variance"]) for key in keys}


def backbones_of(
    params: MatchParams, inputs: Mapping[str, StepInput], ctx: StepContext, by_class: bool = False
) -> list[Backbone]:
    """Raises `UserError` unless there are a teacher and its statistics for each network."""
    for kind in ("teacher", "statistics"):
        given = sum(name.startswith(f"{kind}.") for name in inputs)
        if given != len(params.networks):
            raise UserError(
                f"{len(params.networks)} networks are named, but there are {given} inputs "
                f"'{kind}'; give one for each network, in their order"
            )
    numbers = range(len(params.networks))
    return [Backbone.of(params, number, inputs, ctx, by_class) for number in numbers]


@dataclass(frozen=True)
class Averages:
    """Moving averages of the statistics that each backbone finds in the images of one batch."""

    decay: float
    from_first: bool
    """Whether the average begins as the statistics of the first pass; else it begins at zero."""
    held: dict[str, Tensor]
    """For each `backbone/layer/kind` its `mean`, its `variance`, and the number of `passes`."""

    @classmethod
    def fresh(cls, params: MatchParams, backbones: list[Backbone]) -> Averages:
        held = {}
        for number, backbone in enumerate(backbones):
            for key, target in backbone.targets.items():
                for moment, values in zip(MOMENTS, target, strict=True):
                    held[f"{number}/{key}/{moment}"] = torch.zeros_like(values)
                held[f"{number}/{key}/passes"] = torch.zeros((), dtype=torch.int64)
        return cls(params.ema, params.ema_start == "first", held)

    def after(self, key: str, present: Moments) -> Moments:
        """The average once `present` has joined it; its slope is that of `present` alone."""
        passes = self.held[f"{key}/passes"]
        share = 0.0 if self.from_first and passes == 0 else self.decay
        passes += 1
        averaged = []
        for moment, found in zip(MOMENTS, present, strict=True):
            past = self.held[f"{key}/{moment}"]
            past.mul_(share).add_(found.detach(), alpha=1 - share)
            averaged.append(past + (found - found.detach()))
        return averaged[0], averaged[1]


@dataclass(frozen=True)
class ForwardPass:
    """One backbone's answer to a view, and the statistics of the view in its layers."""

    number: int
    backbone: Backbone
    logits: Tensor
    found: Mapping[str, Moments]
    """`layer/kind` -> moving average of mean and variance, (groups,); differentiable."""

    def distance(self, targets: Mapping[str, Moments], first: float) -> Tensor:
        """Sum over layers and kinds of |mean - target| + |variance - target|, Euclidean.

        The first layer of the network weighs `first`, the others 1. Differentiable.
        """
        foremost = next(iter(self.backbone.layers))
        terms = [
            (first if key.rpartition("/")[0] == foremost else 1.0) * (theirs - ours).norm()
            for key, present in self.found.items()
            for ours, theirs in zip(present, targets[key], strict=True)
        ]
        return torch.stack(terms).sum() if terms else self.logits.new_zeros(())


def forward_pass(
    params: MatchParams,
    backbones: list[Backbone],
    number: int,
    view: Tensor,
    averages: Averages,
    drawn: Generator,
) -> ForwardPass:
    """Give backbone `number` a view (b, c, h, w); some convolutions are left out at random."""
    backbone = backbones[number]
    present: dict[str, Moments] = {}

    def receive(name: str, maps: Tensor) -> None:
        for kind, found in moments_of(backbone.layers[name], maps, params.patch).items():
            present[f"{name}/{kind}"] = found

    with layer_inputs(dict(_matched_layers(backbone, params.drop_rate, drawn)), receive):
        logits = backbone.classifier.answer(view)
    found = {key: averages.after(f"{number}/{key}", own) for key, own in present.items()}
    return ForwardPass(number, backbone, logits, found)


def _matched_layers(
    backbone: Backbone, drop_rate: float, drawn: Generator
) -> Iterator[tuple[str, nn.Module]]:
    """The layers that are not left out; draws only if some may be."""
    for name, layer in backbone.layers.items():
        droppable = drop_rate and isinstance(layer, nn.Conv2d)
        if not (droppable and torch.rand((), generator=drawn) < drop_rate):
            yield name, layer


MatchingLoss: TypeAlias = Callable[[int, Tensor, Generator, Averages], Tensor]
"""A loss of the recovery loop that is given the batch's moving averages too."""


@dataclass(frozen=True)
class Matching:
    """A recovery in which several backbones take turns, one in each iteration."""

    params: MatchParams
    backbones: list[Backbone]
    recovery: Recovery

    @classmethod
    def of(
        cls,
        params: MatchParams,
        inputs: Mapping[str, StepInput],
        ctx: StepContext,
        by_class: bool = False,
    ) -> Matching:
        """Batches go class after class; with `by_class` the targets of classes are read too."""
        backbones = backbones_of(params, inputs, ctx, by_class)
        classes, size = params.dataset.classes, params.batch_size
        labels = torch.arange(classes).repeat_interleave(params.per_class).split(size)
        indices = torch.arange(params.per_class).repeat(classes).split(size)
        batches = batched(indices, labels, ctx.device)
        return cls(params, backbones, Recovery(params, backbones[0].classifier, batches, ctx))

    def view(self, images: Tensor, drawn: Generator) -> Tensor:
        """As `Recovery.view`, which has no `crop-flip`: DSA's, amid a border of an eighth."""
        if self.params.augmentation == "crop-flip":
            names = groups("crop_flip", self.params.dataset.flip)
            images = dsa(images, names, "all", Siamese(some_seed(drawn)))
        return self.recovery.view(images, drawn)

    def forward(
        self, batch: ImageBatch, iteration: int, view: Tensor, averages: Averages, drawn: Generator
    ) -> ForwardPass:
        """The pass of the backbone whose turn it is; turns go on from batch to batch."""
        turn = batch.number * self.params.iterations + iteration
        number = turn % len(self.backbones)
        return forward_pass(self.params, self.backbones, number, view, averages, drawn)

    def descend(
        self,
        images: Tensor,
        batch: ImageBatch,
        loss: MatchingLoss,
        kept: Mapping[str, Tensor] | None = None,
    ) -> Recovered:
        """As `Recovery.descend`, from averages that are fresh for the batch.

        In the official codes the averages of a batch begin with those of the batch before it.
        """
        averages = Averages.fresh(self.params, self.backbones)

        def averaged(iteration: int, pixels: Tensor, drawn: Generator) -> Tensor:
            return loss(iteration, pixels, drawn, averages)

        held = averages.held | dict(kept or {})
        return self.recovery.descend(images, batch, averaged, kept=held)


def densification(images: Tensor, labels: Tensor, temperature: float) -> Tensor:
    """G-VBSM's data densification: how far the spectrum of each class is from a softer one.

    For the images of a class, shrunk to 32 pixels and as rows of a matrix X, the eigenvalues of
    X X^T become probabilities by a softmax. The Kullback-Leibler divergence from those at
    `temperature`, which are held fixed, is summed over the classes of the batch: it is small where
    no direction outweighs the others. A scalar, differentiable in the images (b, c, h, w).
    """
    side = min(SPECTRUM_SIDE, images.shape[-1])
    rows = functional.adaptive_avg_pool2d(images, side).flatten(1)
    terms = []
    for label in labels.unique():
        own = rows[labels == label]
        spectrum = torch.linalg.eigvalsh(own @ own.T)
        softer = (spectrum.detach() / temperature).softmax(dim=0)
        terms.append(functional.kl_div(spectrum.log_softmax(dim=0), softer, reduction="sum"))
    return torch.stack(terms).sum()


def class_targets(params: EdcParams, backbone: Backbone, labels: Tensor) -> dict[str, Moments]:
    """Means over labels (b,) of the statistics of their classes; `layer/kind` -> (groups,).

    The official code stores means of patches as variances and variances as means, and reads them
    so: `class_patches` "swapped".
    """
    targets = {}
    for key, (means, variances) in backbone.classes.items():
        own = means[labels].mean(dim=0), variances[labels].mean(dim=0)
        swapped = params.class_patches == "swapped" and key.endswith("/patch")
        targets[key] = (own[1], own[0]) if swapped else own
    return targets


def unevenness(passed: ForwardPass, calm: Tensor, temperature: float) -> Tensor:
    """Divergence of the answer to a view from that to the same view of the images' average.

    It is Kullback and Leibler's, from the latter, which is held fixed, both at `temperature`; its
    mean over images and classes, as in the official code. A scalar.
    """
    with torch.no_grad():
        fixed = (passed.backbone.classifier.answer(calm) / temperature).softmax(dim=1)
    ours = (passed.logits / temperature).log_softmax(dim=1)
    return functional.kl_div(ours, fixed, reduction="sum") / fixed.numel()
