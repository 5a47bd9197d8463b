"""Matching the statistics of several backbones: their measurement, G-VBSM and EDC.

No exhibit uses these methods. The folder needs the recovery loop, and nothing needs the folder.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from pydantic import Field

from harness.lab.distill.recover import FROZEN, RecoveryParams
from harness.lab.probing import DATASET, chosen, taught, weights_file
from harness.lab.recipe import Count, CropScale, CropsOf, NetworkParams, passes
from harness.later import torch
from harness.plan.step import (
    Facts,
    MemoryInput,
    Probe,
    StepContext,
    StepInput,
    StepResult,
    Work,
    declare,
)

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from harness.lab.distill.backbones.matched import Averages
    from harness.lab.distill.recovery import ImageBatch, Recovered

Augmentation: TypeAlias = Literal["none", "crop-flip", "rrc-flip"]


class FeatureStatisticsParams(NetworkParams):
    patch: Count
    """Side of the patches that the maps of a convolution are cut into."""
    by_class: bool
    """Whether the statistics of each class are measured too, of BatchNorm layers as well."""
    augmentation: Augmentation
    """How the backbone sees the training split, each image once."""
    crop_scale: CropScale
    precision: Literal["float32", "float64"] = "float32"
    train_resize: CropsOf = "256"


class MatchParams(RecoveryParams):
    """The parameters that G-VBSM and EDC have in common."""

    networks: tuple[str, ...] = Field(min_length=1)
    """The backbones; each iteration asks the next one."""
    batch_size: Count
    """Images that are made together, class after class."""
    statistics_weight: float = Field(ge=0)
    """Weight of the distance of statistics, beside the cross-entropy."""
    patch: Count
    """Side of the patches, as in the statistics."""
    ema: Annotated[float, Field(ge=0, lt=1)]
    """Share of the past in the moving average of the images' statistics."""
    ema_start: Literal["zero", "first"]
    """Whether the average starts at zero, or at the statistics of the first pass."""
    drop_rate: Annotated[float, Field(ge=0, lt=1)]
    """Share of the convolutions that are left out of an iteration, at random."""
    augmentation: Augmentation


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
    """Weight of the divergence from the answer to the images' moving average."""
    flatness_decay: Annotated[float, Field(ge=0, lt=1)]
    """Share of the past in that average."""
    flatness_temperature: float = Field(gt=0)


