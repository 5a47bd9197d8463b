"""What passes through a network cost, for the declarations of steps."""

from __future__ import annotations

from harness.lab.recipe import DatasetRef
from harness.plan.step import Facts, Work


def passes(
    facts: Facts,
    network: str,
    dataset: DatasetRef,
    trained: int,
    scored: int,
    precision: str = "float32",
) -> Work:
    """Examples that a network is trained on, and examples that it scores.

    A training pass costs three forward passes: forward, and twice that backward.
    """
    flops = (3 * trained + scored) * facts.forward_flops(network, dataset.resolution)
    return Work(trained + scored, flops, half=flops if precision == "bfloat16" else 0.0)


def class_batches(dataset: DatasetRef, size: int) -> float:
    """Training images in a batch of `size` of every class, or of all if it has fewer, or if 0."""
    whole = dataset.train_size / dataset.classes
    return dataset.classes * min(size or whole, whole)
