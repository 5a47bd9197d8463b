"""The loss of trajectory matching on a given subset, where one linear layer tells it by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file
from torch import nn

from harness.errors import UserError
from harness.lab.data import sets
from harness.lab.measure.dcs.losses import TmLossParams, tm_loss
from harness.lab.models import networks
from harness.lab.probing import DATASET
from harness.plan.step import MemoryInput, StepResult
from tests.lab.fixtures import NETWORK, context, held

TRAIN = sets.load(DATASET).train
PIXELS = ((TRAIN.images / 255 - DATASET.mean[0]) / DATASET.std[0]).reshape(24, -1)
RATE = 0.05
EPOCHS = 5


def rows_of(*ranks: int) -> np.ndarray:
    return np.concatenate([np.flatnonzero(TRAIN.labels == k)[list(ranks)] for k in range(4)])


ROWS = rows_of(0, 1, 2)


@pytest.fixture(autouse=True)
def linear(monkeypatch: pytest.MonkeyPatch) -> None:
    """Softmax regression on the pixels."""
    layers = lambda _: nn.Sequential(nn.Flatten(), nn.Linear(64, 4, bias=False))  # noqa: E731
    monkeypatch.setitem(networks.NETWORKS, NETWORK, layers)


def stepped(weight: np.ndarray, rows: np.ndarray, targets: np.ndarray, rate: float) -> np.ndarray:
    """One step of gradient descent on all rows, by the formula of softmax regression."""
    logits = PIXELS[rows] @ weight.T
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return weight - rate * (p - targets).T @ PIXELS[rows] / len(rows)


def onehot(rows: np.ndarray) -> np.ndarray:
    return np.eye(4)[TRAIN.labels[rows]]


def experts(folder: Path, rows: np.ndarray = ROWS, count: int = 1) -> MemoryInput:
    """Experts whose epoch is one step of gradient descent on the rows."""
    files = {}
    for expert in range(count):
        weights = [np.random.default_rng(expert).normal(size=(4, 64)) / 8]
        for _ in range(EPOCHS):
            weights.append(stepped(weights[-1], rows, onehot(rows), RATE))
        name = f"expert-{expert:03d}"
        files[name] = folder / f"{name}.safetensors"
        save_file({"1.weight": np.stack(weights)}, files[name])
    return MemoryInput({"count": count, "epochs": EPOCHS}, {}, files)


def passed(given: MemoryInput, expert: int = 0) -> np.ndarray:
    from safetensors.numpy import load_file

    return load_file(given.tensors(f"expert-{expert:03d}"))["1.weight"]


def measured(trained: MemoryInput, subset: MemoryInput | None = None, **fields) -> StepResult:
    subset = subset or held(indices=ROWS, labels=TRAIN.labels[ROWS])
    settings = {
        "dataset": DATASET,
        "network": NETWORK,
        "per_class": len(subset.array("labels")) // 4,
        "precision": "float64",
        "starts": (0, 1, 3),
        "t_minus": 1,
        "t_plus": 3,
        "n": 2,
        "m": 2,
        "experts": trained.values["count"],
        "learning_rate": RATE,
        "batch_size": 0,
    }
    params = TmLossParams.model_validate(settings | fields)
    return tm_loss(params, {"images": subset, "experts": trained}, context("tm_loss"))


def test_zero_where_the_student_does_what_the_expert_did(tmp_path: Path) -> None:
    found = measured(experts(tmp_path, count=2))
    assert found.values["loss"] == pytest.approx(0, abs=1e-20)
    other = held(indices=rows_of(3, 4, 5), labels=TRAIN.labels[rows_of(3, 4, 5)])
    assert measured(experts(tmp_path), other).values["loss"] > 1e-3


def test_one_where_nothing_moves(tmp_path: Path) -> None:
    found = measured(experts(tmp_path, count=2), learning_rate=0.0)
    assert found.arrays["losses"].tolist() == [1.0, 1.0, 1.0]


def test_one_step_by_hand_at_each_start_and_their_mean_in_the_window(tmp_path: Path) -> None:
    rows = rows_of(3, 5)
    subset = held(indices=rows, labels=TRAIN.labels[rows])
    trained = experts(tmp_path, count=2)
    expected = np.zeros((2, 3))
    for expert in range(2):
        weights = passed(trained, expert)
        for column, start in enumerate((0, 1, 3)):
            reached = stepped(weights[start], rows, onehot(rows), 0.3)
            left = ((reached - weights[start + 2]) ** 2).sum()
            expected[expert, column] = left / ((weights[start] - weights[start + 2]) ** 2).sum()
    found = measured(trained, subset, n=1, learning_rate=0.3)
    np.testing.assert_allclose(found.arrays["losses"], expected.mean(axis=0))
    assert found.arrays["starts"].tolist() == [0, 1, 3]
    assert found.values["loss"] == pytest.approx(expected[:, 1:].mean())


def test_learned_labels_are_followed_only_if_asked_for(tmp_path: Path) -> None:
    trained = experts(tmp_path)
    logits = np.sin(np.arange(48.0)).reshape(12, 4)
    arrays = {"indices": ROWS, "labels": TRAIN.labels[ROWS], "soft_labels": logits}
    fields = {"n": 1, "starts": (1,)}
    ignored = measured(trained, held(**arrays), **fields).values["loss"]
    assert ignored == measured(trained, **fields).values["loss"]
    weights = passed(trained)
    soft = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    reached = stepped(weights[1], ROWS, soft, RATE)
    left = ((reached - weights[3]) ** 2).sum() / ((weights[1] - weights[3]) ** 2).sum()
    found = measured(trained, held(**arrays), labels="learned", **fields)
    assert found.values["loss"] == pytest.approx(left)


def test_whole_batches_see_neither_order_nor_duplicates_and_small_ones_see_both(
    tmp_path: Path,
) -> None:
    trained, rows = experts(tmp_path), rows_of(1, 3)

    def loss(rows: np.ndarray, **fields) -> float:
        subset = held(indices=rows, labels=TRAIN.labels[rows])
        return measured(trained, subset, **fields).values["loss"]

    assert loss(rows[::-1].copy()) == pytest.approx(loss(rows), rel=1e-9)
    assert loss(np.tile(rows, 2)) == pytest.approx(loss(rows), rel=1e-9)
    assert loss(np.tile(rows, 2), batch_size=3) != pytest.approx(loss(rows, batch_size=3))


def test_draws_are_those_of_the_seed(tmp_path: Path, untouched_generators: None) -> None:
    trained = experts(tmp_path)
    fields = {"dsa_strategy": "color_crop_cutout", "batch_size": 5, "n": 3}
    losses = measured(trained, **fields).arrays["losses"]
    assert np.array_equal(losses, measured(trained, **fields).arrays["losses"])
    # A start draws for itself: what others are asked for changes nothing.
    alone = measured(trained, starts=(3,), **fields).arrays["losses"]
    assert alone.tolist() == losses[2:].tolist()


def test_what_the_experts_do_not_hold_is_refused(tmp_path: Path) -> None:
    trained = experts(tmp_path)
    with pytest.raises(UserError, match="trajectories of 5 epochs do not reach epoch 6"):
        measured(trained, starts=(4,), t_plus=4)
    with pytest.raises(UserError, match="3 experts were declared, but the input holds 1"):
        measured(trained, experts=3)
    with pytest.raises(ValueError, match="none of 'starts' lies between"):
        measured(trained, t_minus=4, t_plus=9)


def test_the_last_start_may_be_left_out_of_the_mean(tmp_path: Path) -> None:
    trained = experts(tmp_path, count=2)
    fields = {"n": 1, "learning_rate": 0.3}
    both, less = (measured(trained, **fields, t_plus_included=i) for i in (True, False))
    own = both.arrays["losses"]
    assert both.values["loss"] == pytest.approx((own[1] + own[2]) / 2)
    assert less.values["loss"] == pytest.approx(own[1])
