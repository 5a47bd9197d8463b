"""Means and variances of the inputs of convolutions and BatchNorm layers (G-VBSM, EDC).

They are taken of each channel, over images and places; and for convolutions of each patch of the
maps too, over images, channels and the places inside the patch. Variances are biased.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import torch
from torch import Generator, Tensor, nn
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm as BatchNorm

from harness.errors import UserError
from harness.lab.distill.backbones.methods import FeatureStatisticsParams
from harness.lab.models.classifier import Classifier
from harness.lab.models.running import layer_inputs
from harness.lab.train.augment import crop_views
from harness.lab.train.dsa import Independent, dsa, groups
from harness.lab.train.loop import Examples

Moments: TypeAlias = tuple[Tensor, Tensor]
"""Mean and variance, each (groups,), or (images, groups)."""
MOMENTS = ("mean", "variance")
Found: TypeAlias = Mapping[str, Moments]
"""Kind (`channel`, and `patch` for a convolution) -> moments."""


def layers_of(network: nn.Module, name: str) -> dict[str, nn.Module]:
    """The layers whose statistics are matched, in the network's order. UserError if none is."""
    found: dict[str, nn.Module] = {
        path: layer
        for path, layer in network.named_modules()
        if isinstance(layer, BatchNorm | nn.Conv2d)
    }
    if not found:
        raise UserError(
            f"network '{name}' has neither convolutions nor BatchNorm layers, so it has no "
            "statistics to match; choose another backbone"
        )
    return found


def grouped(layer: nn.Module, maps: Tensor, patch: int) -> dict[str, Tensor]:
    """Maps (n, channels, ...) as (n, groups, values) for each kind that the layer has."""
    groups = {"channel": maps.flatten(2)}
    if isinstance(layer, nn.Conv2d):
        groups["patch"] = patches(maps, patch)
    return groups


