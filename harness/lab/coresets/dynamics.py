"""One training run on the whole training split, during which every example is watched."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from harness.errors import UserError
from harness.lab.coresets.steps import DynamicsParams
from harness.lab.data import sets
from harness.lab.models.classifier import Classifier
from harness.lab.train.loop import Examples, evaluate, training
from harness.lab.train.schedule import batch_sizes
from harness.plan.step import StepContext, StepInput, StepResult


def dynamics(
    params: DynamicsParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> StepResult:
    """Train for `samples` examples and record `looks` evenly spaced looks at all n examples.

    Arrays (looks, n), float32, or float64 if the recipe's precision is:
    `probability`: of the true class, evaluation mode, un-augmented;
    `el2n`: norm of softmax minus one-hot, likewise (Paul et al. 2021);
    `train_probability`: of the true class at the example's latest visit, train mode, on the
    augmented batch before the update; an example not visited so far takes its `probability`.
    Values: `accuracy` and `loss` on the test split at the end, `epochs` seen. The beginning of a
    longer run makes as many updates as a whole run of its `samples`.
    Raises `UserError` if there are fewer updates than looks.
    """
    dataset, recipe = sets.load(params.dataset), params.recipe
    train = Examples.on(ctx.device, dataset.train.images, dataset.train.labels)
    steps = len(batch_sizes(len(train), recipe.batch_size, params.samples))
    if steps < params.looks:
        raise UserError(
            f"dynamics: {params.looks} looks do not fit into a run of {steps} updates "
            f"({params.samples} samples in batches of {recipe.batch_size}); "
            "ask for fewer looks, more samples or a smaller batch"
        )
    classifier = Classifier.fresh(
        params.network,
        params.dataset,
        ctx.device,
        recipe.precision,
        ctx.derive("init"),
        recipe.zca,
    )
    looks_at = {-(-look * steps // params.looks): look - 1 for look in range(1, params.looks + 1)}
    shape = (params.looks, len(train))
    names = ("probability", "el2n", "train_probability")
    kind = np.float64 if classifier.dtype == torch.float64 else np.float32
    arrays = {name: _on_disk(shape, kind) for name in names}
    looked = {name: torch.from_numpy(array) for name, array in arrays.items()}
    visited = torch.full((len(train),), torch.nan, dtype=torch.float64, device=ctx.device)
    kept = looked | {"visited": visited}
    whole = params.schedule_samples or params.samples
    for update in training(classifier, train, recipe, whole, ctx, kept=kept):
        said = true_class(update.logits, train.labels[update.chosen])
        visited[update.chosen] = said.to(visited.dtype)
        if update.number in looks_at:
            probability, el2n = look(classifier, train)
            row = looks_at[update.number]
            arrays["probability"][row], arrays["el2n"][row] = probability, el2n
            seen = visited.cpu().numpy()
            arrays["train_probability"][row] = np.where(np.isnan(seen), probability, seen)
        if update.number == steps:
            break
    test = Examples.on(ctx.device, dataset.test.images, dataset.test.labels)
    result = evaluate(classifier, test)
    values = {
        "accuracy": result.accuracy,
        "loss": result.loss,
        "epochs": params.samples / len(train),
    }
    return StepResult(values, arrays)


def _on_disk(shape: tuple[int, int], kind: type[np.floating]) -> np.ndarray:
    """Room for numbers in a file without a name: a million examples, looked at 90 times, fill it.

    The file is gone when the array is.
    """
    with tempfile.TemporaryFile() as file:
        return np.memmap(file, kind, "w+", shape=shape)


def look(classifier: Classifier, examples: Examples) -> tuple[np.ndarray, np.ndarray]:
    """True-class probability and EL2N of every example now, each (n,)."""
    probability, el2n = [], []
    labels = examples.labels.split(classifier.at_once)
    for logits, wanted in zip(classifier.predict(examples.images), labels, strict=True):
        softmax = logits.softmax(dim=1)
        onehot = torch.nn.functional.one_hot(wanted, softmax.shape[1])
        probability.append(true_class(logits, wanted))
        el2n.append(torch.linalg.vector_norm(softmax - onehot, dim=1))
    return torch.cat(probability).cpu().numpy(), torch.cat(el2n).cpu().numpy()


def true_class(logits: Tensor, labels: Tensor) -> Tensor:
    """Softmax probability (n,) of each row's own class."""
    return logits.softmax(dim=1).gather(1, labels[:, None])[:, 0]
