"""The loss of SRe2L and DWA on a given subset, which is not changed.

As the losses of the bi-level distillers (`losses`), it is correlated with the accuracy of students.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from harness.lab.cost import passes
from harness.lab.probing import DATASET, NETWORK, chosen, taught
from harness.lab.recipe import Count, CropScale, DatasetRef, Share
from harness.plan.step import (
    Facts,
    Json,
    Probe,
    StepContext,
    StepInput,
    StepParams,
    StepResult,
    Work,
    declare,
)


class BnLossParams(StepParams):
    """Equation 1 of the supplement, Equation 2 with `variance_weight` and a perturbation."""

    dataset: DatasetRef
    network: str
    """The teacher, which has BatchNorm layers."""
    per_class: Count
    """Images per class of the input, so that its cost is known before it exists; checked then."""
    variance: Literal["biased", "unbiased"]
    aggregation: Literal["whole", "mean", "running"]
    """Whole: statistics of the whole subset. Mean: of each batch, and the mean of the batches'
    losses. Running: of each batch, in a moving average over the batches."""
    batch_size: Count
    """Size of the batches, where statistics are not those of the whole subset."""
    batches: Literal["class-mixed", "class-wise"]
    """One image of every class in turn, as the official codes make them, or class by class."""
    momentum: Share
    """Share of each new batch in the moving average, which starts at the first batch."""
    augmentation: Literal["none", "rrc-flip"]
    """One random view of each image, or the image."""
    crop_scale: CropScale
    """Share of the area that the random resized crop keeps."""
    first_layer_weight: float = Field(ge=0)
    """Weight of the first layer's terms; the others weigh 1."""
    variance_weight: float = Field(ge=0)
    bn_weight: float = Field(gt=0)
    cross_entropy: bool
    """Whether the teacher's cross-entropy is added, which weighs 1."""
    perturbation_iterations: int = Field(ge=0)
    perturbation_size: float = Field(ge=0)
    """Length of DWA's climb of the teacher's weights up its loss on the subset, in all."""


def bn_loss(params: BnLossParams, inputs: Mapping[str, StepInput], ctx: StepContext) -> StepResult:
    """`bn_weight` x (mean term + `variance_weight` x variance term), plus cross-entropy if asked.

    With mu_l and v_l the statistics of the input of layer l of the teacher, in evaluation mode, and
    m_l and s_l those that the layer keeps, the terms are sum_l w_l |mu_l - m_l|_2 and
    sum_l w_l |v_l - s_l|_2, w_1 = `first_layer_weight`, else 1 (supplement, Equations 1 and 2;
    w_1 and `bn_weight` in VILA-Lab/SRe2L). Values `loss`, `mean_term`, `variance_term`,
    `cross_entropy` (nats, mean over the subset). Draws: "views" of `ctx`, if images are cropped.
    Raises `UserError` if the teacher has no BatchNorm layer, or the subset is another.
    """
    from torch import Generator

    from harness.lab.distill.statistics import batchnorm_layers, climb, distances
    from harness.lab.measure.dcs.batchnorm import aggregated, batches, observed
    from harness.lab.measure.dcs.subset import given_subset
    from harness.lab.models.classifier import Classifier

    teacher = Classifier.stored(
        params.network, params.dataset, ctx.device, inputs["teacher"].tensors("weights")
    )
    layers = batchnorm_layers(teacher)
    subset = given_subset(inputs["images"], params.dataset, params.per_class, ctx.device, ctx.step)
    climb(teacher, subset, params.perturbation_iterations, params.perturbation_size)
    drawn = Generator().manual_seed(ctx.derive("views"))
    sizes, sums, cross_entropy = [], [], 0.0
    for batch in batches(subset, params):
        sizes.append(len(batch))
        own, loss = observed(teacher, layers, batch, params, drawn)
        sums.append(own)
        cross_entropy += loss / len(subset)
    mean_term = variance_term = 0.0
    for share, moments in aggregated(sizes, sums, params):
        of_means, of_variances = distances(layers, moments, params.first_layer_weight)
        mean_term += share * of_means.item()
        variance_term += share * of_variances.item()
    loss = params.bn_weight * (mean_term + params.variance_weight * variance_term)
    return StepResult(
        {
            "loss": loss + cross_entropy * params.cross_entropy,
            "mean_term": mean_term,
            "variance_term": variance_term,
            "cross_entropy": cross_entropy,
        }
    )


def _bn_work(p: BnLossParams, facts: Facts) -> Work:
    size = p.per_class * p.dataset.classes
    return passes(facts, p.network, p.dataset, p.perturbation_iterations * size, size)


def _bn_probe() -> Probe:
    params = BnLossParams(
        dataset=DATASET,
        network=NETWORK,
        per_class=5,
        variance="unbiased",
        aggregation="running",
        batch_size=8,
        batches="class-mixed",
        momentum=0.1,
        augmentation="rrc-flip",
        crop_scale=(0.3, 1.0),
        first_layer_weight=10.0,
        variance_weight=11.0,
        bn_weight=0.01,
        cross_entropy=True,
        perturbation_iterations=2,
        perturbation_size=0.3,
    )
    still: dict[str, Json] = {"perturbation_iterations": 0, "perturbation_size": 0.0}
    images = {"images": chosen(per_class=5), "teacher": taught()}
    return Probe(params, images, variants=(still,))


STEPS = (declare(bn_loss, _bn_probe, _bn_work, inputs=("images", "teacher")),)
