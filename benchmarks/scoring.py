"""A look at every example for EL2N and the dynamics, beside bare inference and a pass by hand."""

from __future__ import annotations

from benchmarks.bench import compare, keep, one_thread

one_thread()

import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch.nn import functional  # noqa: E402
from torch.utils.data import DataLoader, TensorDataset  # noqa: E402

from benchmarks.made import noise, task  # noqa: E402
from harness.lab.coresets.runs import look  # noqa: E402
from harness.lab.models.classifier import SCORED_AT_ONCE, Classifier  # noqa: E402
from harness.lab.train.loop import Examples  # noqa: E402

PER_CLASS = 20


def main() -> None:
    torch.set_num_threads(1)
    dataset = task().dataset
    examples = noise(dataset, PER_CLASS)
    classifier = Classifier.fresh("convnet-d3", dataset, "cpu", "float32", 0)
    what = f"EL2N and true-class probability of {len(examples):,} images, ConvNet-D3, float32"
    normalised = classifier.shown(examples.images)
    rows = [
        compare(
            what,
            "inference alone, on images that are normalised already",
            "1 times",
            lambda: look(classifier, examples)[1],
            lambda: bare(classifier, normalised),
            same=lambda scores, rows: len(scores) == rows,
        )
    ]
    rows.append(
        compare(
            what,
            "a scoring pass written plainly (DataLoader, batches of 256, NumPy)",
            "1 times",
            lambda: look(classifier, examples)[1],
            lambda: plainly(classifier, examples),
            same=lambda a, b: np.allclose(a, b, atol=1e-5),
        )
    )
    keep("scoring", rows)


@torch.no_grad()
def bare(classifier: Classifier, normalised: torch.Tensor) -> int:
    classifier.network.eval()
    return sum(len(classifier.network(part)) for part in normalised.split(SCORED_AT_ONCE))


@torch.no_grad()
def plainly(classifier: Classifier, examples: Examples) -> np.ndarray:
    classifier.network.eval()
    scores = []
    for images, labels in DataLoader(TensorDataset(examples.images, examples.labels), 256):
        said = functional.softmax(classifier.network(classifier.shown(images)), dim=1).numpy()
        said[np.arange(len(labels)), labels.numpy()] -= 1
        scores.append(np.linalg.norm(said, axis=1))
    return np.concatenate(scores)


if __name__ == "__main__":
    main()
