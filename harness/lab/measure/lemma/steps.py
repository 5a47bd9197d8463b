"""Lemma 1, line by line, and its assumption on networks: parameters, inputs and costs.

Neither torch nor numpy is imported here, so that planning stays cheap.
"""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import Field, model_validator

from harness.lab.declare import declare, no_work, passes
from harness.lab.recipe import Count, DatasetRef, Recipe
from harness.plan.step import Facts, StepParams, Work

Positive: TypeAlias = Annotated[float, Field(gt=0)]
Classes: TypeAlias = Annotated[int, Field(ge=2)]


class IdentityParams(StepParams):
    temperatures: tuple[Positive, ...] = Field(min_length=1)
    classes: tuple[Classes, ...] = Field(min_length=1)
    largest_logit: Positive
    """Logits are uniform up to a size that is itself drawn, even in its logarithm, up to this."""
    draws: Count
    """Cases of each temperature, number of classes and kind of target."""


class DegradationParams(StepParams):
    classes: Classes
    temperature: Positive
    largest_logit: Positive
    """As in `IdentityParams`, of the network's logits and of the teacher's."""
    levels: tuple[Annotated[float, Field(ge=0, lt=1)], ...] = Field(min_length=1)
    """How far the Gram matrices are from Assumption 1."""
    rank: Count
    """Dimension of the space that the psi partly share; a small one makes large cosines."""
    draws: Annotated[int, Field(ge=3)]
    """Examples at each level, each with a Gram matrix of its own."""


class GramParams(StepParams):
    dataset: DatasetRef
    network: str
    teacher: str
    """Network of the teacher, whose answers are the soft targets."""
    recipe: Recipe
    runs: Count
    """Runs over which scores are averaged."""
    epochs: tuple[Annotated[int, Field(ge=0)], ...] = Field(min_length=1)
    """After which the gradients are looked at; 0 is the initial network."""
    examples: Annotated[int, Field(ge=3)]
    """Training images that are looked at."""
    temperature: Positive

    @model_validator(mode="after")
    def _within_the_run(self) -> GramParams:
        if (
            list(self.epochs) != sorted(set(self.epochs))
            or self.epochs[-1] > self.recipe.run_epochs
        ):
            raise ValueError(
                f"epochs must rise and end within the run of {self.recipe.run_epochs}; "
                f"found {list(self.epochs)}"
            )
        if self.examples > self.dataset.train_size:
            raise ValueError(
                f"{self.examples} examples are asked for, but '{self.dataset.name}' has "
                f"{self.dataset.train_size}"
            )
        return self


def _gram_work(p: GramParams, facts: Facts) -> Work:
    """One backward pass a class, of each image at each look."""
    looked = p.runs * len(p.epochs) * p.examples
    trained = p.runs * p.epochs[-1] * p.dataset.train_size
    seen = looked * (1 + 2 * p.dataset.classes)
    return (
        passes(facts, p.network, p.dataset, trained, 0, p.recipe.precision)
        + passes(facts, p.network, p.dataset, 0, seen)
        + passes(facts, p.teacher, p.dataset, 0, p.examples)
    )


CASE = 3.5e-4
"""Seconds of a class of a case, most of them mpmath's."""


def _identity_work(p: IdentityParams, facts: Facts) -> Work:
    cases = 3 * p.draws * len(p.temperatures)
    return Work(samples=0, flops=0, seconds=CASE * cases * sum(p.classes))


STEPS = (
    declare("lemma_identity", "measure.lemma.identity", IdentityParams, _identity_work),
    declare("lemma_degradation", "measure.lemma.degradation", DegradationParams, no_work),
    declare(
        "gram_during_training",
        "measure.lemma.gram",
        GramParams,
        _gram_work,
        inputs=("teacher",),
    ),
)
