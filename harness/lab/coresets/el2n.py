"""Scores by networks early in training: EL2N, EL2N for soft labels, and GraNd."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field, model_validator

from harness.lab.probing import DATASET, NETWORK, RECIPE, recipes, taught
from harness.lab.recipe import Count, TrainedParams, passes
from harness.later import np
from harness.plan.step import (
    Facts,
    Probe,
    StepContext,
    StepInput,
    StepResult,
    Work,
    declare,
)


class El2nParams(TrainedParams):
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


def el2n_score(params: El2nParams, inputs: Mapping[str, StepInput], ctx: StepContext) -> StepResult:
    """Norm of softmax minus one-hot after `epoch` epochs, mean over `runs` (Paul et al. 2021).

    Networks as `runs.early_networks` trains them. Array `score` (n,), float32: high is hard.
    """
    from harness.lab.coresets.runs import look, mean_score, training_split

    examples = training_split(params.dataset, ctx.device)
    score = mean_score(params, examples, ctx, lambda network: look(network, examples)[1])
    return StepResult({}, {"score": score.astype("float32")})


def _el2n_work(p: El2nParams, facts: Facts) -> Work:
    size = p.dataset.train_size
    return passes(
        facts, p.network, p.dataset, p.runs * p.epoch * size, p.runs * size, p.recipe.precision
    )


OTHERWISE = recipes({"nesterov": False}, {"warmup_epochs": 0})


class El2nSlParams(El2nParams):
    teacher: str
    """Network of the teacher of the soft labels."""
    temperature: float = Field(gt=0)


def el2n_sl_score(
    params: El2nSlParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> StepResult:
    """EL2N for soft labels: E ||p - q|| / T (Lemma 1), the mean over `runs` networks.

    p is a network's answer, q the teacher's, both at temperature T, evaluation mode, un-augmented.
    Networks as `runs.early_networks` trains them. Array `score` (n,), float32: high is hard.
    """
    from harness.lab.coresets.runs import mean_score, soft_errors, training_split
    from harness.lab.models.classifier import Classifier

    examples = training_split(params.dataset, ctx.device)
    teacher = Classifier.stored(
        params.teacher, params.dataset, ctx.device, inputs["teacher"].tensors("weights")
    )
    targets = list(teacher.predict(examples.images))
    score = mean_score(
        params,
        examples,
        ctx,
        lambda network: soft_errors(network, examples, targets, params.temperature),
    )
    return StepResult({}, {"score": score.astype("float32")})


def _el2n_sl_work(p: El2nSlParams, facts: Facts) -> Work:
    own = _el2n_work(p, facts)
    answers = passes(facts, p.teacher, p.dataset, 0, p.dataset.train_size)
    return own + answers


def probe_el2n_sl_score() -> Probe:
    return Probe(
        El2nSlParams(
            dataset=DATASET,
            network=NETWORK,
            recipe=RECIPE,
            runs=2,
            epoch=1,
            teacher=NETWORK,
            temperature=4.0,
        ),
        {"teacher": taught()},
        variants=OTHERWISE,
    )


class GrandParams(El2nParams):
    gradient: Literal["all-parameters", "last-layer"]
    reduction: Literal["sum", "mean"]
    """How losses are reduced over a batch of the recipe's size. Mean: DeepCore's, which divides by
    the size of the example's batch."""


def grand_score(
    params: GrandParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> StepResult:
    """Norm of the gradient of each example's cross-entropy, mean over `runs` (Paul et al. 2021).

    Networks as in `el2n_score`, evaluation mode, un-augmented, with respect to all parameters or to
    those of the last layer. Reduction `mean` is DeepCore's: the gradient is that of the mean loss
    of the example's batch, so that the members of the last, smaller batch come out larger.
    Array `score` (n,), float32: high is hard.
    """

    from harness.lab.coresets.gradients import norms
    from harness.lab.coresets.runs import mean_score, training_split

    examples = training_split(params.dataset, ctx.device)
    score = mean_score(
        params, examples, ctx, lambda network: norms(network, examples, params.gradient)
    )
    if params.reduction == "mean":
        size = params.recipe.batch_size
        score /= np.minimum(size, len(score) - np.arange(len(score)) // size * size)
    return StepResult({}, {"score": score.astype("float32")})


def _grand_work(p: GrandParams, facts: Facts) -> Work:
    """A gradient costs as much as an update, in float32."""
    size = p.runs * p.dataset.train_size
    trained = passes(facts, p.network, p.dataset, p.epoch * size, 0, p.recipe.precision)
    return trained + passes(facts, p.network, p.dataset, size, 0)


def probe_grand_score() -> Probe:
    return Probe(
        GrandParams(
            dataset=DATASET,
            network=NETWORK,
            recipe=RECIPE,
            runs=2,
            epoch=1,
            gradient="all-parameters",
            reduction="sum",
        ),
        {},
        variants=OTHERWISE,
    )


STEPS = (
    declare(
        el2n_score,
        lambda: Probe(
            El2nParams(dataset=DATASET, network=NETWORK, recipe=RECIPE, runs=2, epoch=1),
            {},
            variants=OTHERWISE,
        ),
        _el2n_work,
    ),
    declare(el2n_sl_score, probe_el2n_sl_score, _el2n_sl_work, inputs=("teacher",)),
    declare(grand_score, probe_grand_score, _grand_work),
)
