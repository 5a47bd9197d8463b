"""Matching the statistics of several backbones: parameters, inputs and costs.

Neither torch nor numpy is imported here, so that planning stays cheap.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from harness.lab.declare import declare, passes
from harness.lab.distill.steps import FROZEN, Quality
from harness.lab.recipe import Count, CropScale, DatasetRef
from harness.plan.step import Facts, StepParams, Work

Augmentation: TypeAlias = Literal["none", "crop-flip", "rrc-flip"]


class FeatureStatisticsParams(StepParams):
    dataset: DatasetRef
    network: str
    patch: Count
    """Side of the patches that the maps of a convolution are cut into."""
    by_class: bool
    """Whether those of each class are measured too, of BatchNorm layers as well."""
    augmentation: Augmentation
    """Of the views in which the training split is seen, each image once."""
    crop_scale: CropScale
    precision: Literal["float32", "float64"] = "float32"


class MatchParams(StepParams):
    """What G-VBSM and EDC have in common."""

    dataset: DatasetRef
    networks: tuple[str, ...] = Field(min_length=1)
    """Of the backbones; each iteration asks the next one."""
    per_class: Count
    batch_size: Count
    """Images that are made together, class after class."""
    iterations: Count
    learning_rate_pixels: float = Field(gt=0)
    """Of Adam, at first; it falls by a cosine to 0."""
    statistics_weight: float = Field(ge=0)
    """Of the distance of statistics, beside the cross-entropy."""
    first_layer_weight: float = Field(ge=0)
    """Of the first layer that is matched; the others weigh 1."""
    patch: Count
    """As in the statistics."""
    ema: Annotated[float, Field(ge=0, lt=1)]
    """Share of the past in the moving average of the images' statistics."""
    ema_start: Literal["zero", "first"]
    """What the average is before the first look: nothing, or what that look finds."""
    drop_rate: Annotated[float, Field(ge=0, lt=1)]
    """Share of the convolutions that are left out of an iteration, at random."""
    augmentation: Augmentation
    crop_scale: CropScale
    roll: int = Field(ge=0)
    """Pixels that a view is rolled by at most, down and to the right."""
    jpeg_quality: Quality = 0
    precision: Literal["float32", "float64"] = "float32"


class GvbsmParams(MatchParams):
    densification_weight: float = Field(ge=0)
    densification_temperature: float = Field(gt=0)


class EdcParams(MatchParams):
    class_share: Annotated[float, Field(ge=0, le=1)]
    """Weight of the distance from the statistics of the classes of a batch; the whole training
    split has the rest."""
    class_patches: Literal["swapped", "right"]
    """Swapped: means of patches are matched to variances of a class, and variances to means."""
    flatness_weight: float = Field(ge=0)
    """Of the divergence from the answer to the images' moving average."""
    flatness_decay: Annotated[float, Field(ge=0, lt=1)]
    """Share of the past in that average."""
    flatness_temperature: float = Field(gt=0)


def _feature_statistics_work(p: FeatureStatisticsParams, facts: Facts) -> Work:
    return passes(facts, p.network, p.dataset, 0, p.dataset.train_size)


def _match_work(p: MatchParams, facts: Facts, cost: int) -> Work:
    """Each image is seen by one backbone an iteration, by all of them equally often."""
    seen = p.per_class * p.dataset.classes * p.iterations
    flops = [facts.forward_flops(network, p.dataset.resolution) for network in p.networks]
    return Work(samples=seen, flops=cost * seen * sum(flops) / len(flops))


def _gvbsm_work(p: GvbsmParams, facts: Facts) -> Work:
    return _match_work(p, facts, FROZEN)


def _edc_work(p: EdcParams, facts: Facts) -> Work:
    """For flatness, the average of the images is seen too."""
    return _match_work(p, facts, FROZEN + (p.flatness_weight > 0))


STEPS = (
    declare(
        "feature_statistics",
        "distill.backbones.measured",
        FeatureStatisticsParams,
        _feature_statistics_work,
        inputs=("teacher",),
    ),
    declare(
        "distill_gvbsm",
        "distill.backbones.gvbsm",
        GvbsmParams,
        _gvbsm_work,
        inputs=("teacher*", "statistics*"),
    ),
    declare(
        "distill_edc",
        "distill.backbones.edc",
        EdcParams,
        _edc_work,
        inputs=("start", "teacher*", "statistics*"),
    ),
)
