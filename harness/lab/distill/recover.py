"""Recovering images from the statistics of a teacher's BatchNorm layers (SRe2L, DWA, FADRM).

Batches of one image of each of some classes descend the teacher's cross-entropy on a random view of
them, plus the distance of the view's statistics from those that its BatchNorm layers keep.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from pydantic import Field, model_validator

from harness.lab.probing import DATASET, NETWORK, chosen, taught
from harness.lab.recipe import Count, CropScale, DatasetRef, passes
from harness.later import np, torch
from harness.plan.step import (
    Facts,
    Neutral,
    Probe,
    StepContext,
    StepInput,
    StepParams,
    StepResult,
    Work,
    declare,
)

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from harness.lab.distill.recovery import ImageBatch, Recovered, Recovery

Quality: TypeAlias = Annotated[int, Field(ge=0, le=95)]
"""Quality of the JPEG that images are kept as; 0 keeps them as they are."""

Rounding: TypeAlias = Literal["nearest", "down"]
"""How pixels become bytes. Down: they are cut off, as in the official codes, so that an image is
darker by half a shade on average."""

FROZEN = 2
"""Cost of an image under a frozen network, in forward passes: the answer, and its gradient with
respect to the input of each layer."""


class RecoveryParams(StepParams):
    """The parameters that every recovery of images has."""

    dataset: DatasetRef
    per_class: Count
    iterations: Count
    """Iterations of each descent."""
    learning_rate_pixels: float = Field(gt=0)
    """Adam's first learning rate, which falls by a cosine to 0."""
    first_layer_weight: float = Field(ge=0)
    """Weight of the first layer that is matched; the others weigh 1."""
    augmentation: str
    """Each method says which augmentations it has."""
    crop_scale: CropScale
    """Share of the area that the random resized crop keeps."""
    roll: int = Field(ge=0)
    """Pixels that a view is rolled by at most, down and to the right."""
    jpeg_quality: Quality = 0
    rounding: Annotated[Rounding, Neutral("nearest")] = "nearest"
    precision: Literal["float32", "float64"] = "float32"


class RecoverParams(RecoveryParams):
    """The parameters that SRe2L, DWA and FADRM have in common."""

    network: str
    """The teacher, which has BatchNorm layers."""
    class_batch: Count
    """Classes that are made together, one image of each."""
    bn_weight: float = Field(ge=0)
    """Weight of the distance of statistics, beside the cross-entropy."""
    variance_weight: float = Field(ge=0)
    """Weight of the variances, beside the means."""
    augmentation: Literal["none", "rrc-flip"]


class DwaParams(RecoverParams):
    perturbation_iterations: int = Field(ge=0)
    perturbation_size: float = Field(ge=0)
    """Length of the climb of the teacher's weights up its loss on a batch, in all."""


class FadrmParams(RecoverParams):
    stages: tuple[Count, ...] = Field(min_length=1)
    """Sides of the images in each of the descents, in pixels."""
    residual: Annotated[float, Field(ge=0, le=1)]
    """Share of the images that is kept when patches are mixed in."""

    @model_validator(mode="after")
    def _ends_at_the_resolution(self) -> FadrmParams:
        if self.stages[-1] != self.dataset.resolution:
            raise ValueError(
                f"the last of 'stages' is {self.stages[-1]} pixels, but the images of "
                f"'{self.dataset.name}' have {self.dataset.resolution}; end there"
            )
        return self


