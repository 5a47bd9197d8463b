"""Students on a GPU: a ResNet-18 by the harness's loop, by a user's, and bare; seeds together.

The user's loop reads images that are decoded already, through torchvision's transforms and a
DataLoader with a worker for each core, into the same model, compiled alike; the model alone is fed
one batch of noise that stays on the device. Eight seeds of a ConvNet-D3 are trained together, and
one after the other by the plain float32 loop of the DC family.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2

from benchmarks.bench import Row, compare, keep, not_measured
from benchmarks.made import TESTED, Task, task
from benchmarks.plain import alike, epochs, judged
from harness.lab.models.classifier import Classifier
from harness.lab.recipe import DatasetRef, Recipe
from harness.lab.train.fused import Member, hand_back, joined, training_together
from harness.lab.train.loop import Examples, evaluate, training
from harness.lab.train.schedule import make_optimizer
from harness.plan.step import StepContext

SIDE, CLASSES, IMAGES, BATCH, EPOCHS = 224, 1000, 2560, 256, 4
WHAT = f"ResNet-18 student at {SIDE} px, GPU, bfloat16, random resized crops"
PEERS = (
    ("torchvision's transforms and a DataLoader with all cores, same model", "3 times"),
    ("the same model on random data already on the device", "at least 0.5 of its rate"),
)
SEEDS, LONGER = 8, 20
TOGETHER = (
    f"student, ConvNet-D3, IPC 10, HL with DSA, {SEEDS} seeds fused, GPU: {LONGER} epochs",
    "plain float32 loop of the DC family, one seed after the other, same GPU",
    "15 times",
)


@dataclass(frozen=True)
class Job:
    """Epochs of training on images that are decoded and in memory."""

    dataset: DatasetRef
    recipe: Recipe
    network: str
    device: str
    images: np.ndarray
    """uint8 (n, side, side, 3)."""
    labels: np.ndarray

    @property
    def updates(self) -> int:
        return EPOCHS * len(self.images) // self.recipe.batch_size

    def fresh(self) -> Classifier:
        return Classifier.fresh(self.network, self.dataset, self.device, self.recipe.precision, 0)

    def ended(self) -> None:
        if self.device.startswith("cuda"):
            torch.cuda.synchronize()


def main() -> None:
    if torch.cuda.is_available():
        given = job("cuda", SIDE, IMAGES)
        rows = [
            measured(given, loop, *peer) for loop, peer in zip((users, bare), PEERS, strict=True)
        ]
        near = task().on("cuda")
        one, other = partial(together, near, "cuda", LONGER), partial(in_turn, near, "cuda", LONGER)
        rows.append(compare(*TOGETHER, one, other, same=partial(alike, judged=SEEDS * TESTED)))
    else:
        rows = [not_measured(WHAT, *peer, "no GPU") for peer in PEERS]
        rows.append(not_measured(*TOGETHER, "no GPU"))
    keep("gpu", rows)


def job(device: str, side: int, count: int) -> Job:
    given = task()
    dataset = given.dataset.model_copy(update={"resolution": side, "classes": CLASSES})
    changes = {"augmentation": "rrc-flip", "crop_scale": (0.08, 1.0), "batch_size": BATCH}
    recipe = given.recipe.model_copy(update={**changes, "precision": "bfloat16"})
    draws = np.random.default_rng(0)
    images = draws.integers(0, 256, (count, side, side, 3), np.uint8)
    return Job(dataset, recipe, "resnet18", device, images, draws.integers(0, CLASSES, count))


def measured(given: Job, peer: Callable[[Job], int], beside: str, goal: str) -> Row:
    row = compare(WHAT, beside, goal, lambda: ours(given), lambda: peer(given))
    seen = EPOCHS * len(given.images)
    return replace(row, note=f"{seen / row.ours:.0f} and {seen / row.theirs:.0f} images a second")


def ours(given: Job) -> int:
    examples = Examples.on(given.device, given.images, given.labels)
    ctx = StepContext("student", 0, given.device)
    samples = EPOCHS * len(given.images)
    for update in training(given.fresh(), examples, given.recipe, samples, ctx):
        last = update.number
    given.ended()
    return last


class Decoded(Dataset[tuple[Tensor, int]]):
    """Images in memory, transformed one by one."""

    def __init__(self, given: Job) -> None:
        self._given = given
        size = given.dataset.resolution
        self._seen = v2.Compose(
            [
                v2.RandomResizedCrop(size, given.recipe.crop_scale, antialias=True),
                v2.RandomHorizontalFlip(),
                v2.ToImage(),
                v2.ToDtype(torch.float32, scale=True),
                v2.Normalize(given.dataset.mean, given.dataset.std),
            ]
        )

    def __len__(self) -> int:
        return len(self._given.images)

    def __getitem__(self, row: int) -> tuple[Tensor, int]:
        return self._seen(Image.fromarray(self._given.images[row])), int(self._given.labels[row])


def users(given: Job) -> int:
    classifier = given.fresh()
    optimizer = make_optimizer(classifier.network, given.recipe)
    cores = len(os.sched_getaffinity(0))
    loader = DataLoader(
        Decoded(given),
        given.recipe.batch_size,
        shuffle=True,
        num_workers=cores,
        persistent_workers=True,
        pin_memory=given.device.startswith("cuda"),
    )
    updates = 0
    for _ in range(EPOCHS):
        for images, labels in loader:
            near = images.to(given.device, non_blocking=True)
            update(classifier, optimizer, near, labels.to(given.device, non_blocking=True))
            updates += 1
    given.ended()
    return updates


def bare(given: Job) -> int:
    classifier = given.fresh()
    optimizer = make_optimizer(classifier.network, given.recipe)
    size, side = given.recipe.batch_size, given.dataset.resolution
    shown = torch.randn(size, 3, side, side, device=given.device)
    labels = torch.from_numpy(given.labels[:size]).to(given.device)
    for _ in range(given.updates):
        update(classifier, optimizer, shown, labels)
    given.ended()
    return given.updates


def update(
    classifier: Classifier, optimizer: torch.optim.Optimizer, images: Tensor, labels: Tensor
) -> None:
    classifier.network.train()
    loss = functional.cross_entropy(classifier.answer(images), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def together(given: Task, device: str, count: int) -> float:
    """The mean accuracy of all seeds after `count` epochs."""
    members = []
    for seed in range(SEEDS):
        own = StepContext("student", seed, device)
        init, precision = own.derive("init"), given.recipe.precision
        made = Classifier.fresh("convnet-d3", given.dataset, device, precision, init)
        members.append(Member(made, given.train, own))
    networks = [member.classifier for member in members]
    whole, samples = joined(networks), count * len(given.train)
    for _ in training_together(whole, members, given.recipe, samples, StepContext("all", 0)):
        pass
    hand_back(whole, networks)
    return float(np.mean([evaluate(network, given.test).accuracy for network in networks]))


def in_turn(given: Task, device: str, count: int) -> float:
    accuracies = []
    for seed in range(SEEDS):
        made = Classifier.fresh("convnet-d3", given.dataset, device, "float32", seed)
        for _ in epochs(made, given.train, given.recipe, count, seed):
            pass
        accuracies.append(judged(made, given.test))
    return float(np.mean(accuracies))


if __name__ == "__main__":
    main()
