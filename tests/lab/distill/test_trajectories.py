"""Experts, TM and DATM: trajectories that can be met exactly, and what DATM adds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from safetensors.numpy import save_file
from torch.nn import functional

from harness.errors import UserError
from harness.lab.data import sets
from harness.lab.distill.experts import Trajectories
from harness.lab.distill.losses import mean_of_right
from harness.lab.distill.synthesis import Reals
from harness.lab.distill.trajectories import (
    DatmParams,
    ExpertsParams,
    TmParams,
    distill_datm,
    distill_tm,
    experts,
    upper_bound,
)
from harness.lab.models.networks import build
from harness.lab.probing import DATASET, RECIPE
from harness.plan.step import MemoryInput, StepResult
from tests.lab.fixtures import as_bytes, changed, context

NETWORK = "convnet-digits-instance"
TRAIN = sets.load(DATASET).train
IMAGES = torch.from_numpy((TRAIN.images / 255 - 0.5) / 0.25).permute(0, 3, 1, 2)
LABELS = torch.from_numpy(TRAIN.labels)
PLAIN = changed(
    RECIPE,
    epochs=4,
    batch_size=24,
    augmentation="none",
    momentum=0.0,
    nesterov=False,
    weight_decay=0.0,
    scheduler="constant",
    warmup_epochs=0,
)
"""One plain step on all 24 images is an epoch."""
COMMON: dict[str, Any] = {
    "dataset": DATASET,
    "network": NETWORK,
    "per_class": 6,
    "iterations": 3,
    "learning_rate_pixels": 1.0,
    "initial_images": "real",
    "augmentation": "none",
    "n": 2,
    "m": 2,
    "t_plus": 3,
    "learning_rate_rate": 0.0,
    "first_learning_rate": 0.05,
    "synthetic_batch_size": 0,
    "precision": "float64",
}
ALIGNED: dict[str, Any] = {
    "t_minus": 1,
    "t_first": 3,
    "expansion": 1,
    "learning_rate_labels": 0.5,
    "momentum_labels": 0.9,
    "skip_above": 1.0,
}


@pytest.fixture(scope="module")
def trained() -> StepResult:
    params = ExpertsParams(dataset=DATASET, network=NETWORK, recipe=PLAIN, count=2)
    return experts(params, {}, context("experts"))


@pytest.fixture
def passed(trained: StepResult, tmp_path: Path) -> MemoryInput:
    return on_disk(trained, tmp_path)


def on_disk(trained: StepResult, folder: Path) -> MemoryInput:
    files = {}
    for name, tensors in trained.tensors.items():
        files[name] = folder / f"{name}.safetensors"
        save_file(dict(tensors), files[name])
    return MemoryInput(trained.values, {}, files)


def by_tm(passed: MemoryInput, **fields: Any) -> StepResult:
    return distill_tm(TmParams(**COMMON | fields), {"experts": passed}, context("distill_tm"))


def by_datm(passed: MemoryInput, **fields: Any) -> StepResult:
    params = DatmParams(**COMMON | ALIGNED | {"per_class": 2} | fields)
    return distill_datm(params, {"experts": passed}, context("distill_datm"))


def test_a_trajectory_is_the_weights_after_every_epoch(trained: StepResult) -> None:
    assert set(trained.tensors) == {"expert-000", "expert-001"}
    path = trained.tensors["expert-000"]
    seed = context("experts").part(0, 2).derive("init")
    net = build(NETWORK, DATASET, seed).double()
    assert set(path) == {name for name, _ in net.named_parameters()}
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
    for epoch in range(5):
        for name, weight in net.named_parameters():
            np.testing.assert_allclose(path[name][epoch], weight.detach(), rtol=1e-9, atol=1e-12)
        optimizer.zero_grad()
        functional.cross_entropy(net(IMAGES), LABELS).backward()
        optimizer.step()
    assert not np.array_equal(trained.tensors["expert-001"]["0.weight"], path["0.weight"])


def test_experts_say_how_many_and_how_good_they_are(trained: StepResult) -> None:
    assert (trained.values["count"], trained.values["epochs"]) == (2, 4)
    assert trained.values["accuracy"] == pytest.approx(trained.arrays["accuracies"].mean())


def test_the_data_themselves_lead_exactly_where_the_experts_went(passed: MemoryInput) -> None:
    """All 24 images, two steps at the experts' rate: two epochs of any expert, from any epoch."""
    made = by_tm(passed, iterations=8)
    assert made.arrays["losses"] == pytest.approx(np.zeros(8), abs=1e-15)
    # At another rate they do not, nor does one image less of each class.
    assert by_tm(passed, first_learning_rate=0.04).arrays["losses"].min() > 1e-3
    assert by_tm(passed, per_class=5).arrays["losses"].min() > 1e-6


