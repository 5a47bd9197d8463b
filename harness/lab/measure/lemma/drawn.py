"""Logits and targets drawn for checking Lemma 1."""

from __future__ import annotations

import numpy as np
import torch
from torch import Generator

from harness.lab.measure.values import Floats

SMALLEST = 0.1
"""The smallest size of a case's largest logit."""
TARGETS = ("one-hot", "near-uniform", "teacher")


def uniform(shape: tuple[int, ...], generator: Generator) -> Floats:
    """float64, in [0, 1)."""
    return torch.rand(shape, generator=generator, dtype=torch.float64).numpy()


def normal(shape: tuple[int, ...], generator: Generator) -> Floats:
    """float64, of variance 1."""
    return torch.randn(shape, generator=generator, dtype=torch.float64).numpy()


def logits(shape: tuple[int, ...], largest: float, generator: Generator) -> Floats:
    """Uniform up to a size drawn for each row, even in its logarithm up to `largest`."""
    size = largest * (SMALLEST / largest) ** uniform((*shape[:-1], 1), generator)
    return size * (2 * uniform(shape, generator) - 1)


def target(
    kind: str, classes: int, largest: float, temperature: float, generator: Generator
) -> Floats:
    """A distribution (classes,): one-hot, within 1 % of uniform, or a drawn teacher's answer."""
    if kind == "one-hot":
        chosen: Floats = np.eye(classes)[int(classes * uniform((), generator))]
        return chosen
    spread = 0.01 if kind == "near-uniform" else largest / temperature
    weights: Floats = np.exp(spread * (uniform((classes,), generator) - 1))
    share: Floats = weights / weights.sum()
    return share
