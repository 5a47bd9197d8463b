"""The distance of images from the statistics that a teacher's BatchNorm layers keep (SRe2L, DWA).

A synthesis descends these functions, and `bn_loss` measures a given subset by the same ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm as BatchNorm

from harness.errors import UserError
from harness.lab.distill.recover import RecoverParams
from harness.lab.models.classifier import SCORED_AT_ONCE, Classifier
from harness.lab.models.hooks import layer_inputs
from harness.lab.train.loop import Examples

Moments: TypeAlias = list[tuple[Tensor, Tensor]]
"""Mean and variance of each layer's input, less the mean that the layer keeps; (channels,)."""


@dataclass(frozen=True)
class InputSums:
    """Sums over examples and places of one layer's input, less the mean that the layer keeps."""

    count: int
    first: Tensor
    """Sum of the values, (channels,)."""
    second: Tensor
    """Sum of their squares, (channels,)."""

    @classmethod
    def of(cls, entering: Tensor, layer: BatchNorm) -> InputSums:
        """From maps (n, channels, ...); differentiable in them."""
        kept, _ = running(layer)
        away = entering.transpose(0, 1).flatten(1) - kept[:, None]
        return cls(away.shape[1], away.sum(dim=1), away.square().sum(dim=1))

    def __add__(self, other: InputSums) -> InputSums:
        return InputSums(
            self.count + other.count, self.first + other.first, self.second + other.second
        )

    def moments(self, variance: str = "biased") -> tuple[Tensor, Tensor]:
        """Mean and variance (channels,), the variance `biased` or `unbiased`."""
        mean = self.first / self.count
        spread = self.second / self.count - mean.square()
        correction = self.count / (self.count - 1) if variance == "unbiased" else 1.0
        return mean, spread * correction


def batchnorm_layers(teacher: Classifier) -> list[BatchNorm]:
    """The BatchNorm layers, in the order of the network. Raises `UserError` if it has none."""
    found = [layer for layer in teacher.network.modules() if isinstance(layer, BatchNorm)]
    if not found:
        raise UserError(
            "a loss of batch-norm statistics needs a teacher with BatchNorm layers, but this "
            "network has none; choose another one"
        )
    return found


def running(layer: BatchNorm) -> tuple[Tensor, Tensor]:
    """The running mean and variance (channels,) that a BatchNorm layer keeps."""
    assert layer.running_mean is not None
    assert layer.running_var is not None
    return layer.running_mean, layer.running_var


@contextmanager
def input_sums(layers: list[BatchNorm], dtype: torch.dtype) -> Iterator[dict[int, InputSums]]:
    """Within the context, sum up the inputs of the layers, in type `dtype`, over all passes.

    The sums of a layer stand under its place in `layers`.
    """
    sums: dict[int, InputSums] = {}

    def add(place: int, entering: Tensor) -> None:
        own = InputSums.of(entering.to(dtype), layers[place])
        sums[place] = sums[place] + own if place in sums else own

    with layer_inputs(dict(enumerate(layers)), add):
        yield sums


def distances(layers: list[BatchNorm], moments: Moments, first: float) -> tuple[Tensor, Tensor]:
    """sum_l w_l |mu_l - m_l|_2 and sum_l w_l |v_l - s_l|_2, scalars; differentiable.

    mu_l and v_l are the statistics of the input of layer l, m_l and s_l those that it keeps; w_1 is
    `first`, the other weights are 1 (supplement, Equations 1 and 2; w_1 in VILA-Lab/SRe2L).
    """
    weights = [first] + [1.0] * (len(layers) - 1)
    of_means = [weight * mean.norm() for weight, (mean, _) in zip(weights, moments, strict=True)]
    of_variances = [
        weight * (variance - running(layer)[1]).norm()
        for weight, layer, (_, variance) in zip(weights, layers, moments, strict=True)
    ]
    return torch.stack(of_means).sum(), torch.stack(of_variances).sum()


def recovery_loss(
    params: RecoverParams,
    teacher: Classifier,
    layers: list[BatchNorm],
    view: Tensor,
    labels: Tensor,
) -> Tensor:
    """Cross-entropy plus the weighted distance of statistics, a scalar; differentiable in the view.

    Args:
        layers: the teacher's BatchNorm layers.
        view: normalised images (b, c, h, w).
        labels: int64 (b,).
    """
    with input_sums(layers, teacher.dtype) as sums:
        logits = teacher.answer(view)
    moments = [sums[place].moments() for place in range(len(layers))]
    means, variances = distances(layers, moments, params.first_layer_weight)
    matched = params.bn_weight * (means + params.variance_weight * variances)
    return functional.cross_entropy(logits, labels) + matched


def climb(teacher: Classifier, subset: Examples, steps: int, size: float) -> None:
    """DWA's directed weight adjustment: `steps` ascents of the mean cross-entropy on the subset.

    Each moves all weights together by `size` / `steps` along the gradient, in evaluation mode; the
    statistics that the layers keep stay. In AngusDujw/Diversity-Driven-Synthesis each batch adds
    its own ascent to those before it.
    """
    teacher.network.eval()
    weights = list(teacher.network.parameters())
    for _ in range(steps):
        teacher.network.zero_grad()
        for rows in torch.arange(len(subset)).split(SCORED_AT_ONCE):
            logits = teacher.answer(teacher.shown(subset.images[rows]))
            loss = functional.cross_entropy(logits, subset.labels[rows], reduction="sum")
            (loss / len(subset)).backward()
        gradients = [weight.grad for weight in weights if weight.grad is not None]
        norm = torch.stack([gradient.norm() for gradient in gradients]).norm()
        with torch.no_grad():
            for weight in weights:
                if weight.grad is not None:
                    weight.add_(size / steps * weight.grad / norm)
