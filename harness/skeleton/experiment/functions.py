"""What the steps do. Each takes its parameters, the records it reads, and a context with a seed.

All randomness comes from `context.derive(purpose)`: the same seed gives the same numbers anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier

from experiment.steps import CentralParams, ClassifyParams, RandomParams
from harness.plan.step import MemoryInput, Probe, StepContext, StepInput, StepResult


class Digits(NamedTuple):
    """Pixels in [0, 1], float64 (n, 64), and labels."""

    train: np.ndarray
    train_labels: np.ndarray
    test: np.ndarray
    test_labels: np.ndarray


def _digits() -> Digits:
    bunch = load_digits()
    halves = train_test_split(
        bunch.data / 16, bunch.target, test_size=0.5, random_state=0, stratify=bunch.target
    )
    return Digits(halves[0], halves[2], halves[1], halves[3])


def random_subset(
    params: RandomParams, inputs: Mapping[str, StepInput], context: StepContext
) -> StepResult:
    """`indices` of random training examples, equally many of every class."""
    labels = _digits().train_labels
    draw = np.random.default_rng(context.derive("subset"))
    kept = [
        draw.permutation(np.flatnonzero(labels == label))[: params.per_class]
        for label in np.unique(labels)
    ]
    return StepResult({}, {"indices": np.concatenate(kept)})


def central_subset(
    params: CentralParams, inputs: Mapping[str, StepInput], context: StepContext
) -> StepResult:
    """`indices` of the training examples of every class that are nearest to its centre."""
    digits = _digits()
    centre = np.mean if params.around == "mean" else np.median
    kept = []
    for label in np.unique(digits.train_labels):
        own = np.flatnonzero(digits.train_labels == label)
        away = np.linalg.norm(digits.train[own] - centre(digits.train[own], axis=0), axis=1)
        kept.append(own[np.argsort(away, kind="stable")[: params.per_class]])
    return StepResult({}, {"indices": np.concatenate(kept)})


def classify(
    params: ClassifyParams, inputs: Mapping[str, StepInput], context: StepContext
) -> StepResult:
    """`accuracy` on the test half, a fraction, by the nearest examples of the subset."""
    digits, kept = _digits(), inputs["subset"].array("indices")
    nearest = KNeighborsClassifier(params.neighbours)
    nearest.fit(digits.train[kept], digits.train_labels[kept])
    context.report(1.0, "classified")
    return StepResult({"accuracy": float(nearest.score(digits.test, digits.test_labels))})


def probe_random() -> Probe:
    return Probe(RandomParams(per_class=2), {}, seed=3)


def probe_central() -> Probe:
    return Probe(CentralParams(per_class=2), {})


def probe_classify() -> Probe:
    subset = MemoryInput(held={"indices": np.arange(60)})
    return Probe(ClassifyParams(), {"subset": subset})
