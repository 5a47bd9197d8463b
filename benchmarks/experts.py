"""Expert trajectories for TM, beside the plain loop that trains one network after the other.

Both sides keep every weight at the start and after each epoch, and judge each network at its end,
each side in a process of its own. At 8 px whole runs are measured, as the profile digits has them:
they are too short to be compiled. What compiling adds to longer ones is measured once it is done.
On a GPU both sides compute in float32, not in TF32.
"""

from __future__ import annotations

from benchmarks.bench import Row, compare, keep, not_measured, one_thread, process

one_thread()

from dataclasses import dataclass, replace  # noqa: E402
from functools import partial  # noqa: E402

import numpy as np  # noqa: E402
import torch  # noqa: E402

from benchmarks.bench import ROOT  # noqa: E402
from benchmarks.made import noise, task  # noqa: E402
from benchmarks.plain import alike, epochs, judged  # noqa: E402
from harness.errors import UserError  # noqa: E402
from harness.lab.data import sets  # noqa: E402
from harness.lab.distill.experts import trained  # noqa: E402
from harness.lab.distill.trajectories import ExpertsParams  # noqa: E402
from harness.lab.models.classifier import Classifier  # noqa: E402
from harness.lab.train import fused  # noqa: E402
from harness.lab.train.loop import Examples  # noqa: E402
from harness.plan.exhibit import plan_exhibit  # noqa: E402
from harness.plan.step import StepContext  # noqa: E402
from harness.run.computing import exact, memory_kept  # noqa: E402
from harness.spec.paper import load_paper  # noqa: E402

BESIDE = "the plain float32 loop of the DC family, one network after the other"


@dataclass(frozen=True)
class Job:
    profile: str
    device: str
    count: int
    epochs: int
    images: int
    """Of the training split."""
    compiled: bool
    """As runs are that are long enough."""

    def params(self) -> ExpertsParams:
        """Table 8's experts, so many and for so long."""
        plan = plan_exhibit(load_paper(ROOT / "specs"), "table8", self.profile, 1)
        stated = next(step.params for step in plan.steps.values() if step.name == "experts")
        given = ExpertsParams.model_validate(stated)
        recipe = given.recipe.model_copy(update={"epochs": self.epochs})
        return given.model_copy(update={"recipe": recipe, "count": self.count})

    def examples(self) -> tuple[Examples, Examples]:
        """To learn from and to be judged on: the first ones of the data set, or noise."""
        dataset = self.params().dataset
        try:
            found = sets.load(dataset)
        except UserError:
            per_class = self.images // dataset.classes
            return noise(dataset, per_class, self.device), noise(dataset, 10, self.device)
        train, test = found.train, found.test
        return (
            Examples.on(self.device, train.images[: self.images], train.labels[: self.images]),
            Examples.on(self.device, test.images[:1000], test.labels[:1000]),
        )


def main() -> None:
    data = task().data
    rows = [
        measured(
            "10 expert trajectories, 8 px, digits, 20 epochs, one core",
            Job("digits", "cpu", 10, 20, 1347, False),
        ),
        measured(
            "the same, compiled as runs ten times as long are",
            Job("digits", "cpu", 10, 20, 1347, True),
        ),
        measured(
            f"2 expert trajectories, ConvNet-D3, 32 px, {data}, 1 epoch of 2,048 images, one core, "
            "compiled as whole runs are",
            Job("paper", "cpu", 2, 1, 2048, True),
        ),
    ]
    gpu = f"10 expert trajectories, ConvNet-D3, 32 px, {data}, 2 epochs of 10,240 images, GPU"
    if torch.cuda.is_available():
        rows.append(measured(gpu, Job("paper", "cuda", 10, 2, 10_240, True), "5 times"))
    else:
        rows.append(not_measured(gpu, BESIDE, "5 times", "no GPU"))
    keep("experts", rows)


def measured(what: str, job: Job, goal: str = "1.5 times") -> Row:
    with process() as one, process() as other:
        accuracies = []

        def same(a: float, b: float) -> bool:
            accuracies.append((a, b))
            return alike(a, b, job.count * min(1000, job.params().dataset.test_size))

        works = partial(one, ours, job), partial(other, plain, job)
        row = compare(what, BESIDE, goal, *works, same=same)
    a, b = accuracies[-1]
    note = f"accuracy {100 * a:.1f} and {100 * b:.1f} %, equal within 4 standard errors"
    return replace(row, note=note)


def ours(job: Job) -> float:
    torch.set_num_threads(1)
    fused.LONG = 0 if job.compiled else fused.LONG
    with memory_kept(), exact(job.device):
        _, accuracies = trained(
            job.params(), *job.examples(), StepContext("experts", 0, job.device)
        )
    return float(np.mean(accuracies))


def plain(job: Job) -> float:
    torch.set_num_threads(1)
    params, (train, test) = job.params(), job.examples()
    trajectories, accuracies = [], []
    with exact(job.device):
        for seed in range(job.count):
            made = Classifier.fresh(params.network, params.dataset, job.device, "float32", seed)
            passed = [weights(made)]
            for _ in epochs(made, train, params.recipe, job.epochs, seed):
                passed.append(weights(made))
            trajectories.append(passed)
            accuracies.append(judged(made, test))
    return float(np.mean(accuracies))


def weights(classifier: Classifier) -> list[torch.Tensor]:
    return [weight.detach().cpu().clone() for weight in classifier.network.parameters()]


if __name__ == "__main__":
    main()
