"""Making images: parameters, inputs and costs.

Neither torch nor numpy is imported here, so that planning stays cheap.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, model_validator

from harness.lab.declare import declare, passes
from harness.lab.recipe import Count, CropScale, DatasetRef, Recipe, check_factor
from harness.plan.step import Facts, Neutral, StepParams, Work

Quality: TypeAlias = Annotated[int, Field(ge=0, le=95)]
"""Of the JPEG that images are kept in; 0: they are kept as they are."""


class StitchParams(StepParams):
    dataset: DatasetRef
    network: str
    """Of the teacher."""
    per_class: Count
    factor: Count
    """Each image is a grid of factor x factor patches."""
    crops: Count = 5
    """Random crops tried per source image."""
    crop_scale: CropScale
    jpeg_quality: Annotated[Quality, Neutral(0)] = 0

    @model_validator(mode="after")
    def _whole_patches(self) -> StitchParams:
        check_factor(self.factor, self.dataset)
        return self


class SynthesisParams(StepParams):
    """What all bi-level distillers need."""

    dataset: DatasetRef
    network: str
    per_class: Count
    iterations: Count
    learning_rate_pixels: float = Field(gt=0)
    """Of the synthetic images, as is `momentum`."""
    momentum: float = Field(default=0.5, ge=0, lt=1)
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
    """Of that learning, as is `network_batch_size`."""
    network_batch_size: Count
    distance: Literal["cosine-rows", "cosine", "mse"]


class ExpertsParams(StepParams):
    dataset: DatasetRef
    network: str
    recipe: Recipe
    count: Count


class TmParams(SynthesisParams):
    initial_images: Literal["noise", "real"]
    n: Count
    """Steps on synthetic images."""
    m: Count
    """Epochs of the expert on real ones."""
    t_plus: Count
    """Experts are met at an epoch below this."""
    learning_rate_rate: float = Field(ge=0)
    """By which the rate of the steps on synthetic images is learned."""
    first_learning_rate: float = Field(gt=0)
    """What that rate is at first."""
    synthetic_batch_size: int = Field(ge=0)
    """0: all synthetic images."""


class DatmParams(TmParams):
    initial_images: Literal["real", "correctly-classified"]
    t_minus: int = Field(ge=0)
    """Experts are met at this epoch or later."""
    t_first: Count
    """As `t_plus`, at the first iteration; from there it grows evenly to `t_plus`."""
    expansion: Count
    """Iterations of that growth."""
    learning_rate_labels: float = Field(ge=0)
    momentum_labels: float = Field(ge=0, lt=1)
    skip_above: float = Field(gt=0)
    """A loss above this changes nothing."""

    @model_validator(mode="after")
    def _a_window(self) -> DatmParams:
        if not self.t_minus < self.t_first <= self.t_plus:
            raise ValueError("t_minus < t_first <= t_plus does not hold: the window would be empty")
        return self


class RecoverParams(StepParams):
    """What SRe2L, DWA and FADRM have in common."""

    dataset: DatasetRef
    network: str
    """Of the teacher; it has BatchNorm layers."""
    per_class: Count
    class_batch: Count
    """Classes that are made together, one image of each."""
    iterations: Count
    """Of each descent."""
    learning_rate_pixels: float = Field(gt=0)
    """Of Adam, at first; it falls by a cosine to 0."""
    bn_weight: float = Field(ge=0)
    """Of the distance of statistics, beside the cross-entropy."""
    first_layer_weight: float = Field(ge=0)
    """Of the first BatchNorm layer; the others weigh 1."""
    variance_weight: float = Field(ge=0)
    """Of the variances, beside the means."""
    augmentation: Literal["none", "rrc-flip"]
    crop_scale: CropScale
    """Of the random resized crop."""
    roll: int = Field(ge=0)
    """Pixels that a view is rolled by at most, down and to the right."""
    jpeg_quality: Quality = 0
    precision: Literal["float32", "float64"] = "float32"


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


def _stitch_work(p: StitchParams, facts: Facts) -> Work:
    """The pool is an input, so its size is a guess: RDED's 300 per class, or what is needed."""
    pool = p.dataset.classes * max(300, p.per_class * p.factor**2)
    return passes(facts, p.network, p.dataset, 0, p.crops * min(pool, p.dataset.train_size))