def distill_sre2l(
    params: RecoverParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> StepResult:
    """Recover images from Gaussian noise (SRe2L, Yin et al. 2023).

    The record is that of `Recovery.run`. Draws: "first" and "synthesis" of each batch.
    Raises `UserError` if the teacher has no BatchNorm layer.
    """
    recovery = _recovery(params, inputs, ctx)

    def recover(batch: ImageBatch) -> Recovered:
        return _descend(params, recovery, recovery.noise(batch), batch)

    return recovery.run(recover)


def distill_dwa(params: DwaParams, inputs: Mapping[str, StepInput], ctx: StepContext) -> StepResult:
    """As `distill_sre2l`, from given images and with a teacher that is perturbed (Du et al. 2024).

    Before a batch descends, the weights climb its cross-entropy on the first view that it will
    have. Climbs of the batches of one image of each class add up; the next image of each class
    begins with the teacher as it was given.
    """

    from harness.lab.distill.recovery import Start, climb
    from harness.lab.train.loop import Examples

    recovery = _recovery(params, inputs, ctx)
    start = Start.of(params.dataset, params.per_class, inputs["start"])
    teacher = recovery.teacher
    given = {name: tensor.clone() for name, tensor in teacher.network.state_dict().items()}

    def recover(batch: ImageBatch) -> Recovered:
        images = start.images(batch, teacher)
        if batch.labels[0] == 0:
            teacher.network.load_state_dict(given)
        # The descent draws from the same seed.
        drawn = torch.Generator().manual_seed(recovery.part(batch).derive("synthesis"))
        view = Examples(recovery.view(images, drawn), batch.labels)
        climb(teacher, view, params.perturbation_iterations, params.perturbation_size)
        return _descend(params, recovery, images, batch)

    return recovery.run(recover)


def distill_fadrm(
    params: FadrmParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> StepResult:
    """As `distill_sre2l`, from patches that are mixed in again after each stage (Cui et al. 2025).

    Each stage has a resolution, a new optimiser and `iterations` steps. Between two of them the
    images become `residual` x images + (1 - `residual`) x patches, at the next resolution.
    """

    from harness.lab.distill.recovery import Start, resized

    recovery = _recovery(params, inputs, ctx, len(params.stages))
    start = Start.of(params.dataset, params.per_class, inputs["start"])

    def recover(batch: ImageBatch) -> Recovered:
        patches = start.images(batch, recovery.teacher)
        # A descent moves its images in place.
        images = patches.clone()
        losses = []
        for stage, side in enumerate(params.stages):
            images, patch = resized(images, side), resized(patches, side)
            if stage > 0:
                images = params.residual * images + (1 - params.residual) * patch
            images, own = _descend(params, recovery, images, batch, stage)
            losses.append(own)
        return images, np.concatenate(losses)

    return recovery.run(recover)


def _recovery(
    params: RecoverParams, inputs: Mapping[str, StepInput], ctx: StepContext, stages: int = 1
) -> Recovery:
    """Batches of the first image of every class come first, then those of the second, and so on."""

    from harness.lab.distill.recovery import Recovery, batched
    from harness.lab.models.classifier import Classifier

    weights = inputs["teacher"].tensors("weights")
    teacher = Classifier.stored(
        params.network, params.dataset, ctx.device, weights, params.precision
    )
    teacher.network.eval()
    classes = torch.arange(params.dataset.classes).split(params.class_batch)
    labels = [part for _ in range(params.per_class) for part in classes]
    indices = [torch.full_like(p, index) for index in range(params.per_class) for p in classes]
    return Recovery(params, teacher, batched(indices, labels, ctx.device), ctx, stages)


def _descend(
    params: RecoverParams, recovery: Recovery, images: Tensor, batch: ImageBatch, stage: int = 0
) -> Recovered:
    """Descend `recovery_loss` on a new view of the images in each iteration."""
    from harness.lab.distill.recovery import batchnorm_layers, recovery_loss

    layers = batchnorm_layers(recovery.teacher)

    def loss(iteration: int, pixels: Tensor, drawn: Generator) -> Tensor:
        view = recovery.view(pixels, drawn)
        return recovery_loss(params, recovery.teacher, layers, view, batch.labels)

    return recovery.descend(images, batch, loss, stage)


def _sre2l_work(p: RecoverParams, facts: Facts) -> Work:
    seen = p.iterations * p.per_class * p.dataset.classes
    return Work(seen, FROZEN * seen * facts.forward_flops(p.network, p.dataset.resolution))


def _dwa_work(p: DwaParams, facts: Facts) -> Work:
    made = p.per_class * p.dataset.classes
    climbs = passes(facts, p.network, p.dataset, p.perturbation_iterations * made, 0)
    return climbs + _sre2l_work(p, facts)


def _fadrm_work(p: FadrmParams, facts: Facts) -> Work:
    seen = p.iterations * p.per_class * p.dataset.classes
    flops = sum(facts.forward_flops(p.network, side) for side in p.stages)
    return Work(len(p.stages) * seen, FROZEN * seen * flops)


def _probe(kind: type[RecoverParams], start: bool, **own: Any) -> Probe:
    params = kind(
        dataset=DATASET,
        network=NETWORK,
        per_class=2,
        class_batch=3,
        iterations=3,
        learning_rate_pixels=0.25,
        bn_weight=0.5,
        first_layer_weight=10.0,
        variance_weight=2.0,
        augmentation="rrc-flip",
        crop_scale=(0.3, 1.0),
        roll=2,
        precision="float64",
        **own,
    )
    inputs = {"teacher": taught()}
    return Probe(params, inputs | {"start": chosen(per_class=2)} if start else inputs)


STEPS = (
    declare(
        distill_sre2l, lambda: _probe(RecoverParams, start=False), _sre2l_work, inputs=("teacher",)
    ),
    declare(
        distill_dwa,
        lambda: replace(
            _probe(DwaParams, start=True, perturbation_iterations=2, perturbation_size=0.5),
            variants=({"perturbation_size": 0.0},),
        ),
        _dwa_work,
        inputs=("start", "teacher"),
    ),
    declare(
        distill_fadrm,
        lambda: _probe(FadrmParams, start=True, stages=(8, 8), residual=0.5),
        _fadrm_work,
        inputs=("start", "teacher"),
        revision=2,
    ),
)
