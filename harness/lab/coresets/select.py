"""Choosing training examples at random or by scores, and what is chosen as image files have it.

Every selection is ordered, so its prefixes are selections too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from harness.errors import UserError
from harness.lab.coresets.params import SelectParams
from harness.lab.probing import DATASET, NETWORK, RECIPE, chosen
from harness.lab.recipe import RecipeOfData, Share, passes
from harness.later import np
from harness.plan.step import (
    Facts,
    MemoryInput,
    Neutral,
    Probe,
    StepContext,
    StepInput,
    StepResult,
    Work,
    declare,
)


class TopParams(SelectParams):
    balanced: bool
    keep: Annotated[Literal["highest", "lowest"], Neutral("highest")] = "highest"


def select_top(params: TopParams, inputs: Mapping[str, StepInput], ctx: StepContext) -> StepResult:
    """Keep the highest scores, or the lowest; ties go to the lowest index.

    Arrays `indices` and `labels`, int64. Balanced: class by class, best first within each. Else the
    `per_class` x classes best of all, best first.
    """
    from harness.lab.coresets.ranking import best

    score = inputs["score"].array("score")
    return best(score if params.keep == "highest" else -score, params, params.balanced)


class BetaParams(SelectParams):
    balanced: bool
    c_d: float = Field(gt=0)
    """How slowly the sampling turns to easy examples as more is pruned."""


def select_beta(
    params: BetaParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> StepResult:
    """DUAL's Beta sampling (Cho et al. 2025): draw without replacement, p ~ density(mu) x score.

    With r the pruned share, anchor the mean of mu over the ten best scores,
    b = 15 (1 - anchor) (1 - r^c_d) and a = 16 - b, the density is Beta(a, b) at the mean
    probability mu, clipped to [1e-6, 1 - 1e-6]. It is global; `balanced` draws `per_class` from
    every class. An example of probability zero comes only when no other is left.
    Arrays as `select_top`, in the order drawn. Draws: "select" of `ctx`.
    """
    from harness.lab.coresets.ranking import best, beta_keys, uniform

    score = inputs["score"].array("score").astype("float64")
    mean = inputs["score"].array("mean_probability").astype("float64")
    kept = params.per_class * params.dataset.classes / params.dataset.train_size
    keys = beta_keys(score, mean, 1 - kept, params.c_d, uniform(len(score), ctx))
    return best(keys, params, params.balanced)


class RandomParams(SelectParams):
    """A uniform draw within each class has no parameters of its own."""


def select_random(
    params: RandomParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> StepResult:
    """`per_class` of every class, uniformly and without replacement.

    Arrays as `select_top`, in the order drawn. Draws: "select" of `ctx`.
    """
    from harness.lab.coresets.ranking import best, uniform

    return best(uniform(params.dataset.train_size, ctx), params, balanced=True)


class FractionParams(SelectParams):
    fraction: Share
    """Share of each class that is drawn from."""
    keep: Literal["highest", "lowest"]


def select_fraction(
    params: FractionParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> StepResult:
    """Prune every class to a share of it by score, and draw `per_class` of what is left.

    Uniformly and without replacement; a share that holds fewer than `per_class` is taken to hold
    as many. Arrays as `select_top`, in the order drawn. Draws: "select" of `ctx`.
    """
    from harness.lab.coresets.ranking import best, pruned_keys, uniform

    score = inputs["score"].array("score")
    keys = pruned_keys(score, uniform(len(score), ctx), params)
    return best(keys, params, balanced=True)


class WindowParams(SelectParams):
    network: str
    recipe: RecipeOfData
    """How the students are trained whose accuracy chooses the window."""
    starts: tuple[Annotated[float, Field(ge=0, le=1)], ...] = Field(min_length=1)
    """Shares of a class, less one window, at which windows start; 0 is the hard end."""
    chosen_on: Literal["test", "held-out"]


def select_window(
    params: WindowParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> StepResult:
    """Choose the window of scores whose student is the most accurate (SelMatch's sweep).

    Each class is sorted hardest first; a window of `per_class` starts at a share of what one window
    leaves over, so that share 1 is the easy end. Accuracy is that on the test split, or on a tenth
    of each class that no window may hold. Arrays `indices` and `labels`, int64, hardest first in
    each class, and `accuracies` (starts,), fractions; value `start`, the share that won, the first
    of equals. Draws: "held-out" of `ctx`, and those of a student.
    """
    from harness.lab.coresets.ranking import best_window

    return best_window(params, inputs["score"].array("score"), ctx)


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


def probe_select_window() -> Probe:
    return Probe(
        WindowParams(
            dataset=DATASET,
            network=NETWORK,
            recipe=RECIPE,
            per_class=2,
            starts=(0.0, 0.5, 1.0),
            chosen_on="held-out",
        ),
        {"score": _scored()},
    )


def _scored() -> MemoryInput:
    """Scores and mean probabilities that rise and fall over the 24 examples."""

    example = np.arange(DATASET.train_size)
    score = 0.1 + 0.08 * np.sin(1.7 * example)
    return MemoryInput(held={"score": score, "mean_probability": 0.5 + 0.45 * np.cos(example)})


class FilesParams(SelectParams):
    jpeg_quality: Annotated[int, Field(ge=1, le=95)]


def jpeg_files(
    params: FilesParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> StepResult:
    """The chosen training images, each written as a JPEG file and read again.

    Arrays `images` uint8 (n, height, width, channels) and `labels` int64 (n,), in the order of the
    input `subset`. Raises `UserError` where images have many sizes: those are kept as pixels of
    files that were JPEG already.
    """

    from harness.lab.data import sets
    from harness.lab.data.pictures import through_jpeg

    train = sets.load(params.dataset).train
    if not isinstance(train.images, np.ndarray):
        raise UserError(
            f"the images of '{params.dataset.name}' come from JPEG files already; saving them "
            "again is a reading of data sets of small square images only"
        )
    rows = inputs["subset"].array("indices")
    images = through_jpeg(train.images[rows], params.jpeg_quality)
    return StepResult({}, {"images": images, "labels": inputs["subset"].array("labels")})


STEPS = (
    declare(
        select_top,
        lambda: Probe(TopParams(dataset=DATASET, per_class=2, balanced=True), {"score": _scored()}),
        inputs=("score",),
    ),
    declare(
        select_beta,
        lambda: Probe(
            BetaParams(dataset=DATASET, per_class=2, balanced=False, c_d=4.0), {"score": _scored()}
        ),
        inputs=("score",),
    ),
    declare(select_random, lambda: Probe(RandomParams(dataset=DATASET, per_class=3), {})),
    declare(
        select_fraction,
        lambda: Probe(
            FractionParams(dataset=DATASET, per_class=2, fraction=0.5, keep="lowest"),
            {"score": _scored()},
        ),
        inputs=("score",),
    ),
    declare(select_window, probe_select_window, _window_work, inputs=("score",)),
    declare(
        jpeg_files,
        lambda: Probe(
            FilesParams(dataset=DATASET, per_class=2, jpeg_quality=75),
            {"subset": chosen(per_class=2)},
        ),
        inputs=("subset",),
    ),
)
