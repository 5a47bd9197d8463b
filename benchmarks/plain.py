"""The plain float32 loop of the DC family, as a user would write it.

It follows epoch of the DC and DSA code, by which MTT's experts are trained too: a DataLoader, DSA
with one group of operations drawn for each batch, the loss and the hits read back after every one.
DSA is done by the harness's own operations, so that both sides do the same.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from harness.lab.models.classifier import Classifier
from harness.lab.recipe import Recipe
from harness.lab.train.dsa import Independent, dsa, groups
from harness.lab.train.loop import Examples
from harness.lab.train.schedule import Schedule


def epochs(
    classifier: Classifier, train: Examples, recipe: Recipe, count: int, seed: int
) -> Iterator[int]:
    """Train a network, yielding after every epoch of `count`."""
    network, draws = classifier.network, torch.Generator().manual_seed(seed)
    names = groups(recipe.dsa_strategy, classifier.dataset.flip)
    pairs = TensorDataset(classifier.shown(train.images), train.labels)
    loader = DataLoader(pairs, recipe.batch_size, shuffle=True, generator=draws)
    optimizer = torch.optim.SGD(
        network.parameters(),
        recipe.learning_rate,
        recipe.momentum,
        weight_decay=recipe.weight_decay,
        nesterov=recipe.nesterov,
    )
    schedule = Schedule.of(recipe, len(train), count * len(train))
    network.train()
    step, total, hits = 0, 0.0, 0
    for epoch in range(count):
        for images, labels in loader:
            optimizer.param_groups[0]["lr"] = schedule.rate(step)
            logits = network(dsa(images, names, "one", Independent(draws)))
            loss = functional.cross_entropy(logits, labels)
            total += loss.item() * len(labels)
            hits += int((logits.argmax(dim=1) == labels).sum())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            step += 1
        yield epoch
    assert math.isfinite(total)


@torch.no_grad()
def judged(classifier: Classifier, test: Examples) -> float:
    """The accuracy on test images, in batches of 256."""
    network = classifier.network.eval()
    right = 0
    for images, labels in DataLoader(
        TensorDataset(classifier.shown(test.images), test.labels), 256
    ):
        right += int((network(images).argmax(dim=1) == labels).sum())
    return right / len(test)


def alike(a: float, b: float, judged: int) -> bool:
    """Whether two accuracies on so many images may be of networks that are as good."""
    middle = (a + b) / 2
    return abs(a - b) <= 4 * math.sqrt(2 * middle * (1 - middle) / judged)
