"""Losses of DM and DC on given subsets: closed forms, what they cannot see, pairing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

from harness.errors import UserError
from harness.lab.data import sets
from harness.lab.measure.dcs.losses import DcLossParams, DmLossParams, dc_loss, dm_loss
from harness.lab.models import networks
from harness.lab.probing import DATASET
from harness.plan.step import MemoryInput
from tests.lab.fixtures import NETWORK, context, held

TRAIN = sets.load(DATASET).train
PIXELS = (TRAIN.images / 255 - DATASET.mean[0]) / DATASET.std[0]
"""Normalised, (24, 8, 8, 1); six images of each of four classes."""
COMMON = {"network": NETWORK, "networks": 2, "real_batch_size": 0, "norms": "initial"}
LEARNING = {"outer_loops": 1, "inner_loops": 1, "learning_rate": 0.1, "batch_size": 8}


def rows_of(*ranks: int) -> np.ndarray:
    return np.concatenate([np.flatnonzero(TRAIN.labels == k)[list(ranks)] for k in range(4)])


def chosen(rows: np.ndarray) -> MemoryInput:
    return held(indices=rows, labels=TRAIN.labels[rows])


def dm(given: MemoryInput, seed: int = 0, **fields) -> float:
    per_class = len(given.array("labels")) // 4
    settings = COMMON | {"means": "per-class", "precision": "float64", "per_class": per_class}
    params = DmLossParams(dataset=DATASET, **settings | fields)
    return dm_loss(params, {"images": given}, context("dm_loss", seed)).values["loss"]


def dc(given: MemoryInput, seed: int = 0, **fields) -> float:
    per_class = len(given.array("labels")) // 4
    settings = COMMON | LEARNING | {"distance": "mse", "precision": "float64"}
    params = DcLossParams(dataset=DATASET, per_class=per_class, **settings | fields)
    return dc_loss(params, {"images": given}, context("dc_loss", seed)).values["loss"]


LOSSES = pytest.mark.parametrize("loss", [dm, dc])
WAYS = pytest.mark.parametrize(
    "fields", [{}, {"norms": "batch"}, {"dsa_strategy": "color_crop_cutout_scale_rotate"}]
)


@pytest.fixture
def linear(monkeypatch: pytest.MonkeyPatch) -> nn.Linear:
    """One linear layer: its features are the pixels, its gradients known by heart."""
    network = nn.Sequential(nn.Flatten(), nn.Linear(64, 4)).double()
    monkeypatch.setitem(networks.NETWORKS, NETWORK, lambda _: network)
    return network[1]


@LOSSES
@WAYS
def test_all_real_images_are_at_distance_zero(loss: Callable, fields: dict) -> None:
    everything = chosen(rows_of(*range(6)))
    assert loss(everything, **fields) == pytest.approx(0, abs=1e-20)
    assert loss(chosen(rows_of(0, 1)), **fields) > 1e-6


@LOSSES
@WAYS
def test_neither_order_nor_a_duplicate_of_everything_is_seen(loss: Callable, fields: dict) -> None:
    rows = rows_of(0, 3, 4)
    before = loss(chosen(rows), **fields)
    shuffled = np.random.default_rng(1).permutation(rows)
    assert loss(chosen(shuffled), **fields) == pytest.approx(before, rel=1e-9)
    assert loss(chosen(np.tile(rows, 2)), **fields) == pytest.approx(before, rel=1e-9)
    assert loss(chosen(rows_of(0, 0, 3)), **fields) != pytest.approx(before, rel=1e-3)


@LOSSES
def test_networks_are_those_of_the_seed_and_are_averaged(
    loss: Callable, untouched_generators: None
) -> None:
    subset = chosen(rows_of(0, 1))
    assert loss(subset) == loss(subset)
    assert loss(subset, seed=1) != pytest.approx(loss(subset), rel=1e-6)
    one, two, three = (loss(subset, networks=count) for count in (1, 2, 3))
    assert len({one, two, three}) == 3
    # The first networks stay when there are more: the third has three times its share left.
    assert 0 < 3 * three - 2 * two != pytest.approx(2 * two - one)


def test_dm_is_zero_for_class_means(linear: nn.Linear) -> None:
    means = np.stack([PIXELS[TRAIN.labels == k].mean(axis=0) for k in range(4)])
    assert dm(held(images=means, labels=np.arange(4))) == pytest.approx(0, abs=1e-24)
    moved = means.copy()
    moved[2] += 0.5
    assert dm(held(images=moved, labels=np.arange(4))) == pytest.approx(64 * 0.25)


def test_dm_by_hand_in_both_readings(linear: nn.Linear) -> None:
    rows = rows_of(0, 1)
    apart = [
        PIXELS[TRAIN.labels == k].mean(axis=0) - PIXELS[rows[TRAIN.labels[rows] == k]].mean(axis=0)
        for k in range(4)
    ]
    assert dm(chosen(rows)) == pytest.approx(sum((part**2).sum() for part in apart))
    whole = (np.mean(apart, axis=0) ** 2).sum()
    assert dm(chosen(rows), means="whole-set") == pytest.approx(whole)


def test_images_in_another_scale_are_seen_in_the_networks_own(linear: nn.Linear) -> None:
    rows = rows_of(0, 1)
    other = (TRAIN.images[rows] / 255 - 0.1) / 0.7
    values = {"mean": [0.1], "std": [0.7]}
    given = MemoryInput(values, {"images": other, "labels": TRAIN.labels[rows]})
    assert dm(given) == pytest.approx(dm(chosen(rows)))
    assert dm(held(images=other, labels=TRAIN.labels[rows])) != pytest.approx(dm(given), rel=1e-3)


def slopes(linear: nn.Linear, rows: np.ndarray) -> np.ndarray:
    """Gradient of the mean cross-entropy: (p - y) outer x, and p - y for the bias."""
    x = PIXELS[rows].reshape(len(rows), -1)
    logits = x @ linear.weight.detach().numpy().T + linear.bias.detach().numpy()
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    away = p - np.eye(4)[TRAIN.labels[rows]]
    return np.concatenate([away.T @ x, away.sum(axis=0)[:, None]], axis=1) / len(rows)


@pytest.mark.parametrize("distance", ["mse", "cosine-rows", "cosine"])
def test_dc_by_hand(linear: nn.Linear, distance: str) -> None:
    rows = rows_of(0, 1)
    expected = 0.0
    for label in range(4):
        real = slopes(linear, np.flatnonzero(TRAIN.labels == label))
        own = slopes(linear, rows[TRAIN.labels[rows] == label])
        if distance == "mse":
            expected += ((real - own) ** 2).sum()
            continue
        pairs = (
            [(real.ravel(), own.ravel())]
            if distance == "cosine"
            else zip(real[:, :-1], own[:, :-1], strict=True)
        )
        expected += sum(1 - a @ b / np.linalg.norm(a) / np.linalg.norm(b) for a, b in pairs)
    found = dc(chosen(rows), networks=1, distance=distance)
    assert found == pytest.approx(expected, rel=1e-4)


def test_dc_goes_on_where_the_subset_leads(linear: nn.Linear) -> None:
    """One full-batch epoch between two comparisons is one step down the subset's gradient."""
    rows, start = rows_of(0, 1), [t.detach().clone() for t in (linear.weight, linear.bias)]

    def restarted(**fields) -> float:
        with torch.no_grad():
            for tensor, value in zip((linear.weight, linear.bias), start, strict=True):
                tensor.copy_(value)
        return dc(chosen(rows), networks=1, batch_size=8, **fields)

    once = restarted()
    twice = restarted(outer_loops=2)
    restarted()
    by_hand = slopes(linear, rows)
    with torch.no_grad():
        linear.weight -= 0.1 * torch.from_numpy(by_hand[:, :-1])
        linear.bias -= 0.1 * torch.from_numpy(by_hand[:, -1])
    after = dc(chosen(rows), networks=1, batch_size=8)
    assert twice == pytest.approx((once + after) / 2)


@LOSSES
def test_a_batch_of_real_images_is_drawn_for_each_network(loss: Callable) -> None:
    subset = chosen(rows_of(0, 1))
    some = loss(subset, real_batch_size=3)
    assert some != pytest.approx(loss(subset), rel=1e-6)
    assert loss(subset, real_batch_size=60) == pytest.approx(loss(subset), rel=1e-9)


def test_another_number_of_images_than_declared_is_refused() -> None:
    with pytest.raises(UserError, match="dm_loss: 3 images of each of 4 classes"):
        dm(chosen(rows_of(0, 1)), per_class=3)