def test_experts_of_whitened_images_are_matched_by_whitened_ones(tmp_path: Path) -> None:
    """And what is synthesised comes back as pixels, scaled as the data set's."""
    params = ExpertsParams(
        dataset=DATASET, network=NETWORK, recipe=changed(PLAIN, zca=True), count=2
    )
    white = on_disk(experts(params, {}, context("experts")), tmp_path)
    made = by_tm(white)
    assert made.arrays["losses"] == pytest.approx(np.zeros(3), abs=1e-15)
    real = {image.tobytes() for image in (TRAIN.images / 255).round(6)}
    found = (made.arrays["images"] * 0.25 + 0.5).round(6) + 0.0
    assert {image.tobytes() for image in found} == real
    # Read as if they were not whitened, the same images lead elsewhere.
    blind = MemoryInput({**white.values, "zca": False}, {}, white.files)
    assert by_tm(blind).arrays["losses"].min() > 1e-3


def test_the_rate_is_learned_towards_that_of_the_experts(passed: MemoryInput) -> None:
    made = by_tm(
        passed,
        iterations=30,
        first_learning_rate=0.04,
        learning_rate_rate=2e-4,
        learning_rate_pixels=1e-9,
    )
    assert made.values["learning_rate"] == pytest.approx(0.05, abs=2e-3)
    assert made.values["last_loss"] < 0.1 * made.values["first_loss"]


def test_images_are_learned_too(passed: MemoryInput, untouched_generators: None) -> None:
    fields = {"per_class": 1, "iterations": 40, "learning_rate_pixels": 5.0, "t_plus": 1}
    made = by_tm(passed, initial_images="noise", **fields)
    assert made.values["last_loss"] < 0.8 * made.values["first_loss"]
    assert made.values["learning_rate"] == 0.05
    assert as_bytes(made) == as_bytes(by_tm(passed, initial_images="noise", **fields))


def test_starts_are_drawn_from_the_window_and_targets_lie_ahead(passed: MemoryInput) -> None:
    trajectories = Trajectories.of(passed)
    whole = [trajectories.weights(e, t, "cpu")["9.bias"] for e in range(2) for t in range(5)]
    places = {tuple(bias.tolist()): divmod(n, 5) for n, bias in enumerate(whole)}
    generator, met = torch.Generator().manual_seed(0), set()
    for _ in range(60):
        start, target = trajectories.drawn(1, 3, 2, "cpu", generator)
        (one, epoch), (two, later) = (
            places[tuple(weights["9.bias"].tolist())] for weights in (start, target)
        )
        assert (one, epoch + 2) == (two, later)
        met.add((one, epoch))
    assert met == {(0, 1), (0, 2), (1, 1), (1, 2)}


def test_experts_that_are_too_short_are_refused(passed: MemoryInput) -> None:
    with pytest.raises(UserError, match=r"trajectories of 4 epochs.*from epoch 3 to 5"):
        by_tm(passed, t_plus=4)
    params = ExpertsParams(dataset=DATASET, network="convnet-digits", recipe=PLAIN, count=1)
    with pytest.raises(UserError, match="'convnet-digits' keeps running statistics"):
        experts(params, {}, context("experts"))


def test_the_upper_bound_grows_evenly_to_its_end() -> None:
    params = DatmParams(
        **COMMON | ALIGNED | {"t_minus": 0, "t_first": 30, "t_plus": 50, "expansion": 2000}
    )
    bounds = [upper_bound(params, iteration) for iteration in (0, 99, 100, 1000, 1999, 2000, 9999)]
    assert bounds == [30, 30, 31, 40, 49, 50, 50]
    with pytest.raises(ValidationError, match="t_minus < t_first <= t_plus"):
        DatmParams(**COMMON | ALIGNED | {"t_minus": 3})


