"""Means and variances of what enters a network's convolutions and BatchNorm layers (G-VBSM, EDC).

Of channels, over images and places; and for convolutions of patches of the maps too, over images,
channels and the places inside the patch. Variances are biased.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm as BatchNorm

from harness.errors import UserError

Moments: TypeAlias = tuple[Tensor, Tensor]
"""Mean and variance, each (groups,), or (images, groups)."""
MOMENTS = ("mean", "variance")
Found: TypeAlias = Mapping[str, Moments]
"""By kind: `channel`, and `patch` for a convolution."""


def layers_of(network: nn.Module, name: str) -> dict[str, nn.Module]:
    """The layers whose statistics are matched, in the network's order. UserError if none is."""
    found = {
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


@contextmanager
def listening(
    layers: Mapping[str, nn.Module], hear: Callable[[str, nn.Module, Tensor], None]
) -> Iterator[None]:
    """Tell `hear` the name of each layer, the layer, and the maps that enter it."""

    def heard(name: str) -> Callable[[nn.Module, tuple[Tensor]], None]:
        return lambda layer, entering: hear(name, layer, entering[0])

    hooks = [layer.register_forward_pre_hook(heard(name)) for name, layer in layers.items()]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


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
    """Of a batch as a whole, (groups,); differentiable in the maps."""
    found = {}
    for kind, values in grouped(layer, maps, patch).items():
        variance, mean = torch.var_mean(values, dim=(0, 2), correction=0)
        found[kind] = mean, variance
    return found


@torch.no_grad()
def moments_of_each(layer: nn.Module, maps: Tensor, patch: int) -> Found:
    """Of every image by itself, (n, groups)."""
    found = {}
    for kind, values in grouped(layer, maps, patch).items():
        mean = values.mean(dim=2, keepdim=True)
        # In two passes, which take a processor half as long as torch's variance.
        found[kind] = mean[:, :, 0], (values - mean).square_().mean(dim=2)
    return found


def together(each: Moments) -> Moments:
    """Of images as a whole, (groups,), from their own, (n, groups)."""
    away, mean = torch.var_mean(each[0], dim=0, correction=0)
    return mean, each[1].mean(dim=0) + away


def joined(count: int, ours: Moments, more: int, theirs: Moments) -> Moments:
    """Of `count` and `more` equal parts together, from their own (Chan et al. 1979)."""
    share = more / (count + more)
    away = theirs[0] - ours[0]
    spread = torch.lerp(ours[1], theirs[1], share) + share * (1 - share) * away.square()
    return ours[0] + share * away, spread
