"""Several networks of one architecture as a single one, side by side in its channels.

Member i of k owns the i-th k-th of every parameter, buffer and feature map along its channels, so
that convolutions and norms become grouped ones. An optimiser that treats every number by itself
updates each member as it would alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.nn import functional

from harness.lab.models.networks import Residual, Shrunk

UNCHANGED = (
    nn.Sequential,
    Residual,
    Shrunk,
    nn.Identity,
    nn.ReLU,
    nn.MaxPool2d,
    nn.AdaptiveAvgPool2d,
    nn.Flatten,
)
"""Layers that treat each channel by itself, or only call their parts."""
WIDENED = (nn.Conv2d, nn.GroupNorm, nn.BatchNorm2d, nn.LayerNorm, nn.Linear, nn.AvgPool2d)
SMALL = 8
"""Side up to which a CPU pools maps faster by a product of matrices."""


class Linears(nn.Module):
    """One linear layer for each of `count` members: (n, count * inner) to (n, count * outer)."""

    def __init__(self, count: int, alone: nn.Linear) -> None:
        super().__init__()
        self.count = count
        self.weight, self.bias = alone.weight, alone.bias

    def forward(self, features: Tensor) -> Tensor:
        apart = features.unflatten(1, (self.count, -1)).transpose(0, 1)
        weights = self.weight.unflatten(0, (self.count, -1)).transpose(1, 2)
        biases = self.bias.unflatten(0, (self.count, 1, -1))
        return torch.baddbmm(biases, apart, weights).transpose(0, 1).flatten(1)


class Pools(nn.Module):
    """An average pool, of small maps by a matrix: torch's own takes a third of all time there."""

    def __init__(self, alone: nn.AvgPool2d) -> None:
        super().__init__()
        self.alone = alone

    def forward(self, maps: Tensor) -> Tensor:
        side = maps.shape[-1]
        if side > SMALL or maps.is_cuda or torch.compiler.is_compiling():
            alone: Tensor = self.alone(maps)
            return alone
        places = torch.eye(side**2, dtype=maps.dtype).view(-1, 1, side, side)
        pooled: Tensor = self.alone(places)
        made: Tensor = (maps.flatten(2) @ pooled.flatten(1)).unflatten(2, pooled.shape[2:])
        return made


class LayerNorms(nn.Module):
    """One layer norm of feature maps for each of `count` members."""

    def __init__(self, count: int, alone: nn.LayerNorm) -> None:
        super().__init__()
        self.count, self.eps = count, alone.eps
        self.weight, self.bias = alone.weight, alone.bias

    def forward(self, maps: Tensor) -> Tensor:
        return functional.group_norm(maps, self.count, eps=self.eps) * self.weight + self.bias


def stackable(network: nn.Module) -> bool:
    """Whether all parts of a network are known to keep members apart."""
    return all(isinstance(part, UNCHANGED + WIDENED) for part in network.modules())


def stacked(networks: Sequence[nn.Module]) -> nn.Module:
    """One network that reads images (n, k * channels, h, w) and answers (n, k * classes).

    The networks are `stackable`; a single one is returned as it is.
    """
    count = len(networks)
    if count == 1:
        return networks[0]
    made = deepcopy(networks[0])
    for path, part in list(made.named_modules()):
        if isinstance(part, WIDENED):
            made.set_submodule(path, _widened(part, count))
    states = [dict(network.state_dict()) for network in networks]
    for path, part in made.named_modules():
        prefix = f"{path}." if path else ""
        for own in (part._parameters, part._buffers):
            for name, tensor in own.items():
                if tensor is None or not tensor.ndim:
                    continue
                whole = torch.cat([state[prefix + name] for state in states])
                own[name] = nn.Parameter(whole) if isinstance(tensor, nn.Parameter) else whole
    return made


def member(state: Mapping[str, Tensor], number: int, count: int) -> dict[str, Tensor]:
    """The part of a stacked network's state that is one member's, as views."""
    return {
        name: tensor.chunk(count)[number] if tensor.ndim else tensor
        for name, tensor in state.items()
    }


def activations(network: nn.Module, channels: int, side: int) -> int:
    """How many numbers the layers put out for one image, which its memory and time go with."""
    apart = deepcopy(network).to("meta")
    total = 0

    def add(part: nn.Module, given: object, out: Tensor) -> None:
        nonlocal total
        total += out.numel()

    for part in apart.modules():
        if not list(part.children()):
            part.register_forward_hook(add)
    shape = (2, channels, side, side)  # batch norm has no statistics of a single one
    apart(torch.empty(shape, device="meta", dtype=next(apart.parameters()).dtype))
    return total // 2


def _widened(part: nn.Module, count: int) -> nn.Module:
    """A layer for `count` members; its tensors are still those of one."""
    match part:
        case nn.Linear():
            return Linears(count, part)
        case nn.LayerNorm():
            return LayerNorms(count, part)
        case nn.AvgPool2d():
            return Pools(part)
        case nn.Conv2d():
            part.groups *= count
            part.in_channels *= count
            part.out_channels *= count
        case nn.GroupNorm():
            part.num_groups *= count
            part.num_channels *= count
        case nn.BatchNorm2d():
            part.num_features *= count
    return part