def test_labels_begin_as_the_mean_of_the_experts_that_are_right(passed: MemoryInput) -> None:
    logits = torch.tensor([[[1.0, 3.0]], [[5.0, 1.0]], [[2.0, 9.0]]])
    some = torch.tensor([[True], [False], [True]])
    assert mean_of_right(logits, some).tolist() == [[1.5, 6.0]]
    none = mean_of_right(logits, torch.zeros_like(some))
    torch.testing.assert_close(none, logits.mean(dim=0))
    # A threshold that nothing meets: the set stays as it began.
    made = by_datm(passed, skip_above=1e-12, initial_images="correctly-classified", per_class=1)
    trajectories, said = Trajectories.of(passed), []
    for expert in range(2):
        net = build(NETWORK, DATASET, 0).double()
        net.load_state_dict(trajectories.weights(expert, 4, "cpu"))
        said.append(net(IMAGES).detach())
    for number, image in enumerate(made.arrays["images"]):
        row = int((IMAGES.permute(0, 2, 3, 1) == torch.from_numpy(image)).all(-1).all(-1).all(-1)
                  .nonzero())  # fmt: skip
        assert LABELS[row] == number
        right = [s[row] for s in said if s[row].argmax() == number]
        assert right
        expected = torch.stack(right).mean(dim=0)
        np.testing.assert_allclose(made.arrays["soft_labels"][number], expected, rtol=1e-9)


def test_soft_labels_are_learned_and_told_as_classes(passed: MemoryInput) -> None:
    still = by_datm(passed, learning_rate_labels=0.0)
    made = by_datm(passed)
    assert made.arrays["soft_labels"].shape == (8, 4)
    assert not np.array_equal(made.arrays["soft_labels"], still.arrays["soft_labels"])
    assert made.arrays["labels"].tolist() == made.arrays["soft_labels"].argmax(axis=1).tolist()


def test_experts_judge_first_images_in_turn(passed: MemoryInput) -> None:
    """Those that the first is right about come first; the next one fills a class that runs short.

    As the official code does it: image by image, expert after expert.
    """
    reals = Reals.of(DatmParams(**COMMON | ALIGNED | {"per_class": 3}), "cpu")
    right = torch.zeros(3, 24, dtype=torch.bool)
    of_class = [rows.tolist() for rows in reals.rows]
    for label, rows in enumerate(of_class):
        right[0, rows[: label + 1]] = True
        right[1, rows[1:4]] = True
        right[2, rows[5]] = True
    turn = right.int().argmax(dim=0)
    known = reals.among(right.any(dim=0), turn)
    for label, rows in enumerate(of_class):
        order = torch.randperm(len(known.rows[label]), generator=torch.Generator().manual_seed(5))
        shuffled = known.rows[label][order].tolist()
        wanted: list[int] = []
        for expert in range(3):
            wanted += [r for r in shuffled if right[expert, r] and r not in wanted]
        drawn = known.drawn(label, 3, torch.Generator().manual_seed(5)).tolist()
        assert drawn == wanted[:3]
        assert set(drawn) <= set(rows[: label + 1]) or label < 2
    # Any of them: one that only the last expert knows comes as soon as others.
    anyone = reals.among(right.any(dim=0))
    seen = {anyone.drawn(0, 1, torch.Generator().manual_seed(s)).item() for s in range(40)}
    assert of_class[0][5] in seen


def test_first_labels_may_be_those_of_one_expert(passed: MemoryInput) -> None:
    made = by_datm(passed, skip_above=1e-12, per_class=6, first_labels="first-expert")
    net = build(NETWORK, DATASET, 0).double()
    net.load_state_dict(Trajectories.of(passed).weights(0, 4, "cpu"))
    shown = torch.from_numpy(made.arrays["images"]).permute(0, 3, 1, 2)
    np.testing.assert_allclose(made.arrays["soft_labels"], net(shown).detach(), rtol=1e-9)
    both = by_datm(passed, skip_above=1e-12, per_class=6)
    assert np.abs(both.arrays["soft_labels"] - made.arrays["soft_labels"]).max() > 1e-3
