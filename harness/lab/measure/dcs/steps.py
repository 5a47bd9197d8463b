"""What a Distillation Correlation Score is made of: parameters, inputs and costs.

Losses of distillation on a given subset, which is not changed; subsets that repeat themselves; and
students judged out of distribution. Neither torch nor numpy is imported here, so that planning
stays cheap.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from harness.lab.declare import declare, no_work, passes
from harness.lab.recipe import Count, CropScale, DatasetRef, Share
from harness.lab.train.student import StudentParams
from harness.plan.step import Facts, Neutral, StepParams, Work


class RepeatParams(StepParams):
    """The first `per_class` / `times` images of every class, rounded up, over and over."""

    dataset: DatasetRef
    per_class: Count
    """Images per class of the result."""
    times: Annotated[int, Field(ge=2)] = 2


class BnLossParams(StepParams):
    """Equation 1 of the supplement, Equation 2 with `variance_weight` and a perturbation."""

    dataset: DatasetRef
    network: str
    """Of the teacher; it has BatchNorm layers."""
    per_class: Count
    """Images per class of the input, so that its cost is known before it exists; checked then."""
    variance: Literal["biased", "unbiased"]
    aggregation: Literal["whole", "mean", "running"]
    """Whole: statistics of the whole subset. Mean: of each batch, and the mean of the batches'
    losses. Running: of each batch, in a moving average over the batches."""
    batch_size: Count
    """Of batches, where statistics are not those of the whole."""
    batches: Literal["class-mixed", "class-wise"]
    """One image of every class in turn, as the official codes make them, or class by class."""
    momentum: Share
    """Share of each new batch in the moving average, which starts at the first batch."""
    augmentation: Literal["none", "rrc-flip"]
    """One random view of each image, or the image."""
    crop_scale: CropScale
    """Of the random resized crop."""
    first_layer_weight: float = Field(ge=0)
    """Of the first layer's terms; the others weigh 1."""
    variance_weight: float = Field(ge=0)
    bn_weight: float = Field(gt=0)
    cross_entropy: bool
    """Whether the teacher's cross-entropy is added, which weighs 1."""
    perturbation_iterations: int = Field(ge=0)
    perturbation_size: float = Field(ge=0)
    """Length of DWA's climb of the teacher's weights up its loss on the subset, in all."""


class MatchingParams(StepParams):
    """What the losses of the bi-level distillers have in common."""

    dataset: DatasetRef
    network: str
    per_class: Count
    dsa_strategy: str = ""
    """Names of groups of operations, joined by `_`, of which one is drawn for each batch; real and
    synthetic images meet the same. Empty: no augmentation."""
    precision: Literal["float32", "float64"] = "float32"


class RandomNetworksParams(MatchingParams):
    networks: Count
    """Random networks that the loss is averaged over."""
    real_batch_size: int = Field(ge=0)
    """Random real images of each class, anew for each network; 0: all."""
    norms: Literal["batch", "initial"]
    """Batch norms use the statistics of what they are given, a class at a time, as the official
    codes have it, or those that they start with, so that they change nothing. Other norms do not
    mind."""


class DmLossParams(RandomNetworksParams):
    means: Literal["per-class", "whole-set"]
    """The official code compares the means of each class, and adds; Equation 5 those of all."""


class DcLossParams(RandomNetworksParams):
    """Between two of its `outer_loops` comparisons, a network learns from the subset."""

    outer_loops: Count
    inner_loops: Count
    """Epochs of that learning."""
    learning_rate: float = Field(gt=0)
    """Of that learning, as is `batch_size`."""
    batch_size: Count
    distance: Literal["cosine-rows", "cosine", "mse"]