def patches(maps: Tensor, side: int) -> Tensor:
    """Maps (n, c, h, w) cut into patches: (n, patches, c side^2), row by row.

    Maps whose sides are no multiples of `side` are enlarged to the next ones, bilinear.
    """
    rows, columns = (-(-length // side) for length in maps.shape[2:])
    if maps.shape[2:] != (rows * side, columns * side):
        maps = functional.interpolate(maps, (rows * side, columns * side), mode="bilinear")
    count, channels = maps.shape[:2]
    cut = maps.reshape(count, channels, rows, side, columns, side).permute(0, 2, 4, 1, 3, 5)
    return cut.reshape(count, rows * columns, channels * side**2)


def moments_of(layer: nn.Module, maps: Tensor, patch: int) -> Found:
    """Moments of a batch as a whole, (groups,); differentiable in the maps."""
    found: dict[str, Moments] = {}
    for kind, values in grouped(layer, maps, patch).items():
        variance, mean = torch.var_mean(values, dim=(0, 2), correction=0)
        found[kind] = mean, variance
    return found


@torch.no_grad()
def moments_of_each(layer: nn.Module, maps: Tensor, patch: int) -> Found:
    """Moments of every image by itself, (n, groups)."""
    found = {}
    for kind, values in grouped(layer, maps, patch).items():
        mean = values.mean(dim=2, keepdim=True)
        # In two passes, which take a processor half as long as torch's variance.
        found[kind] = mean[:, :, 0], (values - mean).square_().mean(dim=2)
    return found


def together(each: Moments) -> Moments:
    """Moments of images as a whole, (groups,), from those of each, (n, groups)."""
    away, mean = torch.var_mean(each[0], dim=0, correction=0)
    return mean, each[1].mean(dim=0) + away


def joined(count: int, ours: Moments, more: int, theirs: Moments) -> Moments:
    """Moments of `count` and `more` equal parts together, from those of both (Chan et al. 1979)."""
    share = more / (count + more)
    away = theirs[0] - ours[0]
    spread = torch.lerp(ours[1], theirs[1], share) + share * (1 - share) * away.square()
    return ours[0] + share * away, spread


@dataclass
class SplitMoments:
    """The moments of the images so far, in memory that does not grow with their number."""

    whole: dict[str, Tensor] = field(default_factory=dict)
    """`layer/kind/moment` -> float64 (groups,), over all images."""
    classes: dict[str, Tensor] = field(default_factory=dict)
    """`layer/kind/moment` -> (classes, groups), sums over the images of a class."""
    seen: int = 0

    def add(self, layer: str, kind: str, found: Moments, count: int) -> None:
        """Add the moments (groups,) of `count` images together."""
        names = [f"{layer}/{kind}/{moment}" for moment in MOMENTS]
        theirs = found
        if names[0] in self.whole:
            theirs = joined(self.seen, (self.whole[names[0]], self.whole[names[1]]), count, theirs)
        self.whole |= dict(zip(names, theirs, strict=True))

    def add_each(self, layer: str, kind: str, found: Moments, labels: Tensor, classes: int) -> None:
        """Add the moments (n, groups) of each of some images to their classes (n,)."""
        for moment, values in zip(MOMENTS, found, strict=True):
            name = f"{layer}/{kind}/{moment}"
            if name not in self.classes:
                self.classes[name] = values.new_zeros(classes, values.shape[1])
            self.classes[name].index_add_(0, labels, values)

    def means_of_classes(self, labels: np.ndarray, classes: int) -> dict[str, Tensor]:
        """The sums of the classes over their numbers of images, from the labels of all images."""
        sizes = torch.from_numpy(np.bincount(labels, minlength=classes))
        return {n: total / sizes.to(total)[:, None] for n, total in self.classes.items()}

    def saved(self, drawn: Generator) -> dict[str, np.ndarray]:
        state = {"seen": torch.tensor(self.seen), "generator": drawn.get_state()}
        state |= {f"whole/{name}": tensor for name, tensor in self.whole.items()}
        state |= {f"classes/{name}": tensor for name, tensor in self.classes.items()}
        return {name: tensor.cpu().numpy().copy() for name, tensor in state.items()}

    @classmethod
    def restored(
        cls, state: Mapping[str, np.ndarray], drawn: Generator, device: str
    ) -> SplitMoments:
        tensors = {name: torch.from_numpy(np.array(array)) for name, array in state.items()}
        drawn.set_state(tensors.pop("generator"))
        made = cls(seen=int(tensors.pop("seen")))
        for path, tensor in tensors.items():
            part, _, name = path.partition("/")
            getattr(made, part)[name] = tensor.to(device)
        return made


@torch.no_grad()
def add_batch(
    sums: SplitMoments,
    params: FeatureStatisticsParams,
    backbone: Classifier,
    layers: Mapping[str, nn.Module],
    examples: Examples,
    rows: Tensor,
    drawn: Generator,
) -> None:
    """Let one batch pass, and add its moments to `sums`."""
    labels = examples.labels[rows.to(backbone.device)]

    def receive(name: str, maps: Tensor) -> None:
        layer = layers[name]
        if not (params.by_class or isinstance(layer, nn.Conv2d)):
            return
        for kind, each in moments_of_each(layer, maps.to(backbone.dtype), params.patch).items():
            if isinstance(layer, nn.Conv2d):
                sums.add(name, kind, together((each[0].double(), each[1].double())), len(rows))
            if params.by_class:
                sums.add_each(name, kind, each, labels, params.dataset.classes)

    with layer_inputs(layers, receive):
        backbone.answer(augmented_views(params, backbone, examples, rows, drawn))
    sums.seen += len(rows)


def augmented_views(
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
        return crop_views(backbone, images, params.crop_scale, drawn, params.train_resize)
    shown = backbone.shown(images)
    if params.augmentation == "none":
        return shown
    return dsa(shown, groups("crop_flip", params.dataset.flip), "all", Independent(drawn))
