"""The objectives of the bi-level distillers: functions of features, gradients and weights.

Images are floating (n, c, h, w), normalised; nothing here draws, augments or trains. All are
differentiable in the images that they are given.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional

from harness.lab.models.hooks import last_linear, layer_inputs

Weights: TypeAlias = Mapping[str, Tensor]
"""The parameters of a network by their names."""

COSINE_FLOOR = 1e-6
"""Added to a product of norms, so that a row without a gradient is at distance 1."""


def embedding(network: nn.Module, images: Tensor) -> Tensor:
    """Features (n, d), the input of the last linear layer, with their graph."""
    entered: dict[str, Tensor] = {}
    with layer_inputs({"last": last_linear(network)}, entered.__setitem__):
        network(images)
    return entered["last"]


def dm_loss(real: Tensor, synthetic: Tensor) -> Tensor:
    """Squared distance of the mean features of one class (Zhao and Bilen 2023).

    Features (n, d) and (m, d); a scalar. The official loss is the sum of this over classes, where
    equation 5 of the supplement has one mean over the whole set.
    """
    return (real.mean(dim=0) - synthetic.mean(dim=0)).square().sum()


def gradients(
    network: nn.Module, images: Tensor, targets: Tensor, differentiable: bool = False
) -> list[Tensor]:
    """Gradients of the mean cross-entropy with respect to every parameter, in order.

    Targets are classes (n,) or probabilities (n, classes). If `differentiable`, the gradients keep
    the graph that leads back to the images.
    """
    loss = functional.cross_entropy(network(images), targets)
    return list(torch.autograd.grad(loss, list(network.parameters()), create_graph=differentiable))


def gradient_distance(
    real: Sequence[Tensor], synthetic: Sequence[Tensor], distance: str = "cosine-rows"
) -> Tensor:
    """Distance of two gradients of the same parameters (Zhao et al. 2021), a scalar.

    `cosine-rows`: one minus the cosine, summed over the output rows of every weight; biases and
    norms do not count. `cosine`: one minus the cosine of everything as one vector. `mse`: the
    squared distance of everything as one vector.
    """
    if distance == "cosine-rows":
        pairs = zip(real, synthetic, strict=True)
        return torch.stack([_row_distance(a, b) for a, b in pairs if a.ndim > 1]).sum()
    whole, made = (torch.cat([part.flatten() for part in parts]) for parts in (real, synthetic))
    if distance == "mse":
        return (whole - made).square().sum()
    return _row_distance(whole[None], made[None])


def _row_distance(real: Tensor, synthetic: Tensor) -> Tensor:
    real, synthetic = real.flatten(1), synthetic.flatten(1)
    norms = torch.linalg.vector_norm(real, dim=1) * torch.linalg.vector_norm(synthetic, dim=1)
    cosines = (real * synthetic).sum(dim=1) / (norms + COSINE_FLOOR)
    return torch.sum(1 - cosines)


def unrolled(
    network: nn.Module,
    start: Weights,
    batches: Iterable[tuple[Tensor, Tensor]],
    rate: Tensor | float,
) -> dict[str, Tensor]:
    """The weights after one plain step of SGD, down the cross-entropy, for each batch.

    Differentiable in the images, the targets and the rate. `start` must require gradients. The
    network lends its form only: its own weights, and its running statistics if it has any, stay.
    """
    weights = dict(start)
    buffers = {name: buffer.clone() for name, buffer in network.named_buffers()}
    for images, targets in batches:
        logits = functional_call(network, (weights, buffers), (images,))
        loss = functional.cross_entropy(logits, targets)
        slopes = torch.autograd.grad(loss, list(weights.values()), create_graph=True)
        weights = {
            name: weight - rate * slope
            for (name, weight), slope in zip(weights.items(), slopes, strict=True)
        }
    return weights


def tm_loss(start: Weights, reached: Weights, target: Weights) -> Tensor:
    """Squared distance of `reached` to `target`, as a share of that of `start` (equation 4).

    Exactly 1 where nothing has moved, and 0 at the target.
    """
    left = sum((reached[name] - target[name]).square().sum() for name in target)
    whole = sum((start[name] - target[name]).square().sum() for name in target)
    return torch.as_tensor(left / whole)
