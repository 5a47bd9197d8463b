"""A student of 1,000 images, ConvNet-D3, DSA, on one core, beside the plain loop of the DC family.

Both sides end with a judgement on test images, each in a process of its own.
"""

from __future__ import annotations

from benchmarks.bench import compare, keep, one_thread, process

one_thread()

from dataclasses import replace  # noqa: E402
from functools import partial  # noqa: E402

import torch  # noqa: E402

from benchmarks.made import EPOCHS, TESTED, task  # noqa: E402
from benchmarks.plain import alike, epochs, judged  # noqa: E402
from harness.lab.models.classifier import Classifier  # noqa: E402
from harness.lab.train.loop import evaluate, training  # noqa: E402
from harness.plan.step import StepContext  # noqa: E402
from harness.run.computing import memory_kept  # noqa: E402


def main() -> None:
    given = task()
    images = EPOCHS * len(given.train)
    with process() as one, process() as other:
        row = compare(
            f"student, ConvNet-D3, {given.data}, IPC 10, HL with DSA, one core: {EPOCHS} epochs, "
            f"{TESTED} test images",
            "plain float32 loop of the DC family (DSA, DataLoader, evaluation at the end)",
            "4 times",
            partial(one, ours),
            partial(other, plain),
            same=partial(alike, judged=TESTED),
        )
        rates = f"{images / row.ours:.0f} and {images / row.theirs:.0f} images a second"
        accuracies = f"accuracy {100 * one(ours):.1f} and {100 * other(plain):.1f} %"
    keep("students", [replace(row, note=f"{rates}; {accuracies}, equal within 4 standard errors")])


def ours() -> float:
    torch.set_num_threads(1)
    given, ctx = task(), StepContext("student", 0)
    with memory_kept():
        classifier = Classifier.fresh(
            "convnet-d3", given.dataset, "cpu", "bfloat16", ctx.derive("init")
        )
        for _ in training(classifier, given.train, given.recipe, EPOCHS * len(given.train), ctx):
            pass
        return evaluate(classifier, given.test).accuracy


def plain() -> float:
    torch.set_num_threads(1)
    given = task()
    classifier = Classifier.fresh("convnet-d3", given.dataset, "cpu", "float32", 0)
    for _ in epochs(classifier, given.train, given.recipe, EPOCHS, 0):
        pass
    return judged(classifier, given.test)


if __name__ == "__main__":
    main()
