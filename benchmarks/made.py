"""The training that the benchmarks time: Table 8's student at IPC 10, cut short."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from benchmarks.bench import ROOT
from harness.errors import UserError
from harness.lab.data import sets
from harness.lab.recipe import DatasetRef, Recipe
from harness.lab.train.loop import Examples
from harness.lab.train.student import StudentParams
from harness.plan.exhibit import plan_exhibit
from harness.spec.paper import load_paper

EPOCHS, PER_CLASS, TESTED = 4, 10, 1000


@dataclass(frozen=True)
class Task:
    dataset: DatasetRef
    recipe: Recipe
    train: Examples
    test: Examples
    data: str
    """What the images are."""

    def on(self, device: str) -> Task:
        near = (
            Examples(part.images.to(device), part.labels.to(device))
            for part in (self.train, self.test)
        )
        return replace(self, train=next(near), test=next(near))


@cache
def task() -> Task:
    """The first ten images of each class of CIFAR-100, or images of its shape if it is not here."""
    plan = plan_exhibit(load_paper(ROOT / "specs"), "table8", "paper", 1)
    stated = next(
        step.params
        for step in plan.steps.values()
        if step.name == "student"
        and step.params["per_class"] == PER_CLASS
        and step.params["network"] == "convnet-d3"
    )
    params = StudentParams.model_validate(stated)
    dataset = params.dataset
    try:
        found, data = sets.load(dataset), "CIFAR-100"
        rows = np.concatenate(
            [np.flatnonzero(found.train.labels == c)[:PER_CLASS] for c in range(dataset.classes)]
        )
        train = Examples.on("cpu", found.train.images[rows], found.train.labels[rows])
        test = Examples.on("cpu", found.test.images[:TESTED], found.test.labels[:TESTED])
    except UserError:
        data = "noise of CIFAR-100's shape"
        train, test = noise(dataset, PER_CLASS), noise(dataset, TESTED // dataset.classes)
    return Task(dataset, params.recipe, train, test, data)


def noise(dataset: DatasetRef, per_class: int, device: str = "cpu") -> Examples:
    labels = np.repeat(np.arange(dataset.classes), per_class)
    side = dataset.resolution
    shape = (len(labels), side, side, dataset.channels)
    return Examples.on(device, np.random.default_rng(0).integers(0, 256, shape, np.uint8), labels)
