"""A teacher: a network trained on the whole training split, and its answers as soft labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import model_validator

from harness.lab.probing import DATASET, NETWORK, RECIPE, chosen, recipes, taught
from harness.lab.recipe import Count, NetworkParams, TrainedParams, passes
from harness.later import torch
from harness.plan.step import (
    Facts,
    Neutral,
    Probe,
    StepContext,
    StepInput,
    StepResult,
    Work,
    declare,
)


class TeacherParams(TrainedParams):
    pretrained: str = ""
    """Name of torchvision weights such as IMAGENET1K_V1, or `sha256:` and the fingerprint of a file
    of one's own; empty: train on the training split."""

    @model_validator(mode="after")
    def _reads_what_others_give_it(self) -> TeacherParams:
        if self.recipe.zca:
            raise ValueError("the steps that ask a teacher do not whiten: zca must be false for it")
        return self


class SoftLabelsParams(NetworkParams):
    """The network is the teacher's."""

    per_class: Count
    mode: Literal["eval", "train"]
    """Whether the teacher's norms use running statistics or those of the batch."""
    view: Annotated[Literal["whole", "enlarged"], Neutral("whole")] = "whole"
    """Enlarged: the middle of the image once its side has become 8/7 as long, rounded down."""

    @model_validator(mode="after")
    def _enlarges_what_is_small(self) -> SoftLabelsParams:
        if self.view == "enlarged" and self.dataset.short_side:
            raise ValueError("images of many sizes have an evaluation view of their own")
        return self


def teacher(params: TeacherParams, inputs: Mapping[str, StepInput], ctx: StepContext) -> StepResult:
    """Values `accuracy` (fraction, test split) and `loss`; tensors `weights`."""
    from harness.lab.data import sets
    from harness.lab.models.weights import load_weights
    from harness.lab.train.loop import Examples, evaluate, training, untrained

    recipe, dataset = params.recipe, sets.load(params.dataset)
    classifier = untrained(params.network, params.dataset, recipe, ctx)
    if params.pretrained:
        load_weights(classifier.network, params.network, params.pretrained, params.dataset)
    else:
        train = Examples.of(dataset.train, ctx.device)
        for _ in training(classifier, train, recipe, recipe.run_epochs * len(train), ctx):
            pass
    result = evaluate(classifier, Examples.of(dataset.test, ctx.device))
    state = classifier.network.state_dict()
    weights = {name: tensor.cpu().contiguous().numpy() for name, tensor in state.items()}
    return StepResult(
        {"accuracy": result.accuracy, "loss": result.loss}, tensors={"weights": weights}
    )


def soft_labels(
    params: SoftLabelsParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> StepResult:
    """The teacher's answer to every un-augmented image of the input.

    Array `logits` (n, classes), in the type of the teacher's weights, before any temperature; value
    `accuracy`, the fraction of the images that the teacher puts into their own class.

    One checkpoint answers otherwise under another transform: those that RDED releases state 72.3 %
    on CIFAR-100 with the enlarged view (36 pixels, the middle 32) and reach 70.9 % with the whole
    image, which is what RDED's own validation shows them.
    """

    from harness.lab.data import sets
    from harness.lab.models.classifier import Classifier
    from harness.lab.train.loop import given_examples, scale_of
    from harness.lab.train.student_training import answered, enlarged

    teacher = Classifier.stored(
        params.network, params.dataset, ctx.device, inputs["teacher"].tensors("weights")
    )
    images = inputs["images"]
    examples = given_examples(images, sets.load(params.dataset).train, ctx.device)
    scale = scale_of(images, params.dataset)
    parts = examples.images.split(teacher.at_once)
    shown = (teacher.rescaled(teacher.shown(part), scale) for part in parts)
    seen = (enlarged(part) if params.view == "enlarged" else part for part in shown)
    logits = torch.cat([answered(teacher, part, params.mode) for part in seen])
    accuracy = (logits.argmax(dim=1) == examples.labels).double().mean().item()
    return StepResult({"accuracy": accuracy}, {"logits": logits.cpu().numpy()})


def _teacher_work(p: TeacherParams, facts: Facts) -> Work:
    trained = 0 if p.pretrained else p.recipe.run_epochs * p.dataset.train_size
    return passes(facts, p.network, p.dataset, trained, p.dataset.test_size, p.recipe.precision)


STEPS = (
    declare(
        teacher,
        lambda: Probe(
            TeacherParams(dataset=DATASET, network=NETWORK, recipe=RECIPE),
            {},
            variants=recipes({"nesterov": False}, {"warmup_epochs": 0}),
        ),
        _teacher_work,
    ),
    declare(
        soft_labels,
        lambda: Probe(
            SoftLabelsParams(dataset=DATASET, network=NETWORK, per_class=2, mode="train"),
            {"images": chosen(per_class=2), "teacher": taught()},
        ),
        lambda p, facts: passes(facts, p.network, p.dataset, 0, p.per_class * p.dataset.classes),
        inputs=("images", "teacher"),
    ),
)
