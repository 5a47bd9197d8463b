"""Scoring and selecting training examples: parameters, inputs and costs.

Neither torch nor numpy is imported here, so that planning stays cheap.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, model_validator

from harness.lab.declare import declare, no_work, passes
from harness.lab.recipe import Count, DatasetRef, Recipe, Share
from harness.plan.step import Facts, Neutral, StepParams, Work


class DynamicsParams(StepParams):
    dataset: DatasetRef
    network: str
    recipe: Recipe
    """Its `epochs` are not used: `samples` is the length of the run."""
    samples: Annotated[int, Field(ge=2)]
    """Training examples seen in the run; its schedule ends exactly there."""
    looks: Count
    """Evenly spaced points of the run at which every example is scored, the last at its end."""
    schedule_samples: Annotated[int, Field(ge=0), Neutral(0)] = 0
    """Examples of the longer run that this is the beginning of, with its schedule; 0: of none."""

    @model_validator(mode="after")
    def _a_beginning_is_shorter(self) -> DynamicsParams:
        if 0 < self.schedule_samples < self.samples:
            raise ValueError(
                f"the first {self.samples} examples of a run of {self.schedule_samples} are asked "
                "for; a beginning is no longer than its run"
            )
        return self


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


class El2nSlParams(El2nParams):
    teacher: str
    """Network of the teacher of the soft labels."""
    temperature: float = Field(gt=0)


class GrandParams(El2nParams):
    gradient: Literal["all-parameters", "last-layer"]
    reduction: Literal["sum", "mean"]
    """Of the loss over a batch of the recipe's size. Mean: DeepCore's, which divides by the size
    of the example's batch."""


class VisitsParams(StepParams):
    dataset: DatasetRef
    network: str
    recipe: Recipe
    """Its `epochs` are not used."""
    epochs: Annotated[int, Field(ge=2)]
    """Length of the run, and visits of each example."""


class ForgettingParams(StepParams):
    never_learned: Literal["infinite", "zero"]
    """Score of an example that was never right."""


class TaughtParams(StepParams):
    """What every step has that asks a teacher about all training examples."""

    dataset: DatasetRef
    network: str
    """Of the teacher whose answers and features are used."""


class UncertaintyParams(TaughtParams):
    measure: Literal["largest-logit", "largest-probability", "entropy", "margin"]


