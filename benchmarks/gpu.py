"""Training on random data on a GPU: the harness's loop beside the model's own rate.

Rows that need eight fused seeds are not here, because no fused training is: see NOTES.md.
"""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional

from benchmarks.bench import Row, compare, keep, not_measured
from benchmarks.made import task
from harness.lab.models.classifier import Classifier
from harness.lab.train.loop import Examples, training
from harness.lab.train.schedule import make_optimizer
from harness.plan.step import StepContext

WHAT = "ResNet-18 student at 224 px, GPU, bfloat16, random resized crops"
BESIDE = "the same model on random data already on the device"
GOAL = "at least 0.5 of its rate"
IMAGES, BATCH, EPOCHS, SIDE, CLASSES = 2560, 256, 4, 224, 1000
FUSED = (
    ("student, 8 seeds fused, GPU", "the plain loop 8 times, same GPU", "15 times"),
    ("expert trajectories for TM, fused", "one after the other", "5 times (GPU), 1.5 times (CPU)"),
)


def main() -> None:
    here = torch.cuda.is_available()
    rows = [resnet() if here else not_measured(WHAT, BESIDE, GOAL, "no GPU")]
    rows += [not_measured(*row, "fused training is not built, see NOTES.md") for row in FUSED]
    keep("gpu", rows)


def resnet() -> Row:
    given = task()
    dataset = given.dataset.model_copy(update={"resolution": SIDE, "classes": CLASSES})
    recipe = given.recipe.model_copy(
        update={
            "augmentation": "rrc-flip",
            "crop_scale": (0.08, 1.0),
            "precision": "bfloat16",
            "batch_size": BATCH,
        }
    )
    draws = np.random.default_rng(0)
    images = draws.integers(0, 256, (IMAGES, SIDE, SIDE, 3), np.uint8)
    examples = Examples.on("cuda", images, draws.integers(0, CLASSES, IMAGES))

    def fresh() -> Classifier:
        return Classifier.fresh("resnet18", dataset, "cuda", "bfloat16", 0)

    def ours() -> int:
        for update in training(
            fresh(), examples, recipe, EPOCHS * IMAGES, StepContext("b", 0, "cuda")
        ):
            last = update.number
        torch.cuda.synchronize()
        return last

    def bare() -> int:
        classifier = fresh()
        optimizer = make_optimizer(classifier.network, recipe)
        shown = torch.randn(BATCH, 3, SIDE, SIDE, device="cuda")
        updates = EPOCHS * IMAGES // BATCH
        for _ in range(updates):
            loss = functional.cross_entropy(classifier.answer(shown), examples.labels[:BATCH])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        torch.cuda.synchronize()
        return updates

    return compare(WHAT, BESIDE, GOAL, ours, bare)


if __name__ == "__main__":
    main()
