"""Bi-level distillation against random networks: distribution and gradient matching (DM, DC)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from harness.lab.distill.recover import FROZEN
from harness.lab.probing import DATASET
from harness.lab.recipe import Count, NetworkParams, class_batches
from harness.plan.step import (
    Facts,
    Probe,
    StepContext,
    StepInput,
    StepResult,
    Work,
    declare,
)

if TYPE_CHECKING:
    from torch import Generator, Tensor
    from torch.optim import Optimizer

    from harness.lab.distill.synthesis import Reals

GRADIENT, SECOND_ORDER = 3, 9
"""Cost of an image whose gradient in the weights is taken, in forward passes: the answer, and the
gradients in the input and in the weights of each layer. To go back through all three costs twice
as much again."""
MATCHED = "convnet-digits-instance"
"""The network of the probes, which keeps no running statistics."""


class SynthesisParams(NetworkParams):
    """The parameters that all bi-level distillers have."""

    per_class: Count
    iterations: Count
    learning_rate_pixels: float = Field(gt=0)
    """Learning rate of the synthetic images."""
    momentum: float = Field(default=0.5, ge=0, lt=1)
    """Momentum of the synthetic images."""
    initial_images: Literal["noise", "real", "correctly-classified"]
    augmentation: Literal["none", "dsa"]
    dsa_strategy: str = ""
    """Names of groups of operations, joined by `_`; one is drawn for each batch."""
    precision: Literal["float32", "float64"] = "float32"


class DmParams(SynthesisParams):
    initial_images: Literal["noise", "real"]
    real_batch_size: Count
    """Real images of each class at an iteration."""


class DcParams(DmParams):
    outer_loops: Count
    """Steps of the images in one random network."""
    inner_loops: Count
    """Epochs that the network learns between two of them."""
    network_learning_rate: float = Field(gt=0)
    """Learning rate of the network in those epochs."""
    network_batch_size: Count
    """Batch size of the network in those epochs."""
    distance: Literal["cosine-rows", "cosine", "mse"]


def distill_dm(params: DmParams, inputs: Mapping[str, StepInput], ctx: StepContext) -> StepResult:
    """Distribution matching (Zhao and Bilen 2023).

    Images move until random networks have the same class means of features for them as for real
    ones. At each iteration, in a new random network: of every class a random batch of real images
    and all synthetic ones, augmented alike; the squared distances of their mean features, summed
    over classes, are descended. The record is that of `synthesised`.
    Draws: "first" and "synthesis" of `ctx`.
    """
    from harness.lab.distill.losses import class_means_loss, synthesis
    from harness.lab.distill.synthesis import step_down

    def iterate(reals: Reals, images: Tensor, optimizer: Optimizer, drawn: Generator) -> float:
        loss = class_means_loss(params, reals, images, ctx.device, drawn)
        step_down(loss, optimizer)
        return loss.item()

    return synthesis(params, ctx, iterate)


def distill_dc(params: DcParams, inputs: Mapping[str, StepInput], ctx: StepContext) -> StepResult:
    """Gradient matching (DC, Zhao et al. 2021; with augmentation it is DSA, Zhao and Bilen 2021).

    Images move until they turn networks the way that real ones do, class by class. An iteration has
    a new random network and `outer_loops` steps of the images, each down the distance of the
    gradients of a random real batch and of all synthetic images, summed over classes; between two
    of them the network learns from the synthetic images for `inner_loops` epochs. The loss of an
    iteration is the mean over its steps and the classes. The record is that of `synthesised`.
    Draws: "first" and "synthesis" of `ctx`.
    """
    from torch.optim import SGD

    from harness.lab.distill.losses import class_distance, learn, synthesis
    from harness.lab.distill.synthesis import fresh, some_seed

    def iterate(reals: Reals, images: Tensor, optimizer: Optimizer, drawn: Generator) -> float:
        classifier = fresh(params, ctx.device, some_seed(drawn))
        slow = SGD(classifier.network.parameters(), lr=params.network_learning_rate)
        total = 0.0
        for outer in range(params.outer_loops):
            optimizer.zero_grad()
            for label in range(params.dataset.classes):
                loss = class_distance(params, reals, images, classifier, label, drawn)
                # At once, so that the graph of only one class is held.
                loss.backward()
                total += loss.item()
            optimizer.step()
            if outer + 1 < params.outer_loops:
                learn(params, classifier, slow, images.detach(), drawn)
        return total / (params.outer_loops * params.dataset.classes)

    return synthesis(params, ctx, iterate)


def synthesis_work(p: SynthesisParams, facts: Facts, *passed: tuple[float, int]) -> Work:
    """Pairs of the images that pass the network in each iteration and their cost, in passes."""
    flops = facts.forward_flops(p.network, p.dataset.resolution)
    return Work(
        samples=p.iterations * sum(images for images, _ in passed),
        flops=p.iterations * flops * sum(images * cost for images, cost in passed),
    )


def _dm_work(p: DmParams, facts: Facts) -> Work:
    made, reals = p.per_class * p.dataset.classes, class_batches(p.dataset, p.real_batch_size)
    return synthesis_work(p, facts, (reals, 1), (made, FROZEN))


def _dc_work(p: DcParams, facts: Facts) -> Work:
    made, reals = p.per_class * p.dataset.classes, class_batches(p.dataset, p.real_batch_size)
    return synthesis_work(
        p,
        facts,
        (p.outer_loops * reals, GRADIENT),
        (p.outer_loops * made, SECOND_ORDER),
        ((p.outer_loops - 1) * p.inner_loops * made, GRADIENT),
    )


def synthesis_probe() -> dict[str, Any]:
    """Parameters of a tiny synthesis, for the probes of all bi-level distillers."""
    return {
        "dataset": DATASET,
        "network": MATCHED,
        "per_class": 2,
        "iterations": 4,
        "learning_rate_pixels": 0.5,
        "initial_images": "real",
        "augmentation": "dsa",
        "dsa_strategy": "color_crop_cutout_flip_scale_rotate",
        "precision": "float64",
    }


def _dc_probe() -> Probe:
    return Probe(
        DcParams(
            **synthesis_probe() | {"initial_images": "noise"},
            real_batch_size=4,
            outer_loops=2,
            inner_loops=2,
            network_learning_rate=0.05,
            network_batch_size=3,
            distance="cosine-rows",
        ),
        {},
    )


STEPS = (
    declare(
        distill_dm, lambda: Probe(DmParams(**synthesis_probe(), real_batch_size=4), {}), _dm_work
    ),
    declare(distill_dc, _dc_probe, _dc_work),
)
