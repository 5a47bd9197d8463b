"""Degenerate subsets: images that come more than once (supplement, Section 7.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from harness.lab.probing import DATASET, chosen
from harness.lab.recipe import Count, DatasetRef
from harness.later import np
from harness.plan.step import Probe, StepContext, StepInput, StepParams, StepResult, declare


class RepeatParams(StepParams):
    """The first `per_class` / `times` images of every class, rounded up, over and over."""

    dataset: DatasetRef
    per_class: Count
    """Images per class of the result."""
    times: Annotated[int, Field(ge=2)] = 2


def repeat(params: RepeatParams, inputs: Mapping[str, StepInput], ctx: StepContext) -> StepResult:
    """`per_class` images of every class, of which only every `times`-th is a new one.

    Of an input with `per_class` / `times` images of a class all come, each `times` times; of one
    with `per_class`, the first of each class, which are its best. Arrays as the input's (`labels`,
    and `indices` or `images`), class by class, in the input's order and then over again.
    Raises `UserError` if a class of the input is too small.
    """

    from harness.lab.coresets.ranking import require_per_class

    given = inputs["images"]
    labels = given.array("labels")
    distinct = -(-params.per_class // params.times)
    require_per_class(labels, params.dataset.classes, distinct, "the subset to repeat")
    turns = np.arange(params.per_class) % distinct
    rows = [np.flatnonzero(labels == label)[turns] for label in range(params.dataset.classes)]
    chosen = np.concatenate(rows)
    what = "images" if "images" in given.arrays else "indices"
    return StepResult({}, {what: given.array(what)[chosen], "labels": labels[chosen]})


STEPS = (
    declare(
        repeat,
        lambda: Probe(RepeatParams(dataset=DATASET, per_class=5), {"images": chosen(per_class=4)}),
        inputs=("images",),
    ),
)
