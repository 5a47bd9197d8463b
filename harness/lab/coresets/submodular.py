"""Sets that grow by the largest gain, with examples known by their last-layer gradients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from harness.lab.coresets.params import TaughtSelectParams, taught_work
from harness.lab.probing import DATASET, NETWORK, taught
from harness.later import np
from harness.plan.step import (
    Neutral,
    Probe,
    StepContext,
    StepInput,
    StepResult,
    declare,
)


def select_facility_location(
    params: TaughtSelectParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> StepResult:
    """Greedy maximum of sum over i of max over chosen j of s_ij, s = 1/2 + cosine/2 of gradients.

    Arrays `indices` and `labels`, int64, and `gains`, float64, in order of choice in each class.
    """
    from harness.lab.coresets.gradients import (
        FacilityLocation,
        cosine_similarity,
        lazy_greedy,
        products,
    )
    from harness.lab.coresets.pools import Choice, Pool, selection

    def choose(pool: Pool, count: int) -> Choice:
        rows, gains = lazy_greedy(FacilityLocation(cosine_similarity(products(pool))), count)
        return Choice(rows, {"gains": gains})

    return selection(params, True, inputs, ctx, choose)


class GraphCutParams(TaughtSelectParams):
    trade_off: float = Field(gt=0)
    """Lambda: what likeness to all examples counts against likeness among the chosen."""


def select_graph_cut(
    params: GraphCutParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> StepResult:
    """Greedy maximum of lambda x (s of all to the chosen) - (s among the chosen).

    Similarities and arrays as `select_facility_location`. Gains fall below 0 about where half of a
    class is chosen (Iyer et al. 2021; DeepCore); the choice goes on all the same.
    """
    from harness.lab.coresets.gradients import cosine_similarity, graph_cut, products
    from harness.lab.coresets.pools import Choice, Pool, selection

    def choose(pool: Pool, count: int) -> Choice:
        similarity = cosine_similarity(products(pool))
        rows, gains = graph_cut(similarity, params.trade_off, count)
        return Choice(rows, {"gains": gains})

    return selection(params, True, inputs, ctx, choose)


class BatchParams(TaughtSelectParams):
    gradient_batch: Annotated[int, Field(ge=0), Neutral(0)] = 0
    """0: the gradient of an example's own loss. Else that of the mean loss of a batch of so many,
    as in DeepCore, where the members of a class's last, smaller batch weigh more."""


def select_craig(
    params: BatchParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> StepResult:
    """Examples whose gradients are near to all others (CRAIG, Mirzasoleiman et al. 2020).

    Facility location with s = max(d) - d, d the distance of two gradients. Arrays as
    `select_facility_location`, and `weights`, float64: for how many examples of its class, itself
    among them, a choice is the nearest. They sum to the size of the class; DeepCore adds 1 to each.
    """

    from harness.lab.coresets.gradients import FacilityLocation, distances, lazy_greedy, products
    from harness.lab.coresets.pools import Choice, Pool, selection

    def choose(pool: Pool, count: int) -> Choice:
        apart = distances(products(pool, params.gradient_batch))
        similarity = apart.max() - apart
        rows, gains = lazy_greedy(FacilityLocation(similarity), count)
        nearest = similarity[:, rows].argmax(axis=1)
        weights = np.bincount(nearest, minlength=count).astype("float64")
        return Choice(rows, {"gains": gains, "weights": weights})

    return selection(params, True, inputs, ctx, choose)


def probe_select_craig() -> Probe:
    return Probe(BatchParams(dataset=DATASET, network=NETWORK, per_class=3), {"teacher": taught()})


class GlisterParams(BatchParams):
    step_size: float = Field(gt=0)
    """Eta: how far the last layer moves along the gradient of a choice."""
    update: bool
    """Whether it moves at all; in DeepCore it does not."""
    balanced: bool


def select_glister(
    params: GlisterParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> StepResult:
    """Greedy descent of the validation loss in the last layer (GLISTER, Killamsetty et al. 2021).

    The pool itself is the validation set, as by default in DeepCore. Arrays `indices` and `labels`,
    int64, and `gains`, float64, in order of choice.
    """
    from harness.lab.coresets.gradients import glister
    from harness.lab.coresets.pools import Choice, Pool, selection

    def choose(pool: Pool, count: int) -> Choice:
        batch = params.gradient_batch
        rows, gains = glister(pool, count, params.step_size, params.update, batch)
        return Choice(rows, {"gains": gains})

    return selection(params, params.balanced, inputs, ctx, choose)


STEPS = (
    declare(
        select_facility_location,
        lambda: Probe(
            TaughtSelectParams(dataset=DATASET, network=NETWORK, per_class=3), {"teacher": taught()}
        ),
        taught_work,
        inputs=("teacher",),
    ),
    declare(
        select_graph_cut,
        lambda: Probe(
            GraphCutParams(dataset=DATASET, network=NETWORK, per_class=3, trade_off=1.0),
            {"teacher": taught()},
        ),
        taught_work,
        inputs=("teacher",),
    ),
    declare(select_craig, probe_select_craig, taught_work, inputs=("teacher",)),
    declare(
        select_glister,
        lambda: Probe(
            GlisterParams(
                dataset=DATASET,
                network=NETWORK,
                per_class=3,
                step_size=0.1,
                update=True,
                balanced=True,
            ),
            {"teacher": taught()},
        ),
        taught_work,
        inputs=("teacher",),
    ),
)
