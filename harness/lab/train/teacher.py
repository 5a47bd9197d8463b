"""A network trained on the whole training split, or taken as published, and its weights."""

from __future__ import annotations

from collections.abc import Mapping

from harness.lab.data import sets
from harness.lab.models.classifier import Classifier
from harness.lab.models.weights import load_weights
from harness.lab.train.loop import Examples, evaluate, training
from harness.lab.train.steps import TeacherParams
from harness.plan.step import StepContext, StepInput, StepResult


def teacher(params: TeacherParams, inputs: Mapping[str, StepInput], ctx: StepContext) -> StepResult:
    """Values `accuracy` (fraction, test split) and `loss`; tensors `weights`."""
    recipe, dataset = params.recipe, sets.load(params.dataset)
    classifier = Classifier.fresh(
        params.network, params.dataset, ctx.device, recipe.precision, ctx.derive("init")
    )
    if params.pretrained:
        load_weights(classifier.network, params.network, params.pretrained, params.dataset)
    else:
        train = Examples.on(ctx.device, dataset.train.images, dataset.train.labels)
        for _ in training(classifier, train, recipe, recipe.run_epochs * len(train), ctx):
            pass
    test = Examples.on(ctx.device, dataset.test.images, dataset.test.labels)
    result = evaluate(classifier, test)
    state = classifier.network.state_dict()
    weights = {name: tensor.cpu().contiguous().numpy() for name, tensor in state.items()}
    return StepResult(
        {"accuracy": result.accuracy, "loss": result.loss}, tensors={"weights": weights}
    )
