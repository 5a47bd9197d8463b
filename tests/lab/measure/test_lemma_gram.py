"""Gram matrices of a network's logit gradients, against loops of plain autograd."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from harness.lab.coresets.gradients import all_parameter_norms
from harness.lab.data import sets
from harness.lab.measure.lemma import formulas, lemma1
from harness.lab.measure.lemma.gram import gradients_of_logits
from harness.lab.measure.lemma.lemma1 import GramParams, gram_during_training
from harness.lab.models.classifier import Classifier
from harness.lab.train.loop import Examples
from tests.lab.fixtures import DIGITS, HARD_LABELS, NETWORK, context


def network() -> tuple[Classifier, Examples]:
    """As initialised, with norms that a batch has passed through, and five images."""
    classifier = Classifier.fresh(NETWORK, DIGITS, "cpu", "float64", seed=3)
    train = sets.load(DIGITS).train
    examples = Examples.on("cpu", train.images[:5], train.labels[:5])
    classifier.network.train()
    classifier.logits(classifier.pixels(examples.images))
    return classifier, examples


def slopes(classifier: Classifier, image: Tensor) -> list[list[Tensor]]:
    """Gradient of each logit of one image in each parameter tensor."""
    weights = list(classifier.network.parameters())
    logits = classifier.logits(classifier.pixels(image[None]))[0]
    return [list(torch.autograd.grad(logit, weights, retain_graph=True)) for logit in logits]


def test_the_gram_matrices_are_those_of_one_backward_pass_a_logit() -> None:
    classifier, examples = network()
    found = gradients_of_logits(classifier, examples)
    classifier.network.eval()
    for row, image in enumerate(examples.images):
        psi = slopes(classifier, image)
        for part, chosen in (("all", slice(None)), ("last", slice(-2, None))):
            flat = torch.stack([torch.cat([t.ravel() for t in own[chosen]]) for own in psi])
            assert torch.allclose(found[part][row], flat @ flat.T, rtol=1e-9)
    logits = torch.cat(list(classifier.predict(examples.images)))
    assert torch.allclose(found["logits"], logits, rtol=1e-9)


def test_grand_from_the_gram_matrix_is_the_gradient_norm_of_the_loss() -> None:
    classifier, examples = network()
    found = {
        name: tensor.numpy() for name, tensor in gradients_of_logits(classifier, examples).items()
    }
    p = formulas.answer(found["logits"], 1.0)
    q = np.eye(10)[examples.labels.numpy()]
    exact = formulas.grand(p, q, found["all"], 1.0)
    assert exact == pytest.approx(all_parameter_norms(classifier, examples).numpy(), rel=1e-9)


def test_in_the_last_layer_the_assumption_holds_but_for_c() -> None:
    # The gradient of logit k is (h, 1) in the k-th row and zero elsewhere.
    made = gram_during_training(*arguments(), context("gram_during_training"))
    assert made.arrays["last_cosine"] == pytest.approx(0, abs=1e-12)
    assert made.arrays["last_norms"] == pytest.approx(0, abs=1e-12)
    assert made.arrays["last_bound"] == pytest.approx(1)
    for label in ("hard", "soft"):
        assert made.arrays[f"last_{label}_c_rank"] == pytest.approx(1)
    # c depends on the image, so without it the order is another.
    assert np.all(made.arrays["last_c"] > 0.01)
    assert np.any(made.arrays["last_hard_rank"] < 0.999)
    # In all parameters neither orthogonality nor equal norms hold.
    assert np.all(np.ptp(made.arrays["all_cosine"], axis=1) > 0.05)
    assert np.all(made.arrays["all_norms"] > 0.01)


def arguments() -> tuple:
    probe = lemma1.gram_probe()
    return probe.params.model_copy(update={"examples": 20}), probe.inputs


def test_epochs_are_rows_and_values_are_the_last() -> None:
    made = gram_during_training(*arguments(), context("gram_during_training"))
    assert made.arrays["epochs"].tolist() == [0, 2]
    assert made.arrays["all_cosine"].shape == (2, 3)
    assert made.values["all_soft_rank_end"] == made.arrays["all_soft_rank"][-1]
    assert "epochs_end" not in made.values


def test_epochs_that_do_not_fit_the_run_are_refused() -> None:
    fields = {"dataset": DIGITS, "network": NETWORK, "teacher": NETWORK, "recipe": HARD_LABELS}
    fields |= {"runs": 1, "examples": 10, "temperature": 20}
    for epochs in ((0, 61), (5, 2), (1, 1)):
        with pytest.raises(ValidationError, match="must rise and end within the run of 60"):
            GramParams(**fields, epochs=epochs)
    with pytest.raises(ValidationError, match="has 1347"):
        GramParams(**fields | {"examples": 1348}, epochs=(1,))
