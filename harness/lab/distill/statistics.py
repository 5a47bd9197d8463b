"""How far images are from the statistics that a teacher's BatchNorm layers keep (SRe2L, DWA).

What a synthesis descends and what a given subset is measured by are these same functions.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm as BatchNorm

from harness.errors import UserError
from harness.lab.models.classifier import SCORED_AT_ONCE, Classifier
from harness.lab.train.loop import Examples

Moments: TypeAlias = list[tuple[Tensor, Tensor]]
"""Mean and variance of what enters each layer, less the mean that the layer keeps; (channels,)."""


@dataclass(frozen=True)
class Sums:
    """Over examples and places, of what enters one layer, less the mean that the layer keeps."""

    count: int
    first: Tensor
    """(channels,)."""
    second: Tensor
    """Of squares, (channels,)."""

    @classmethod
    def of(cls, entering: Tensor, layer: BatchNorm) -> Sums:
        """From maps (n, channels, ...); differentiable in them."""
        away = entering.transpose(0, 1).flatten(1) - layer.running_mean[:, None]
        return cls(away.shape[1], away.sum(dim=1), away.square().sum(dim=1))

    def __add__(self, other: Sums) -> Sums:
        return Sums(self.count + other.count, self.first + other.first, self.second + other.second)

    def moments(self, variance: str = "biased") -> tuple[Tensor, Tensor]:
        mean = self.first / self.count
        spread = self.second / self.count - mean.square()
        correction = self.count / (self.count - 1) if variance == "unbiased" else 1.0
        return mean, spread * correction


def norms(teacher: Classifier) -> list[BatchNorm]:
    """The BatchNorm layers, in the order of the network. Raises `UserError` if it has none."""
    found = [layer for layer in teacher.network.modules() if isinstance(layer, BatchNorm)]
    if not found:
        raise UserError(
            "a loss of batch-norm statistics needs a teacher with BatchNorm layers, but this "
            "network has none; choose another one"
        )
    return found


@contextmanager
def listening(layers: list[BatchNorm], kind: torch.dtype) -> Iterator[dict[nn.Module, Sums]]:
    """What enters each layer while the network answers, summed over its answers in type `kind`."""
    heard: dict[nn.Module, Sums] = {}

    def note(layer: BatchNorm, entering: tuple[Tensor]) -> None:
        own = Sums.of(entering[0].to(kind), layer)
        heard[layer] = heard[layer] + own if layer in heard else own

    hooks = [layer.register_forward_pre_hook(note) for layer in layers]
    try:
        yield heard
    finally:
        for hook in hooks:
            hook.remove()


def distances(layers: list[BatchNorm], moments: Moments, first: float) -> tuple[Tensor, Tensor]:
    """sum_l w_l |mu_l - m_l|_2 and sum_l w_l |v_l - s_l|_2, scalars; differentiable.

    mu_l and v_l are the statistics of what enters layer l, m_l and s_l those that it keeps; w_1 is
    `first`, the other weights are 1 (supplement, Equations 1 and 2; w_1 in VILA-Lab/SRe2L).
    """
    weights = [first] + [1.0] * (len(layers) - 1)
    of_means = [weight * mean.norm() for weight, (mean, _) in zip(weights, moments, strict=True)]
    of_variances = [
        weight * (variance - layer.running_var).norm()
        for weight, layer, (_, variance) in zip(weights, layers, moments, strict=True)
    ]
    return torch.stack(of_means).sum(), torch.stack(of_variances).sum()


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
                weight += size / steps * weight.grad / norm
