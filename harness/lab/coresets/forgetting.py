"""How often an example that was learned is forgotten again (Toneva et al. 2019)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from harness.lab.cost import no_work, passes
from harness.lab.probing import DATASET, NETWORK, RECIPE, recipes
from harness.lab.recipe import DatasetRef, RecipeOfData
from harness.plan.step import (
    Facts,
    MemoryInput,
    Probe,
    StepContext,
    StepInput,
    StepParams,
    StepResult,
    Work,
    declare,
)


class VisitsParams(StepParams):
    dataset: DatasetRef
    network: str
    recipe: RecipeOfData
    """Its `epochs` are not used."""
    epochs: Annotated[int, Field(ge=2)]
    """Length of the run, and visits of each example."""


def visits(params: VisitsParams, inputs: Mapping[str, StepInput], ctx: StepContext) -> StepResult:
    """Train on all n examples for `epochs`, and record what was right when it was visited.

    Array `correct` (epochs, n), bool: whether the network knew the example at its visit of each
    epoch, train mode, on the augmented batch, before the update.
    """
    from harness.lab.coresets.runs import visited

    return StepResult({}, {"correct": visited(params, ctx)})


def _visits_work(p: VisitsParams, facts: Facts) -> Work:
    return passes(
        facts, p.network, p.dataset, p.epochs * p.dataset.train_size, 0, p.recipe.precision
    )


def probe_visits() -> Probe:
    params = VisitsParams(dataset=DATASET, network=NETWORK, recipe=RECIPE, epochs=4)
    return Probe(params, {}, variants=recipes({"nesterov": False}, {"warmup_epochs": 0}))


class ForgettingParams(StepParams):
    never_learned: Literal["infinite", "zero"]
    """Score of an example that was never right."""


def forgetting_score(
    params: ForgettingParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> StepResult:
    """Array `score` (n,), float32: visits at which an example was wrong after it had been right.

    An example that was never right scores infinity, as in the paper (`infinite`), or 0, as the
    count says and DeepCore has it (`zero`).
    """
    import numpy as np

    correct = inputs["visits"].array("correct")
    events = (correct[:-1] & ~correct[1:]).sum(axis=0).astype("float32")
    if params.never_learned == "infinite":
        events[~correct.any(axis=0)] = np.inf
    return StepResult({}, {"score": events})


def probe_forgetting_score() -> Probe:
    import numpy as np

    visit, example = np.indices((6, DATASET.train_size))
    correct = np.sin(1.3 * visit * (example % 5)) > 0.2
    return Probe(
        ForgettingParams(never_learned="infinite"),
        {"visits": MemoryInput(held={"correct": correct})},
    )


STEPS = (
    declare(visits, VisitsParams, _visits_work, probe_visits),
    declare(
        forgetting_score, ForgettingParams, no_work, probe_forgetting_score, inputs=("visits",)
    ),
)
