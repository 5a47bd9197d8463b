"""What a teacher says of the examples, class by class, and what every selection by it keeps to."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from harness.lab.coresets.pools import observed, pools
from harness.lab.coresets.uncertainty import UncertaintyParams
from harness.lab.data import sets
from harness.lab.models.classifier import Classifier
from harness.lab.probing import DATASET, taught
from harness.lab.steps import STEPS
from harness.lab.train.loop import Examples
from harness.plan.step import StepResult
from harness.registry import resolve
from harness.run.probe import probe_of
from tests.lab.fixtures import DIGITS, NETWORK, context

BY_A_TEACHER = {
    step.name: step
    for step in STEPS
    if step.name.startswith("select_") and step.inputs == ("teacher",)
}


def made(name: str, **fields) -> StepResult:
    step = BY_A_TEACHER[name]
    given = probe_of(step)
    params = given.params.model_copy(update=fields)
    return resolve(step.function)(params, given.inputs, context(name))


def test_features_are_what_the_last_linear_layer_is_given() -> None:
    classifier = Classifier.fresh(NETWORK, DIGITS, "cpu", "float64", seed=0)
    train = sets.load(DIGITS).train
    examples = Examples.on("cpu", train.images, train.labels)
    features, logits = map(torch.cat, zip(*observed(classifier, examples), strict=True))
    assert features.shape == (1347, 128)
    torch.testing.assert_close(classifier.network[-1](features), logits)
    torch.testing.assert_close(logits, torch.cat(list(classifier.predict(examples.images))))


def test_classes_apart_and_all_together_hold_the_same_answers() -> None:
    params = UncertaintyParams(dataset=DATASET, network=NETWORK, measure="margin")
    inputs = {"teacher": taught()}
    (together,) = pools(params, False, inputs, context("x"))
    apart = list(pools(params, True, inputs, context("x")))
    assert [set(each.labels.tolist()) for each in apart] == [{0}, {1}, {2}, {3}]
    rows = np.concatenate([each.rows for each in apart])
    assert sorted(rows.tolist()) == together.rows.tolist() == list(range(24))
    for name in ("labels", "features", "logits"):
        joined = np.concatenate([getattr(each, name) for each in apart])
        np.testing.assert_allclose(joined, getattr(together, name)[rows], rtol=1e-12)


@pytest.mark.parametrize("name", BY_A_TEACHER)
def test_every_selection_is_of_distinct_examples_class_by_class(name: str) -> None:
    result = made(name, per_class=4)
    indices, labels = result.arrays["indices"], result.arrays["labels"]
    assert indices.dtype == labels.dtype == np.int64
    assert len(set(indices.tolist())) == 16
    assert labels.tolist() == np.repeat(range(4), 4).tolist()
    assert np.array_equal(sets.load(DATASET).train.labels[indices], labels)
    assert all(len(array) == 16 for array in result.arrays.values())


@pytest.mark.parametrize("name", BY_A_TEACHER)
def test_a_smaller_selection_is_the_beginning_of_a_larger_one(name: str) -> None:
    larger = made(name, per_class=5).arrays["indices"].reshape(4, 5)
    smaller = made(name, per_class=2).arrays["indices"].reshape(4, 2)
    assert np.array_equal(smaller, larger[:, :2])


@pytest.mark.parametrize("name", ["select_glister", "select_herding", "select_centers"])
def test_unbalanced_takes_as_many_of_all_classes_together(name: str) -> None:
    result = made(name, per_class=4, balanced=False)
    assert len(set(result.arrays["indices"].tolist())) == 16
    assert result.arrays["labels"].tolist() != np.repeat(range(4), 4).tolist()
