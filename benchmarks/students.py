"""Students of 1,000 images, DSA, on one core, beside the plain loop of the DC family.

Both sides end with a judgement on test images, each in a process of its own. The share of what the
core can do is that of its fastest product of matrices of bfloat16 in the same run; operations are
those of the layers, forwards and backwards.
"""

from __future__ import annotations

from benchmarks.bench import ROOT, RUNS, Row, compare, keep, one_thread, process

one_thread()

import time  # noqa: E402
from dataclasses import dataclass, replace  # noqa: E402
from functools import partial  # noqa: E402

import torch  # noqa: E402

from benchmarks.made import EPOCHS, TESTED, task  # noqa: E402
from benchmarks.plain import alike, epochs, judged  # noqa: E402
from harness.lab.models.classifier import Classifier  # noqa: E402
from harness.lab.train.loop import Examples, evaluate, training  # noqa: E402
from harness.plan.step import StepContext  # noqa: E402
from harness.run.computing import memory_kept  # noqa: E402
from harness.spec.paper import load_paper  # noqa: E402

SIDE = 2048
"""Of the matrices whose product says what the core can do."""


@dataclass(frozen=True)
class Training:
    network: str
    epochs: int
    tested: int
    runs: int

    @property
    def seen(self) -> int:
        return self.epochs * len(task().train)

    @property
    def flops(self) -> float:
        paper = load_paper(ROOT / "specs")
        forward = paper.forward_flops(self.network, task().dataset.resolution)
        return (3 * self.seen + self.tested) * forward

    def ours(self) -> float:
        torch.set_num_threads(1)
        given, ctx = task(), StepContext("student", 0)
        with memory_kept():
            classifier = Classifier.fresh(
                self.network, given.dataset, "cpu", "bfloat16", ctx.derive("init")
            )
            for _ in training(classifier, given.train, given.recipe, self.seen, ctx):
                pass
            return evaluate(classifier, self._test).accuracy

    def plain(self) -> float:
        torch.set_num_threads(1)
        given = task()
        classifier = Classifier.fresh(self.network, given.dataset, "cpu", "float32", 0)
        for _ in epochs(classifier, given.train, given.recipe, self.epochs, 0):
            pass
        return judged(classifier, self._test)

    @property
    def _test(self) -> Examples:
        test = task().test
        return Examples(test.images[: self.tested], test.labels[: self.tested])


TRAININGS = {
    "ConvNet-D3": Training("convnet-d3", EPOCHS, TESTED, RUNS),
    "ResNet-18": Training("resnet18-cifar", 1, TESTED // 5, 3),
}


def main() -> None:
    keep("students", [measured(name, each) for name, each in TRAININGS.items()])


def measured(name: str, each: Training) -> Row:
    with process() as one, process() as other:
        row = compare(
            f"student, {name}, {task().data}, IPC 10, HL with DSA, one core: {each.epochs} epochs, "
            f"{each.tested} test images",
            "plain float32 loop of the DC family (DSA, DataLoader, evaluation at the end)",
            "5 times",
            partial(one, each.ours),
            partial(other, each.plain),
            same=partial(alike, judged=each.tested),
            runs=each.runs,
        )
        rates = f"{each.seen / row.ours:.0f} and {each.seen / row.theirs:.0f} images a second"
        accuracies = f"accuracy {100 * one(each.ours):.1f} and {100 * other(each.plain):.1f} %"
        able = one(product_rate)
    done = each.flops / row.ours
    share = (
        f"{done / 1e9:.0f} of the {able / 1e9:.0f} GFLOP/s of a product of matrices in bfloat16, "
        f"{100 * done / able:.0f} %"
    )
    return replace(row, note=f"{rates}; {accuracies}, equal within 4 standard errors; {share}")


def product_rate() -> float:
    """Floating point operations a second of the fastest of ten products."""
    torch.set_num_threads(1)
    left, right = (torch.ones(SIDE, SIDE, dtype=torch.bfloat16) for _ in range(2))
    seconds = []
    for _ in range(10):
        began = time.perf_counter()
        torch.mm(left, right)
        seconds.append(time.perf_counter() - began)
    return 2 * SIDE**3 / min(seconds)


if __name__ == "__main__":
    main()
