"""The statistics of the training split inside a backbone, in one pass and bounded memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Generator, Tensor, nn

from harness.lab.data import sets
from harness.lab.distill.backbones.moments import (
    MOMENTS,
    Moments,
    joined,
    layers_of,
    listening,
    moments_of_each,
    together,
)
from harness.lab.distill.backbones.steps import FeatureStatisticsParams
from harness.lab.models.classifier import Classifier
from harness.lab.train.augment import crop_views
from harness.lab.train.dsa import Independent, dsa, groups
from harness.lab.train.loop import Examples
from harness.plan.step import StepContext, StepInput, StepResult


@dataclass
class Sums:
    """What is kept of the images seen so far: as much for ten images as for a million."""

    whole: dict[str, Tensor] = field(default_factory=dict)
    """`layer/kind/moment` -> float64 (groups,), of all images together."""
    classes: dict[str, Tensor] = field(default_factory=dict)
    """`layer/kind/moment` -> (classes, groups), sums over the images of a class."""
    seen: int = 0

    def add(self, layer: str, kind: str, found: Moments, count: int) -> None:
        """Of `count` images together."""
        names = [f"{layer}/{kind}/{moment}" for moment in MOMENTS]
        theirs = found
        if names[0] in self.whole:
            theirs = joined(self.seen, (self.whole[names[0]], self.whole[names[1]]), count, theirs)
        self.whole |= dict(zip(names, theirs, strict=True))

    def add_each(self, layer: str, kind: str, found: Moments, labels: Tensor, classes: int) -> None:
        """Of each of some images, (n, groups), by their classes (n,)."""
        for moment, values in zip(MOMENTS, found, strict=True):
            name = f"{layer}/{kind}/{moment}"
            if name not in self.classes:
                self.classes[name] = values.new_zeros(classes, values.shape[1])
            self.classes[name].index_add_(0, labels, values)

    def saved(self, drawn: Generator) -> dict[str, np.ndarray]:
        state = {"seen": torch.tensor(self.seen), "generator": drawn.get_state()}
        state |= {f"whole/{name}": tensor for name, tensor in self.whole.items()}
        state |= {f"classes/{name}": tensor for name, tensor in self.classes.items()}
        return {name: tensor.cpu().numpy().copy() for name, tensor in state.items()}

    @classmethod
    def restored(cls, state: Mapping[str, np.ndarray], drawn: Generator, device: str) -> Sums:
        tensors = {name: torch.from_numpy(np.array(array)) for name, array in state.items()}
        drawn.set_state(tensors.pop("generator"))
        sums = cls(seen=int(tensors.pop("seen")))
        for path, tensor in tensors.items():
            part, _, name = path.partition("/")
            getattr(sums, part)[name] = tensor.to(device)
        return sums


def feature_statistics(
    params: FeatureStatisticsParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> StepResult:
    """Means and variances of what enters the layers while the training split passes, once.

    Tensors `statistics`: `layer/kind/mean` and `layer/kind/variance`, float64 (groups,), of the
    convolutions; layers by their names in the network, kinds `channel` and `patch`. The variance is
    that of the whole split, where the official codes average those of random batches.

    With `by_class`, tensors `classes` of the same names, (classes, groups) in the type of the
    weights, for BatchNorm layers too: means over the images of a class of the mean and the variance
    inside each image, as EDC's code has it.

    Value `images`, the number seen. Draws: "views".
    """
    dataset = params.dataset
    weights = inputs["teacher"].tensors("weights")
    backbone = Classifier.stored(params.network, dataset, ctx.device, weights, params.precision)
    backbone.network.eval()
    layers = layers_of(backbone.network, params.network)
    train = sets.load(dataset).train
    examples = Examples.on(ctx.device, train.images, train.labels)
    drawn = Generator().manual_seed(ctx.derive("views"))
    saved = ctx.checkpoints.load()
    sums = Sums.restored(saved, drawn, ctx.device) if saved else Sums()
    order = torch.arange(len(examples))
    for first in range(sums.seen, len(examples), backbone.at_once):
        rows = order[first : first + backbone.at_once]
        ctx.report(sums.seen / len(examples), f"image {sums.seen} of {len(examples)}")
        add_batch(sums, params, backbone, layers, examples, rows, drawn)
        if ctx.checkpoints.due():
            ctx.checkpoints.save(sums.saved(drawn))
    return finished(sums, train.labels, params)


@torch.no_grad()
def add_batch(
    sums: Sums,
    params: FeatureStatisticsParams,
    backbone: Classifier,
    layers: Mapping[str, nn.Module],
    examples: Examples,
    rows: Tensor,
    drawn: Generator,
) -> None:
    """One batch passes, and leaves its moments."""
    labels = examples.labels[rows.to(backbone.device)]

    def hear(name: str, layer: nn.Module, maps: Tensor) -> None:
        if not (params.by_class or isinstance(layer, nn.Conv2d)):
            return
        for kind, each in moments_of_each(layer, maps.to(backbone.dtype), params.patch).items():
            if isinstance(layer, nn.Conv2d):
                sums.add(name, kind, together((each[0].double(), each[1].double())), len(rows))
            if params.by_class:
                sums.add_each(name, kind, each, labels, params.dataset.classes)

    with listening(layers, hear):
        backbone.answer(seen(params, backbone, examples, rows, drawn))
    sums.seen += len(rows)


def seen(
    params: FeatureStatisticsParams,
    backbone: Classifier,
    examples: Examples,
    rows: Tensor,
    drawn: Generator,
) -> Tensor:
    """A view of each of some images, normalised.

    The crop of `crop-flip` is DSA's: torchvision's with a border of an eighth of the side.
    """
    images = examples.taken(rows)
    if params.augmentation == "rrc-flip":
        return crop_views(backbone, images, params.crop_scale, drawn)
    shown = backbone.shown(images)
    if params.augmentation == "none":
        return shown
    return dsa(shown, groups("crop_flip", params.dataset.flip), "all", Independent(drawn))


def finished(sums: Sums, labels: np.ndarray, params: FeatureStatisticsParams) -> StepResult:
    """The record: sums of classes become means."""
    tensors = {"statistics": _plain(sums.whole)}
    if params.by_class:
        sizes = torch.from_numpy(np.bincount(labels, minlength=params.dataset.classes))
        means = {n: total / sizes.to(total)[:, None] for n, total in sums.classes.items()}
        tensors["classes"] = _plain(means)
    return StepResult({"images": sums.seen}, tensors=tensors)


def _plain(tensors: Mapping[str, Tensor]) -> dict[str, np.ndarray]:
    return {name: tensor.cpu().contiguous().numpy() for name, tensor in tensors.items()}
