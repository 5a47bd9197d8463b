"""The steps that the lab can do: their parameters, inputs and costs.

Neither torch nor numpy is imported here, so that planning stays cheap. Each `StepType` names the
function that does the work; it is imported only when a step runs.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, model_validator

from harness.lab.recipe import NEUTRAL, Count, CropScale, DatasetRef, Recipe
from harness.plan.step import Facts, StepParams, StepType, Work


class TeacherParams(StepParams):
    dataset: DatasetRef
    network: str
    recipe: Recipe
    pretrained: str = ""
    """Name of torchvision weights such as IMAGENET1K_V1; empty: train on the training split."""


class DynamicsParams(StepParams):
    dataset: DatasetRef
    network: str
    recipe: Recipe
    """Its `epochs` are not used: `samples` is the length of the run."""
    samples: Annotated[int, Field(ge=2)]
    """Training examples seen in the whole run; the schedule ends exactly there."""
    looks: Count
    """Evenly spaced points of the run at which every example is scored, the last at its end."""


class El2nParams(StepParams):
    dataset: DatasetRef
    network: str
    recipe: Recipe
    runs: Count
    epoch: Count
    """Epochs after which every example is scored."""

    @model_validator(mode="after")
    def _within_the_run(self) -> El2nParams:
        if self.epoch > self.recipe.run_epochs:
            raise ValueError(
                f"scores after epoch {self.epoch} are asked for, but the run has "
                f"{self.recipe.run_epochs}; score earlier, or train longer"
            )
        return self


Window: TypeAlias = Annotated[int, Field(ge=2)]
Probability: TypeAlias = Literal["probability", "train_probability"]


class DynUncParams(StepParams):
    window: Window = 10
    signal: Probability
    drop_last: bool
    """Leave out the window that ends at the last look, as the official loop does."""


class DualParams(StepParams):
    window: Window
    looks: Count
    """Only the first so many looks count."""
    signal: Probability


class CadParams(StepParams):
    window: Window | Literal["span"]
    """Looks per window; `span`: as many as `tail` windows before the last look leave room for."""
    tail: Count
    """Number of last windows that are averaged."""
    signal: Literal["el2n", "probability"]


class SelectParams(StepParams):
    """What every selection has; no class can give more images than it has."""

    dataset: DatasetRef
    per_class: Count

    @model_validator(mode="after")
    def _enough_images(self) -> SelectParams:
        if self.per_class > self.dataset.smallest_class:
            raise ValueError(
                f"{self.per_class} images per class are asked for, but the smallest class of "
                f"'{self.dataset.name}' has {self.dataset.smallest_class}; ask for fewer"
            )
        return self


class TopParams(SelectParams):
    balanced: bool
    keep: Literal["highest", "lowest"] = "highest"


class WindowParams(SelectParams):
    network: str
    recipe: Recipe
    """Of the students that judge the windows."""
    starts: tuple[Annotated[float, Field(ge=0, le=1)], ...] = Field(min_length=1)
    """Shares of a class, less one window, at which windows start; 0 is the hard end."""
    chosen_on: Literal["test", "held-out"]


class BetaParams(SelectParams):
    balanced: bool
    c_d: float = Field(gt=0)
    """How slowly the sampling turns to easy examples as more is pruned."""


class RandomParams(SelectParams):
    """Uniform within each class."""


class CentersParams(SelectParams):
    network: str
    """Of the teacher whose features are used."""
    kcenter: Literal["greedy", "greedy-from-mean", "k-means"]
    balanced: bool


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

    @model_validator(mode="after")
    def _whole_patches(self) -> StitchParams:
        _check_factor(self.factor, self.dataset)
        return self


class SoftLabelsParams(StepParams):
    dataset: DatasetRef
    network: str
    """Of the teacher."""
    per_class: Count
    mode: Literal["eval", "train"]
    """Whether the teacher's norms use running statistics or those of the batch."""


class StudentParams(StepParams):
    dataset: DatasetRef
    network: str
    recipe: Recipe
    factor: Count = 1
    """Of the PatchShuffle augmentation; 1 is none."""
    per_class: Count
    """Images per class of the input, so that its cost is known before it exists; checked then."""

    @model_validator(mode="after")
    def _whole_patches(self) -> StudentParams:
        _check_factor(self.factor, self.dataset)
        return self


def _check_factor(factor: int, dataset: DatasetRef) -> None:
    if dataset.resolution % factor:
        raise ValueError(
            f"factor {factor} does not divide the {dataset.resolution}-pixel side of the images "
            f"of '{dataset.name}'; choose a factor that does"
        )


def _work(facts: Facts, network: str, dataset: DatasetRef, trained: int, scored: int) -> Work:
    """A training pass costs three forward passes (forward, and twice that backward)."""
    flops = facts.forward_flops(network, dataset.resolution)
    return Work(samples=trained + scored, flops=(3 * trained + scored) * flops)


def _no_work(params: StepParams, facts: Facts) -> Work:
    """Array arithmetic: no pass through a network."""
    return Work(samples=0, flops=0)


def _teacher_work(p: TeacherParams, facts: Facts) -> Work:
    trained = 0 if p.pretrained else p.recipe.run_epochs * p.dataset.train_size
    return _work(facts, p.network, p.dataset, trained, p.dataset.test_size)


def _dynamics_work(p: DynamicsParams, facts: Facts) -> Work:
    scored = p.looks * p.dataset.train_size + p.dataset.test_size
    return _work(facts, p.network, p.dataset, p.samples, scored)


def _el2n_work(p: El2nParams, facts: Facts) -> Work:
    size = p.dataset.train_size
    return _work(facts, p.network, p.dataset, p.runs * p.epoch * size, p.runs * size)