# A pass costs one for the answer; two more for a gradient, one with respect to what goes into each
# layer and one to its weights. To go back through all three costs twice as much again.
FROZEN = 2
GRADIENT = 3
SECOND_ORDER = 9


def _work(p: SynthesisParams | RecoverParams, facts: Facts, *passed: tuple[float, int]) -> Work:
    """Images that pass the network in each iteration, and what one costs in forward passes."""
    flops = facts.forward_flops(p.network, p.dataset.resolution)
    return Work(
        samples=p.iterations * sum(images for images, _ in passed),
        flops=p.iterations * flops * sum(images * cost for images, cost in passed),
    )


def _reals(p: DmParams) -> float:
    """Real images of all classes in one batch of each."""
    whole = p.dataset.train_size / p.dataset.classes
    return p.dataset.classes * min(p.real_batch_size, whole)


def _dm_work(p: DmParams, facts: Facts) -> Work:
    return _work(p, facts, (_reals(p), 1), (p.per_class * p.dataset.classes, FROZEN))


def _dc_work(p: DcParams, facts: Facts) -> Work:
    made = p.per_class * p.dataset.classes
    return _work(
        p,
        facts,
        (p.outer_loops * _reals(p), GRADIENT),
        (p.outer_loops * made, SECOND_ORDER),
        ((p.outer_loops - 1) * p.inner_loops * made, GRADIENT),
    )


def _experts_work(p: ExpertsParams, facts: Facts) -> Work:
    trained = p.count * p.recipe.epochs * p.dataset.train_size
    return passes(
        facts, p.network, p.dataset, trained, p.count * p.dataset.test_size, p.recipe.precision
    )


def _tm_work(p: TmParams, facts: Facts) -> Work:
    made = p.per_class * p.dataset.classes
    batch = min(p.synthetic_batch_size or made, made)
    return _work(p, facts, (p.n * batch, SECOND_ORDER))


def _sre2l_work(p: RecoverParams, facts: Facts) -> Work:
    return _work(p, facts, (p.per_class * p.dataset.classes, FROZEN))


def _dwa_work(p: DwaParams, facts: Facts) -> Work:
    made = p.per_class * p.dataset.classes
    climbs = passes(facts, p.network, p.dataset, p.perturbation_iterations * made, 0)
    return climbs + _sre2l_work(p, facts)


def _fadrm_work(p: FadrmParams, facts: Facts) -> Work:
    shown = p.per_class * p.dataset.classes * p.iterations
    flops = sum(facts.forward_flops(p.network, side) for side in p.stages)
    return Work(samples=len(p.stages) * shown, flops=FROZEN * shown * flops)


STEPS = (
    declare(
        "stitch",
        "distill.stitch",
        StitchParams,
        _stitch_work,
        inputs=("pool", "teacher"),
    ),
    declare("distill_sre2l", "distill.recover", RecoverParams, _sre2l_work, inputs=("teacher",)),
    declare("distill_dwa", "distill.recover", DwaParams, _dwa_work, inputs=("start", "teacher")),
    declare(
        "distill_fadrm", "distill.recover", FadrmParams, _fadrm_work, inputs=("start", "teacher")
    ),
    declare("distill_dm", "distill.dm", DmParams, _dm_work),
    declare("distill_dc", "distill.dc", DcParams, _dc_work),
    declare("experts", "distill.experts", ExpertsParams, _experts_work),
    declare("distill_tm", "distill.tm", TmParams, _tm_work, inputs=("experts",)),
    declare("distill_datm", "distill.tm", DatmParams, _tm_work, inputs=("experts",)),
)