class TmLossParams(MatchingParams):
    starts: tuple[Annotated[int, Field(ge=0)], ...] = Field(min_length=1)
    """Epochs of the experts from which steps on the subset start."""
    t_minus: int = Field(ge=0)
    t_plus: int = Field(ge=0)
    """The loss is the mean over the starts between these two epochs, both included."""
    n: Count
    """Steps on the subset."""
    m: Count
    """Epochs of the expert on real images."""
    experts: Count
    """How many the input holds, so that the cost is known before it exists."""
    learning_rate: float = Field(ge=0)
    """Of the steps on the subset."""
    batch_size: int = Field(ge=0)
    """0: the whole subset."""
    labels: Literal["classes", "learned"] = "classes"
    """Learned: the soft labels that the synthesis learned, where the input holds them."""

    @model_validator(mode="after")
    def _a_start_counts(self) -> TmLossParams:
        if not any(self.t_minus <= start <= self.t_plus for start in self.starts):
            raise ValueError("none of 'starts' lies between t_minus and t_plus")
        return self


class OodParams(StudentParams):
    corruptions: tuple[
        Literal["gaussian-noise", "gaussian-blur", "contrast", "brightness", "pixelate"], ...
    ] = Field(min_length=1)
    severities: tuple[Annotated[int, Field(ge=1, le=5)], ...] = Field(min_length=1)
    pictures: Annotated[str, Neutral("")] = ""
    """Fingerprint of a folder of corrupted pictures that are used instead of these; empty: none."""


class SynthesisPathParams(StepParams):
    iterations: tuple[Count, ...] = Field(min_length=1)
    """Of each synthesis, one after the other."""


def _bn_work(p: BnLossParams, facts: Facts) -> Work:
    size = p.per_class * p.dataset.classes
    return passes(facts, p.network, p.dataset, p.perturbation_iterations * size, size)


def _real(p: RandomNetworksParams) -> float:
    """Real images that one network sees at a time."""
    whole = p.dataset.train_size / p.dataset.classes
    return p.dataset.classes * min(p.real_batch_size or whole, whole)


def _dm_work(p: DmLossParams, facts: Facts) -> Work:
    seen = p.networks * (_real(p) + p.per_class * p.dataset.classes)
    return passes(facts, p.network, p.dataset, 0, round(seen))


def _dc_work(p: DcLossParams, facts: Facts) -> Work:
    size = p.per_class * p.dataset.classes
    compared = p.outer_loops * (_real(p) + size)
    learned = (p.outer_loops - 1) * p.inner_loops * size
    return passes(facts, p.network, p.dataset, round(p.networks * (compared + learned)), 0)


def _tm_work(p: TmLossParams, facts: Facts) -> Work:
    size = p.per_class * p.dataset.classes
    steps = p.experts * len(p.starts) * p.n
    return passes(facts, p.network, p.dataset, steps * min(p.batch_size or size, size), 0)


def _ood_work(p: OodParams, facts: Facts) -> Work:
    trained = p.recipe.run_epochs * p.per_class * p.dataset.classes
    judged = (1 + len(p.corruptions) * len(p.severities)) * p.dataset.test_size
    return passes(facts, p.network, p.dataset, trained, judged, p.recipe.precision)


STEPS = (
    declare("repeat", "measure.dcs.repeat", RepeatParams, no_work, inputs=("images",)),
    declare(
        "bn_loss", "measure.dcs.batchnorm", BnLossParams, _bn_work, inputs=("images", "teacher")
    ),
    declare("dm_loss", "measure.dcs.features", DmLossParams, _dm_work, inputs=("images",)),
    declare("dc_loss", "measure.dcs.gradients", DcLossParams, _dc_work, inputs=("images",)),
    declare(
        "tm_loss",
        "measure.dcs.trajectories",
        TmLossParams,
        _tm_work,
        inputs=("images", "experts"),
    ),
    declare(
        "synthesis_path",
        "measure.dcs.path",
        SynthesisPathParams,
        no_work,
        inputs=("synthesis*", "student*"),
    ),
    declare(
        "student_ood",
        "measure.dcs.ood",
        OodParams,
        _ood_work,
        inputs=("images",),
    ),
)
