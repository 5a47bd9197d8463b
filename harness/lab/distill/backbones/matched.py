"""What the layers of a backbone find in synthetic images, beside what they found in real ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from safetensors.torch import load_file
from torch import Generator, Tensor, nn
from torch.nn import functional

from harness.errors import UserError
from harness.lab.distill.backbones.moments import MOMENTS, Moments, layers_of, listening, moments_of
from harness.lab.distill.backbones.steps import MatchParams
from harness.lab.models.classifier import Classifier
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
    """The same for each class, (classes, groups); empty if they were not measured."""

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
            f"{path}/channel": (layer.running_mean, layer.running_var)
            for path, layer in layers.items()
            if not isinstance(layer, nn.Conv2d)
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
    """Whether the first look is the first average; else that begins at zero."""
    held: dict[str, Tensor]
    """For each `backbone/layer/kind` its `mean`, its `variance`, and the number of `looks`."""

    @classmethod
    def fresh(cls, params: MatchParams, backbones: list[Backbone]) -> Averages:
        held = {}
        for number, backbone in enumerate(backbones):
            for key, target in backbone.targets.items():
                for moment, values in zip(MOMENTS, target, strict=True):
                    held[f"{number}/{key}/{moment}"] = torch.zeros_like(values)
                held[f"{number}/{key}/looks"] = torch.zeros((), dtype=torch.int64)
        return cls(params.ema, params.ema_start == "first", held)

    def after(self, key: str, present: Moments) -> Moments:
        """The average once `present` has joined it; its slope is that of `present` alone."""
        looks = self.held[f"{key}/looks"]
        share = 0.0 if self.from_first and looks == 0 else self.decay
        looks += 1
        averaged = []
        for moment, found in zip(MOMENTS, present, strict=True):
            past = self.held[f"{key}/{moment}"]
            past.mul_(share).add_(found.detach(), alpha=1 - share)
            averaged.append(past + (found - found.detach()))
        return averaged[0], averaged[1]


@dataclass(frozen=True)
class Look:
    """One backbone's answer to a view, and what its layers find in it."""

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


def look(
    params: MatchParams,
    backbones: list[Backbone],
    number: int,
    view: Tensor,
    averages: Averages,
    drawn: Generator,
) -> Look:
    """What backbone `number` says to a view (b, c, h, w), some convolutions left out at random."""
    backbone = backbones[number]
    heard = dict(_heard(backbone, params.drop_rate, drawn))
    present: dict[str, Moments] = {}

    def hear(name: str, layer: nn.Module, maps: Tensor) -> None:
        for kind, found in moments_of(layer, maps, params.patch).items():
            present[f"{name}/{kind}"] = found

    with listening(
        {name: backbone.layers[name] for name in backbone.layers if name in heard}, hear
    ):
        logits = backbone.classifier.answer(view)
    found = {key: averages.after(f"{number}/{key}", own) for key, own in present.items()}
    return Look(number, backbone, logits, found)


def _heard(
    backbone: Backbone, drop_rate: float, drawn: Generator
) -> Iterator[tuple[str, nn.Module]]:
    """The layers that are not left out; draws only if some may be."""
    for name, layer in backbone.layers.items():
        left_out = drop_rate and isinstance(layer, nn.Conv2d)
        if not (left_out and torch.rand((), generator=drawn) < drop_rate):
            yield name, layer


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