def feature_statistics(
    params: FeatureStatisticsParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> StepResult:
    """Means and variances of the inputs of the layers, in one pass over the training split.

    Tensors `statistics`: `layer/kind/mean` and `layer/kind/variance`, float64 (groups,), of the
    convolutions; layers by their names in the network, kinds `channel` and `patch`. The variance is
    that of the whole split, where the official codes average those of random batches.

    With `by_class`, tensors `classes` of the same names, (classes, groups) in the type of the
    weights, for BatchNorm layers too: means over the images of a class of the mean and the variance
    inside each image, as EDC's code has it.

    Value `images`, the number seen. Draws: "views".
    """

    from harness.lab.data import sets
    from harness.lab.distill.backbones.moments import SplitMoments, add_batch, layers_of
    from harness.lab.models.classifier import Classifier
    from harness.lab.train.loop import Examples

    weights = inputs["teacher"].tensors("weights")
    backbone = Classifier.stored(
        params.network, params.dataset, ctx.device, weights, params.precision
    )
    backbone.network.eval()
    layers = layers_of(backbone.network, params.network)
    train = sets.load(params.dataset).train
    examples = Examples.of(train, ctx.device)
    drawn = torch.Generator().manual_seed(ctx.derive("views"))
    saved = ctx.checkpoints.load()
    sums = SplitMoments.restored(saved, drawn, ctx.device) if saved else SplitMoments()
    order = torch.arange(len(examples))
    for first in range(sums.seen, len(examples), backbone.at_once):
        rows = order[first : first + backbone.at_once]
        ctx.report(sums.seen / len(examples), f"image {sums.seen} of {len(examples)}")
        add_batch(sums, params, backbone, layers, examples, rows, drawn)
        if ctx.checkpoints.due():
            ctx.checkpoints.save(sums.saved(drawn))
    found = {"statistics": sums.whole}
    if params.by_class:
        found["classes"] = sums.means_of_classes(train.labels, params.dataset.classes)
    tensors = {
        name: {key: tensor.cpu().contiguous().numpy() for key, tensor in own.items()}
        for name, own in found.items()
    }
    return StepResult({"images": sums.seen}, tensors=tensors)


def distill_gvbsm(
    params: GvbsmParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> StepResult:
    """Generalised matching of several backbones' statistics (G-VBSM, Shao et al. 2024).

    Images are recovered from Gaussian noise by several backbones, one an iteration. Each descends
    its cross-entropy on a view, the distance of the statistics in its layers from those of the
    training split, and the densification of the classes of the batch. Inputs `teacher.0`,
    `statistics.0` and so on, in the order of `networks`. The record is that of `Recovery.run`.
    Draws: "first" and "synthesis" of each batch. Raises `UserError` if a backbone has no layer to
    match.
    """

    from harness.lab.distill.backbones.matched import Matching, densification

    matching = Matching.of(params, inputs, ctx)

    def recover(batch: ImageBatch) -> Recovered:
        def loss(iteration: int, pixels: Tensor, drawn: Generator, averages: Averages) -> Tensor:
            view = matching.view(pixels, drawn)
            passed = matching.forward(batch, iteration, view, averages, drawn)
            matched = passed.distance(passed.backbone.targets, params.first_layer_weight)
            dense = densification(view, batch.labels, params.densification_temperature)
            return (
                torch.nn.functional.cross_entropy(passed.logits, batch.labels)
                + params.statistics_weight * matched
                + params.densification_weight * dense
            )

        return matching.descend(matching.recovery.noise(batch), batch, loss)

    return matching.recovery.run(recover)


def distill_edc(params: EdcParams, inputs: Mapping[str, StepInput], ctx: StepContext) -> StepResult:
    """As `distill_gvbsm`, but from given images, and matched to their classes too (EDC, Shao 2024).

    The distance of statistics is that from the training split, by `1 - class_share`, and that from
    the mean over the labels of the batch of the statistics of their classes, by `class_share`.
    Images begin as those of the input `start`, each as its own, where the official code draws one
    of its class with replacement. The official commands leave the flatness of the loss out, and so
    do the defaults of this project's specs. Draws: "synthesis" of each batch.
    Raises `UserError` unless `start` holds as many images of each class as are to be made.
    """

    from harness.lab.distill.backbones.matched import Matching, class_targets, unevenness
    from harness.lab.distill.recovery import Start

    matching = Matching.of(params, inputs, ctx, by_class=True)
    start = Start.of(params.dataset, params.per_class, inputs["start"])

    def recover(batch: ImageBatch) -> Recovered:
        first = start.images(batch, matching.recovery.teacher)
        smoothed = first.clone()
        classes = [class_targets(params, own, batch.labels) for own in matching.backbones]

        def loss(iteration: int, pixels: Tensor, drawn: Generator, averages: Averages) -> Tensor:
            shown = torch.cat([pixels, smoothed]) if params.flatness_weight else pixels
            views = matching.view(shown, drawn)
            passed = matching.forward(batch, iteration, views[: len(pixels)], averages, drawn)
            whole = passed.distance(passed.backbone.targets, params.first_layer_weight)
            own = passed.distance(classes[passed.number], params.first_layer_weight)
            matched = (1 - params.class_share) * whole + params.class_share * own
            total = torch.nn.functional.cross_entropy(passed.logits, batch.labels)
            total = total + params.statistics_weight * matched
            if params.flatness_weight:
                uneven = unevenness(passed, views[len(pixels) :], params.flatness_temperature)
                total = total + params.flatness_weight * uneven
                smoothed.lerp_(pixels.detach(), 1 - params.flatness_decay)
            return total

        return matching.descend(first, batch, loss, {"smoothed": smoothed})

    return matching.recovery.run(recover)


def _match_work(p: MatchParams, facts: Facts, cost: int) -> Work:
    """Each image is seen by one backbone an iteration, by all of them equally often."""
    seen = p.per_class * p.dataset.classes * p.iterations
    flops = [facts.forward_flops(network, p.dataset.resolution) for network in p.networks]
    return Work(samples=seen, flops=cost * seen * sum(flops) / len(flops))


def _edc_work(p: EdcParams, facts: Facts) -> Work:
    """With the flatness term, the average of the images passes the backbone too."""
    return _match_work(p, facts, FROZEN + (p.flatness_weight > 0))


NETWORKS = ("convnet-digits", "convnet-digits-instance")
"""The backbones of the probes."""


def statistics_probe(network: str = NETWORKS[0]) -> Probe:
    """The statistics of one backbone of the probes."""
    return Probe(
        FeatureStatisticsParams(
            dataset=DATASET,
            network=network,
            patch=3,
            by_class=True,
            augmentation="rrc-flip",
            crop_scale=(0.3, 1.0),
            precision="float64",
        ),
        {"teacher": taught(network)},
    )


def matching_probe() -> dict[str, Any]:
    """Parameters of a tiny matching, for the probes of both methods."""
    return {
        "dataset": DATASET,
        "networks": NETWORKS,
        "per_class": 2,
        "batch_size": 5,
        "iterations": 4,
        "learning_rate_pixels": 0.1,
        "statistics_weight": 0.5,
        "first_layer_weight": 10.0,
        "patch": 3,
        "ema": 0.4,
        "ema_start": "zero",
        "drop_rate": 0.3,
        "augmentation": "rrc-flip",
        "crop_scale": (0.3, 1.0),
        "roll": 2,
        "precision": "float64",
    }


def _edc_probe() -> Probe:
    return Probe(
        EdcParams(
            **matching_probe(),
            class_share=0.5,
            class_patches="swapped",
            flatness_weight=1.0,
            flatness_decay=0.5,
            flatness_temperature=4.0,
        ),
        known_backbones() | {"start": chosen(per_class=2)},
    )


def known_backbones() -> dict[str, MemoryInput]:
    """The backbones of the probes and their statistics."""
    teachers = {f"teacher.{i}": taught(name) for i, name in enumerate(NETWORKS)}
    return teachers | {f"statistics.{i}": _measured(name) for i, name in enumerate(NETWORKS)}


@cache
def _measured(network: str) -> MemoryInput:
    probe = statistics_probe(network)
    assert isinstance(probe.params, FeatureStatisticsParams)
    made = feature_statistics(probe.params, probe.inputs, StepContext("feature_statistics", 0))
    files = {name: weights_file(f"{name}-{network}", own) for name, own in made.tensors.items()}
    return MemoryInput(files=files)


STEPS = (
    declare(
        feature_statistics,
        statistics_probe,
        lambda p, facts: passes(facts, p.network, p.dataset, 0, p.dataset.train_size),
        inputs=("teacher",),
    ),
    declare(
        distill_gvbsm,
        lambda: Probe(
            GvbsmParams(
                **matching_probe() | {"densification_weight": 1.0, "densification_temperature": 4.0}
            ),
            known_backbones(),
        ),
        lambda p, facts: _match_work(p, facts, FROZEN),
        inputs=("teacher*", "statistics*"),
    ),
    declare(distill_edc, _edc_probe, _edc_work, inputs=("start", "teacher*", "statistics*")),
)