def _window_work(p: WindowParams, facts: Facts) -> Work:
    trained = p.recipe.run_epochs * p.per_class * p.dataset.classes
    count = len(p.starts)
    return _work(facts, p.network, p.dataset, count * trained, count * p.dataset.test_size)


def _centers_work(p: CentersParams, facts: Facts) -> Work:
    return _work(facts, p.network, p.dataset, 0, p.dataset.train_size)


def _stitch_work(p: StitchParams, facts: Facts) -> Work:
    """The pool is an input, so its size is a guess: RDED's 300 per class, or what is needed."""
    pool = p.dataset.classes * max(300, p.per_class * p.factor**2)
    return _work(facts, p.network, p.dataset, 0, p.crops * min(pool, p.dataset.train_size))


def _soft_labels_work(p: SoftLabelsParams, facts: Facts) -> Work:
    return _work(facts, p.network, p.dataset, 0, p.per_class * p.dataset.classes)


def _student_work(p: StudentParams, facts: Facts) -> Work:
    trained = p.recipe.run_epochs * p.per_class * p.dataset.classes
    return _work(facts, p.network, p.dataset, trained, p.dataset.test_size)


def _online_work(p: StudentParams, facts: Facts) -> Work:
    """The teacher answers to everything that the student is trained on."""
    taught = p.recipe.run_epochs * p.per_class * p.dataset.classes
    own = _student_work(p, facts)
    answers = _work(facts, p.recipe.teacher, p.dataset, 0, taught)
    return Work(samples=own.samples + answers.samples, flops=own.flops + answers.flops)


STEPS: tuple[StepType, ...] = (
    StepType(
        name="teacher",
        params=TeacherParams,
        function="harness.lab.teacher:teacher",
        inputs=(),
        revision=1,
        cost=_teacher_work,
        probe="harness.lab.probes:teacher",
        neutral=NEUTRAL,
    ),
    StepType(
        name="dynamics",
        params=DynamicsParams,
        function="harness.lab.dynamics:dynamics",
        inputs=(),
        revision=1,
        cost=_dynamics_work,
        probe="harness.lab.probes:dynamics",
        neutral=NEUTRAL,
    ),
    StepType(
        name="dyn_unc_score",
        params=DynUncParams,
        function="harness.lab.scores:dyn_unc_score",
        inputs=("dynamics",),
        revision=1,
        cost=_no_work,
        probe="harness.lab.probes:dyn_unc_score",
    ),
    StepType(
        name="dual_score",
        params=DualParams,
        function="harness.lab.scores:dual_score",
        inputs=("dynamics",),
        revision=1,
        cost=_no_work,
        probe="harness.lab.probes:dual_score",
    ),
    StepType(
        name="cad_score",
        params=CadParams,
        function="harness.lab.scores:cad_score",
        inputs=("dynamics",),
        revision=1,
        cost=_no_work,
        probe="harness.lab.probes:cad_score",
    ),
    StepType(
        name="el2n_score",
        params=El2nParams,
        function="harness.lab.el2n:el2n_score",
        inputs=(),
        revision=1,
        cost=_el2n_work,
        probe="harness.lab.probes:el2n_score",
        neutral=NEUTRAL,
    ),
    StepType(
        name="select_top",
        params=TopParams,
        function="harness.lab.select:select_top",
        inputs=("score",),
        revision=1,
        cost=_no_work,
        probe="harness.lab.probes:select_top",
        neutral={"keep": "highest"},
    ),
    StepType(
        name="select_beta",
        params=BetaParams,
        function="harness.lab.select:select_beta",
        inputs=("score",),
        revision=1,
        cost=_no_work,
        probe="harness.lab.probes:select_beta",
    ),
    StepType(
        name="select_window",
        params=WindowParams,
        function="harness.lab.el2n:select_window",
        inputs=("score",),
        revision=1,
        cost=_window_work,
        probe="harness.lab.probes:select_window",
        neutral=NEUTRAL,
    ),
    StepType(
        name="select_random",
        params=RandomParams,
        function="harness.lab.select:select_random",
        inputs=(),
        revision=1,
        cost=_no_work,
        probe="harness.lab.probes:select_random",
    ),
    StepType(
        name="select_centers",
        params=CentersParams,
        function="harness.lab.centers:select_centers",
        inputs=("teacher",),
        revision=1,
        cost=_centers_work,
        probe="harness.lab.probes:select_centers",
    ),
    StepType(
        name="stitch",
        params=StitchParams,
        function="harness.lab.stitch:stitch",
        inputs=("pool", "teacher"),
        revision=1,
        cost=_stitch_work,
        probe="harness.lab.probes:stitch",
    ),
    StepType(
        name="student",
        params=StudentParams,
        function="harness.lab.student:student",
        inputs=("images",),
        revision=1,
        cost=_student_work,
        probe="harness.lab.probes:student",
        neutral=NEUTRAL,
    ),
    StepType(
        name="soft_labels",
        params=SoftLabelsParams,
        function="harness.lab.soft:soft_labels",
        inputs=("images", "teacher"),
        revision=1,
        cost=_soft_labels_work,
        probe="harness.lab.probes:soft_labels",
    ),
    StepType(
        name="student_stored",
        params=StudentParams,
        function="harness.lab.student:student_stored",
        inputs=("images", "soft_labels"),
        revision=1,
        cost=_student_work,
        probe="harness.lab.probes:student_stored",
        neutral=NEUTRAL,
    ),
    StepType(
        name="student_online",
        params=StudentParams,
        function="harness.lab.student:student_online",
        inputs=("images", "teacher"),
        revision=1,
        cost=_online_work,
        probe="harness.lab.probes:student_online",
        neutral=NEUTRAL,
    ),
)
