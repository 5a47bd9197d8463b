"""EL2N early in training, and the sweep over windows of it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from harness.errors import UserError
from harness.lab.coresets import runs
from harness.lab.coresets.el2n import El2nParams, el2n_score, el2n_sl_score
from harness.lab.coresets.el2n import probe_el2n_sl_score as soft_probe
from harness.lab.coresets.ranking import held_out, window
from harness.lab.coresets.runs import soft_error
from harness.lab.coresets.select import TopParams, WindowParams, select_top, select_window
from harness.lab.data import sets
from harness.plan.step import StepResult
from tests.lab.fixtures import DIGITS, HARD_LABELS, NETWORK, changed, context, held

BRIEF = changed(HARD_LABELS, epochs=2, learning_rate=0.1, batch_size=100, augmentation="none")


def scored(runs: int, epoch: int = 1, seed: int = 0) -> np.ndarray:
    params = El2nParams(dataset=DIGITS, network=NETWORK, recipe=BRIEF, runs=runs, epoch=epoch)
    return el2n_score(params, {}, context("el2n_score", seed)).arrays["score"]


def sweep(score: np.ndarray, **fields) -> StepResult:
    params = WindowParams(
        dataset=DIGITS,
        network=NETWORK,
        recipe=changed(HARD_LABELS, epochs=10),
        **({"per_class": 5, "starts": (0.0, 0.5, 1.0), "chosen_on": "test"} | fields),
    )
    return select_window(params, {"score": held(score=score)}, context("select_window"))


def test_scores_are_means_of_independent_runs_within_their_bounds() -> None:
    one, two = scored(1), scored(2)
    assert one.shape == (1347,)
    assert one.min() >= 0
    assert one.max() <= np.sqrt(2) + 1e-6
    # The mean of two has the first in it, and the second run is another one.
    second = 2 * two - one
    assert second.min() > -1e-5
    assert second.max() <= np.sqrt(2) + 1e-5
    assert np.abs(second - one).max() > 0.05


def test_a_run_stops_at_its_epoch_and_keeps_the_schedule_of_the_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[int] = []
    wanted: list[int] = []
    plain = runs.training

    def counted(classifier, examples, recipe, samples, ctx):
        wanted.append(samples)
        for update in plain(classifier, examples, recipe, samples, ctx):
            seen.append(len(update.chosen))
            yield update

    monkeypatch.setattr(runs, "training", counted)
    scored(1, epoch=1)
    assert sum(seen) == 1347
    assert wanted == [2 * 1347]


def test_the_error_of_soft_labels_by_hand() -> None:
    # At temperature 2, e^(f/2) of the two answers are 3 : 1 and 1 : 1.
    answer = 2 * torch.tensor([[3.0, 1.0]]).log()
    even = torch.zeros(1, 2)
    # p = (3/4, 1/4) and q = (1/2, 1/2) are sqrt(2)/4 apart; the gradient has 1/T before it.
    assert soft_error(answer, even, 2.0).tolist() == pytest.approx([np.sqrt(2) / 8])
    assert soft_error(answer, answer, 2.0).tolist() == [0.0]
    # Certain answers at odds: sqrt(2) / T.
    sure = torch.tensor([[9e3, 0.0], [0.0, 9e3]])
    assert soft_error(sure, sure.flip(0), 20.0).tolist() == pytest.approx([np.sqrt(2) / 20] * 2)


def test_the_error_of_soft_labels_is_the_gradient_of_the_divergence() -> None:
    """Lemma 1: the gradient of KL(q || p) in the logits is (p - q) / T."""
    generator = torch.Generator().manual_seed(0)
    logits, target = torch.randn(2, 5, 7, generator=generator, dtype=torch.float64)
    logits.requires_grad_()
    log_p, log_q = (answer.div(3.0).log_softmax(1) for answer in (logits, target))
    divergence = torch.nn.functional.kl_div(log_p, log_q, reduction="sum", log_target=True)
    (gradient,) = torch.autograd.grad(divergence, logits)
    torch.testing.assert_close(gradient.norm(dim=1), soft_error(logits, target, 3.0))


def test_soft_scores_are_means_over_the_runs() -> None:
    given_ = soft_probe()
    two, one = (
        el2n_sl_score(
            given_.params.model_copy(update={"runs": runs}), given_.inputs, context("el2n_sl_score")
        ).arrays["score"]
        for runs in (2, 1)
    )
    assert two.shape == (24,)
    assert two.min() > 0
    assert two.max() <= np.sqrt(2) / 4
    assert np.abs(2 * two - one).max() <= np.sqrt(2) / 4
    assert not np.allclose(one, two)


def test_an_epoch_after_the_run_is_refused() -> None:
    with pytest.raises(ValidationError, match="scores after epoch 3 are asked for"):
        El2nParams(dataset=DIGITS, network=NETWORK, recipe=BRIEF, runs=1, epoch=3)


def test_windows_by_hand() -> None:
    dataset = DIGITS.model_copy(update={"classes": 2})
    params = WindowParams(
        dataset=dataset,
        network=NETWORK,
        recipe=BRIEF,
        per_class=2,
        starts=(0.0,),
        chosen_on="test",
    )
    labels = np.array([0, 1, 0, 1, 0, 1, 0, 1])
    ranked = np.array([7, 6, 5, 4, 3, 2, 1, 0])
    assert window(ranked, labels, params, 0.0).tolist() == [6, 4, 7, 5]
    assert window(ranked, labels, params, 0.5).tolist() == [4, 2, 5, 3]
    assert window(ranked, labels, params, 1.0).tolist() == [2, 0, 3, 1]


def test_the_best_window_wins_and_the_ends_are_the_extremes() -> None:
    labels = sets.load(DIGITS).train.labels
    score = np.random.default_rng(0).random(1347)
    made = sweep(score)
    accuracies = made.arrays["accuracies"]
    assert made.values["start"] == (0.0, 0.5, 1.0)[int(np.argmax(accuracies))]
    assert np.bincount(made.arrays["labels"]).tolist() == [5] * 10
    hard = sweep(score, starts=(0.0,)).arrays["indices"]
    top = TopParams(dataset=DIGITS, per_class=5, balanced=True)
    wanted = select_top(top, {"score": held(score=score)}, context("x")).arrays["indices"]
    assert np.array_equal(hard, wanted)
    easy = sweep(score, starts=(1.0,)).arrays["indices"]
    low = top.model_copy(update={"keep": "lowest"})
    wanted = select_top(low, {"score": held(score=score)}, context("x")).arrays["indices"]
    assert sorted(easy.tolist()) == sorted(wanted.tolist())
    assert np.array_equal(labels[easy], np.repeat(np.arange(10), 5))


def test_held_out_judges_are_a_tenth_of_each_class_and_in_no_window() -> None:
    labels = sets.load(DIGITS).train.labels
    mask = held_out(labels, seed=3)
    sizes = np.bincount(labels)
    assert np.bincount(labels[mask]).tolist() == [round(0.1 * size) for size in sizes]
    aside = held_out(labels, context("select_window").derive("held-out"))
    made = sweep(np.random.default_rng(1).random(1347), chosen_on="held-out")
    assert not aside[made.arrays["indices"]].any()


def test_scores_of_another_data_set_and_too_large_windows_are_refused() -> None:
    with pytest.raises(UserError, match="1347 training examples, but its input holds 7"):
        sweep(np.zeros(7))
    with pytest.raises(UserError, match="the pool of select_window"):
        sweep(np.zeros(1347), per_class=130, chosen_on="held-out")
