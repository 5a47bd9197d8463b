"""How often an example that was learned is forgotten again (Toneva et al. 2019)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from harness.lab.coresets.steps import ForgettingParams, VisitsParams
from harness.lab.data import sets
from harness.lab.models.classifier import Classifier
from harness.lab.train.loop import Examples, training
from harness.lab.train.schedule import batch_sizes
from harness.plan.step import StepContext, StepInput, StepResult


def visits(params: VisitsParams, inputs: Mapping[str, StepInput], ctx: StepContext) -> StepResult:
    """Train on all n examples for `epochs`, and record what was right when it was visited.

    Array `correct` (epochs, n), bool: whether the network knew the example at its visit of each
    epoch, train mode, on the augmented batch, before the update.
    """
    train, recipe = sets.load(params.dataset).train, params.recipe
    examples = Examples.on(ctx.device, train.images, train.labels)
    classifier = Classifier.fresh(
        params.network,
        params.dataset,
        ctx.device,
        recipe.precision,
        ctx.derive("init"),
        recipe.zca,
    )
    size = len(examples)
    correct = torch.zeros((params.epochs, size), dtype=torch.bool, device=ctx.device)
    an_epoch = len(batch_sizes(size, recipe.batch_size, size))
    samples, kept = params.epochs * size, {"correct": correct}
    for update in training(classifier, examples, recipe, samples, ctx, kept=kept):
        epoch = (update.number - 1) // an_epoch
        correct[epoch, update.chosen] = update.logits.argmax(1) == examples.labels[update.chosen]
    return StepResult({}, {"correct": correct.cpu().numpy()})


def forgetting_score(
    params: ForgettingParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> StepResult:
    """Array `score` (n,), float32: visits at which an example was wrong after it had been right.

    An example that was never right scores infinity, as in the paper (`infinite`), or 0, as the
    count says and DeepCore has it (`zero`).
    """
    correct = inputs["visits"].array("correct")
    events = (correct[:-1] & ~correct[1:]).sum(axis=0).astype(np.float32)
    if params.never_learned == "infinite":
        events[~correct.any(axis=0)] = np.inf
    return StepResult({}, {"score": events})
