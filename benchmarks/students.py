"""A student of 1,000 images, ConvNet-D3, DSA, on one core, beside the plain loop of the DC family.

The plain loop follows evaluate_synset and epoch of the DC and DSA code: float32, a DataLoader, one
group of operations drawn for each batch, the loss and the hits read back after every batch. Both
sides draw DSA by the same operations, and both end with a judgement on test images.
"""

from __future__ import annotations

from benchmarks.bench import compare, keep, one_thread

one_thread()

import math  # noqa: E402
from dataclasses import replace  # noqa: E402

import torch  # noqa: E402
from torch.nn import functional  # noqa: E402
from torch.utils.data import DataLoader, TensorDataset  # noqa: E402

from benchmarks.made import EPOCHS, TESTED, Task, task  # noqa: E402
from harness.lab.models.classifier import Classifier  # noqa: E402
from harness.lab.train.dsa import Independent, dsa, groups  # noqa: E402
from harness.lab.train.loop import Examples, evaluate, training  # noqa: E402
from harness.lab.train.schedule import Schedule, batch_sizes  # noqa: E402
from harness.plan.step import StepContext  # noqa: E402


def main() -> None:
    torch.set_num_threads(1)
    given = task()
    images = EPOCHS * len(given.train)
    row = compare(
        f"student, ConvNet-D3, {given.data}, IPC 10, HL with DSA, one core: {EPOCHS} epochs, "
        f"{TESTED} test images",
        "plain float32 loop of the DC family (DSA, DataLoader, evaluation at the end)",
        "4 times",
        lambda: ours(given),
        lambda: plain(given),
        same=alike,
    )
    rates = f"{images / row.ours:.0f} and {images / row.theirs:.0f} images a second"
    accuracies = f"accuracy {100 * ours(given):.1f} and {100 * plain(given):.1f} %"
    keep("students", [replace(row, note=f"{rates}; {accuracies}, equal within 4 standard errors")])


def alike(a: float, b: float) -> bool:
    """Whether two accuracies may be of networks that are as good."""
    middle = (a + b) / 2
    return abs(a - b) <= 4 * math.sqrt(2 * middle * (1 - middle) / TESTED)


def ours(given: Task) -> float:
    ctx = StepContext("student", 0)
    classifier = Classifier.fresh(
        "convnet-d3", given.dataset, "cpu", "bfloat16", ctx.derive("init")
    )
    for _ in training(classifier, given.train, given.recipe, EPOCHS * len(given.train), ctx):
        pass
    return evaluate(classifier, given.test).accuracy


def plain(given: Task) -> float:
    recipe = given.recipe
    start = Classifier.fresh("convnet-d3", given.dataset, "cpu", "float32", 0)
    network, shown = start.network, start.shown
    draws = torch.Generator().manual_seed(0)
    names = groups(recipe.dsa_strategy, given.dataset.flip)
    pairs = TensorDataset(shown(given.train.images), given.train.labels)
    loader = DataLoader(pairs, recipe.batch_size, shuffle=True, generator=draws)
    optimizer = torch.optim.SGD(
        network.parameters(),
        recipe.learning_rate,
        recipe.momentum,
        weight_decay=recipe.weight_decay,
        nesterov=recipe.nesterov,
    )
    samples = EPOCHS * len(given.train)
    schedule = Schedule.of(recipe, len(given.train), samples)
    network.train()
    step, total, hits = 0, 0.0, 0
    for _ in range(EPOCHS):
        for images, labels in loader:
            optimizer.param_groups[0]["lr"] = schedule.rate(step)
            logits = network(dsa(images, names, "one", Independent(draws)))
            loss = functional.cross_entropy(logits, labels)
            total += loss.item() * len(labels)
            hits += int((logits.detach().numpy().argmax(axis=1) == labels.numpy()).sum())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            step += 1
    assert step == len(batch_sizes(len(given.train), recipe.batch_size, samples))
    assert math.isfinite(total)
    return judged(network, shown, given.test)


@torch.no_grad()
def judged(network: torch.nn.Module, shown: object, test: Examples) -> float:
    network.eval()
    right = 0
    for images, labels in DataLoader(TensorDataset(shown(test.images), test.labels), 256):
        right += int((network(images).numpy().argmax(axis=1) == labels.numpy()).sum())
    return right / len(test)


if __name__ == "__main__":
    main()