class CalParams(TaughtParams):
    neighbours: Count
    divergence: Literal["from-neighbour", "symmetric"]
    balanced: bool
    """Whether neighbours are of an example's own class."""

    @model_validator(mode="after")
    def _enough_neighbours(self) -> CalParams:
        if self.balanced and self.neighbours >= self.dataset.smallest_class:
            raise ValueError(
                f"{self.neighbours} neighbours of its own class are asked for, but the smallest "
                f"class of '{self.dataset.name}' has {self.dataset.smallest_class} examples; ask "
                "for fewer"
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
    keep: Annotated[Literal["highest", "lowest"], Neutral("highest")] = "highest"


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


class FractionParams(SelectParams):
    fraction: Share
    """Share of each class that is drawn from."""
    keep: Literal["highest", "lowest"]


class TaughtSelectParams(SelectParams, TaughtParams):
    """A selection by what a teacher says of the examples, of each class by itself."""


class CentersParams(TaughtSelectParams):
    kcenter: Literal["greedy", "greedy-from-mean", "k-means"]
    balanced: bool


class GraphCutParams(TaughtSelectParams):
    trade_off: float = Field(gt=0)
    """Lambda: what likeness to all examples counts against likeness among the chosen."""


class GlisterParams(TaughtSelectParams):
    step_size: float = Field(gt=0)
    """Eta: how far the last layer moves along the gradient of a choice."""
    update: bool
    """Whether it moves at all; in DeepCore it does not."""
    balanced: bool


class HerdingParams(TaughtSelectParams):
    pick: Literal["nearest", "farthest"]
    """Farthest: DeepCore's."""
    balanced: bool


def _dynamics_work(p: DynamicsParams, facts: Facts) -> Work:
    scored = p.looks * p.dataset.train_size + p.dataset.test_size
    return passes(facts, p.network, p.dataset, p.samples, scored, p.recipe.precision)


def _el2n_work(p: El2nParams, facts: Facts) -> Work:
    size = p.dataset.train_size
    return passes(
        facts, p.network, p.dataset, p.runs * p.epoch * size, p.runs * size, p.recipe.precision
    )


def _window_work(p: WindowParams, facts: Facts) -> Work:
    trained = p.recipe.run_epochs * p.per_class * p.dataset.classes
    count = len(p.starts)
    return passes(
        facts,
        p.network,
        p.dataset,
        count * trained,
        count * p.dataset.test_size,
        p.recipe.precision,
    )


def _el2n_sl_work(p: El2nSlParams, facts: Facts) -> Work:
    own = _el2n_work(p, facts)
    answers = passes(facts, p.teacher, p.dataset, 0, p.dataset.train_size)
    return own + answers


def _grand_work(p: GrandParams, facts: Facts) -> Work:
    """A gradient costs as much as an update, in float32."""
    size = p.runs * p.dataset.train_size
    trained = passes(facts, p.network, p.dataset, p.epoch * size, 0, p.recipe.precision)
    return trained + passes(facts, p.network, p.dataset, size, 0)


def _visits_work(p: VisitsParams, facts: Facts) -> Work:
    return passes(
        facts, p.network, p.dataset, p.epochs * p.dataset.train_size, 0, p.recipe.precision
    )


def _taught_work(p: TaughtParams, facts: Facts) -> Work:
    return passes(facts, p.network, p.dataset, 0, p.dataset.train_size)


STEPS = (
    declare(
        "dynamics",
        "coresets.dynamics",
        DynamicsParams,
        _dynamics_work,
    ),
    declare("dyn_unc_score", "coresets.scores", DynUncParams, no_work, inputs=("dynamics",)),
    declare("dual_score", "coresets.scores", DualParams, no_work, inputs=("dynamics",)),
    declare("cad_score", "coresets.scores", CadParams, no_work, inputs=("dynamics",)),
    declare("el2n_score", "coresets.el2n", El2nParams, _el2n_work),
    declare(
        "select_top",
        "coresets.select",
        TopParams,
        no_work,
        inputs=("score",),
    ),
    declare("select_beta", "coresets.select", BetaParams, no_work, inputs=("score",)),
    declare(
        "select_window",
        "coresets.el2n",
        WindowParams,
        _window_work,
        inputs=("score",),
    ),
    declare("select_random", "coresets.select", RandomParams, no_work),
    declare("select_centers", "coresets.centers", CentersParams, _taught_work, inputs=("teacher",)),
    declare(
        "el2n_sl_score",
        "coresets.el2n",
        El2nSlParams,
        _el2n_sl_work,
        inputs=("teacher",),
    ),
    declare("grand_score", "coresets.gradients", GrandParams, _grand_work),
    declare("visits", "coresets.forgetting", VisitsParams, _visits_work),
    declare(
        "forgetting_score", "coresets.forgetting", ForgettingParams, no_work, inputs=("visits",)
    ),
    declare(
        "uncertainty_score",
        "coresets.uncertainty",
        UncertaintyParams,
        _taught_work,
        inputs=("teacher",),
    ),
    declare("cal_score", "coresets.cal", CalParams, _taught_work, inputs=("teacher",)),
    declare("select_fraction", "coresets.select", FractionParams, no_work, inputs=("score",)),
    declare(
        "select_facility_location",
        "coresets.submodular",
        TaughtSelectParams,
        _taught_work,
        inputs=("teacher",),
    ),
    declare(
        "select_graph_cut", "coresets.submodular", GraphCutParams, _taught_work, inputs=("teacher",)
    ),
    declare(
        "select_craig", "coresets.submodular", TaughtSelectParams, _taught_work, inputs=("teacher",)
    ),
    declare(
        "select_glister", "coresets.gradients", GlisterParams, _taught_work, inputs=("teacher",)
    ),
    declare("select_herding", "coresets.herding", HerdingParams, _taught_work, inputs=("teacher",)),
)
