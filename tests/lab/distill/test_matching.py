"""DM and DC as steps: closed forms, sets that already match, and what is drawn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from harness.errors import EvidenceError, UserError
from harness.lab.data import sets
from harness.lab.data.prepared import Dataset
from harness.lab.distill import losses, synthesis
from harness.lab.distill.matching import DcParams, DmParams, distill_dc, distill_dm
from harness.lab.distill.synthesis import Reals, first_images, fresh
from harness.lab.models.classifier import Classifier
from harness.lab.probing import DATASET
from harness.plan.step import StepContext, StepResult
from tests.lab.distill.diffusion.fixtures import MANY_SIZES
from tests.lab.fixtures import as_bytes, context

TRAIN = sets.load(DATASET).train
REAL = (TRAIN.images / 255 - 0.5) / 0.25
"""The 24 training images of the probe's data, six of each of four classes, normalised."""
COMMON: dict[str, Any] = {
    "dataset": DATASET,
    "network": "convnet-digits-instance",
    "per_class": 2,
    "iterations": 3,
    "learning_rate_pixels": 0.5,
    "initial_images": "real",
    "real_batch_size": 6,
    "augmentation": "none",
    "dsa_strategy": "color_crop_cutout_flip_scale_rotate",
    "precision": "float64",
}
LOOPS: dict[str, Any] = {
    "outer_loops": 1,
    "inner_loops": 1,
    "network_learning_rate": 0.1,
    "network_batch_size": 4,
    "distance": "cosine-rows",
}


def by_dm(**fields: Any) -> StepResult:
    return distill_dm(DmParams(**COMMON | fields), {}, context("distill_dm"))


def by_dc(**fields: Any) -> StepResult:
    return distill_dc(DcParams(**COMMON | LOOPS | fields), {}, context("distill_dc"))


def pixels_seen_by(monkeypatch: pytest.MonkeyPatch) -> nn.Module:
    """Put one linear layer on the pixels in the place of every random network."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(64, 4)).double()
    made = Classifier(network, DATASET, "cpu", "float64")
    for module in (synthesis, losses):
        monkeypatch.setattr(module, "fresh", lambda params, device, seed: made)
    return network


def test_dm_descends_by_its_closed_form(
    monkeypatch: pytest.MonkeyPatch, untouched_generators: None
) -> None:
    """The features are the pixels, so that the loss is that of class means, and so is its slope."""
    with torch.random.fork_rng():
        pixels_seen_by(monkeypatch)
    means = np.stack([REAL[TRAIN.labels == label].mean(axis=0) for label in range(4)])
    start = by_dm(iterations=1, learning_rate_pixels=1e-9).arrays["images"]
    images, velocity, losses = start.reshape(4, 2, 8, 8, 1), 0.0, []
    for _ in range(3):
        gap = means - images.mean(axis=1)
        losses.append((gap**2).sum())
        velocity = 0.5 * velocity - 2 * gap[:, None] / 2
        images = images - 0.5 * velocity
    made = by_dm()
    assert made.arrays["losses"] == pytest.approx(losses, rel=1e-6)
    assert made.arrays["images"] == pytest.approx(images.reshape(8, 8, 8, 1), abs=1e-6)
    assert made.arrays["labels"].tolist() == [0, 0, 1, 1, 2, 2, 3, 3]


def test_dc_steps_down_the_slope_of_its_distance(monkeypatch: pytest.MonkeyPatch) -> None:
    with torch.random.fork_rng():
        network = pixels_seen_by(monkeypatch)
    weight, bias = (p.detach().numpy() for p in network.parameters())

    def slope(x: np.ndarray, label: int) -> np.ndarray:
        """d CE / d weight of a linear layer: (p - y) x, averaged."""
        z = x.reshape(len(x), 64) @ weight.T + bias
        p = np.exp(z - z.max(axis=1, keepdims=True))
        error = p / p.sum(axis=1, keepdims=True) - np.eye(4)[label]
        return error.T @ x.reshape(len(x), 64) / len(x)

    def distance(x: np.ndarray) -> float:
        total = 0.0
        for label in range(4):
            g, s = slope(REAL[TRAIN.labels == label], label), slope(x[2 * label :][:2], label)
            norms = np.linalg.norm(g, axis=1) * np.linalg.norm(s, axis=1)
            total += (1 - (g * s).sum(axis=1) / (norms + 1e-6)).sum()
        return total

    start = by_dc(iterations=1, learning_rate_pixels=1e-9).arrays["images"].astype(float)
    made = by_dc(iterations=1)
    assert made.arrays["losses"][0] == pytest.approx(distance(start) / 4, rel=1e-4)
    for place in [(0, 3, 3, 0), (3, 1, 6, 0), (7, 7, 2, 0)]:
        moved = []
        for sign in (1, -1):
            other = start.copy()
            other[place] += sign * 1e-5
            moved.append(distance(other))
        expected = start[place] - 0.5 * (moved[0] - moved[1]) / 2e-5
        assert made.arrays["images"][place] == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("make", [by_dm, by_dc])
def test_a_set_that_is_the_data_matches_them_whatever_the_augmentation(make) -> None:
    """Real and synthetic images of a class are augmented alike; else this would not be zero."""
    fields = {"augmentation": "dsa", "iterations": 6, "learning_rate_pixels": 1e-9}
    # Not quite zero in DC, whose cosines have a floor under the product of their norms.
    assert make(per_class=6, **fields).arrays["losses"].max() < 0.05
    assert make(per_class=5, **fields).arrays["losses"].min() > 0.1


@pytest.mark.parametrize("make", [by_dm, by_dc])
def test_images_are_as_long_and_wide_as_the_data_and_the_same_again(
    make, untouched_generators: None
) -> None:
    made = make(augmentation="dsa", initial_images="noise")
    assert made.arrays["images"].shape == (8, 8, 8, 1)
    assert (made.values["mean"], made.values["std"]) == ([0.5], [0.25])
    assert as_bytes(made) == as_bytes(make(augmentation="dsa", initial_images="noise"))


def test_single_precision_is_the_default() -> None:
    made = by_dm(precision="float32")
    assert made.arrays["images"].dtype == np.float32
    assert made.arrays["losses"] == pytest.approx(by_dm().arrays["losses"], rel=1e-3)


@pytest.mark.parametrize(("outer", "inner"), [(1, 5), (3, 2)])
def test_between_two_steps_the_network_learns_for_the_inner_epochs(
    monkeypatch: pytest.MonkeyPatch, outer: int, inner: int
) -> None:
    lengths: list[int] = []
    inner_steps: list[int] = []
    learn = losses.learn

    def counted(params, classifier, optimizer, images, drawn) -> None:
        optimizer.register_step_post_hook(lambda *_: inner_steps.append(1))
        before = [p.clone() for p in classifier.network.parameters()]
        learn(params, classifier, optimizer, images, drawn)
        lengths.append(len(images))
        after = classifier.network.parameters()
        assert not all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
        optimizer._optimizer_step_post_hooks.clear()

    monkeypatch.setattr(losses, "learn", counted)
    by_dc(iterations=2, outer_loops=outer, inner_loops=inner)
    assert lengths == [8] * 2 * (outer - 1)
    # Eight images in batches of four: two steps an epoch.
    assert len(inner_steps) == 2 * (outer - 1) * inner * 2


def test_the_inner_loop_is_plain_sgd_on_the_synthetic_images() -> None:
    params = DcParams(**COMMON | LOOPS | {"network_batch_size": 8, "inner_loops": 3})
    classifier = fresh(params, "cpu", seed=1)
    twin = fresh(params, "cpu", seed=1).network
    images = torch.randn(8, 1, 8, 8, dtype=torch.float64, generator=torch.Generator())
    labels = torch.tensor([0, 0, 1, 1, 2, 2, 3, 3])
    slow = torch.optim.SGD(classifier.network.parameters(), lr=0.1)
    losses.learn(params, classifier, slow, images, torch.Generator())
    for _ in range(3):
        loss = functional.cross_entropy(twin(images), labels)
        slopes = torch.autograd.grad(loss, list(twin.parameters()))
        with torch.no_grad():
            for parameter, slope in zip(twin.parameters(), slopes, strict=True):
                parameter -= 0.1 * slope
    for ours, theirs in zip(classifier.network.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs)


def test_first_images_are_real_ones_of_their_class_each_once() -> None:
    params = DmParams(**COMMON | {"per_class": 4})
    reals, classifier = Reals.of(params, "cpu"), fresh(params, "cpu", seed=0)
    images, rows = first_images(params, reals, classifier.shown, StepContext("distill_dm", 0))
    assert TRAIN.labels[rows].tolist() == [label for label in range(4) for _ in range(4)]
    assert len(set(rows.tolist())) == 16
    expected = torch.from_numpy(REAL[rows.numpy()]).permute(0, 3, 1, 2)
    torch.testing.assert_close(images, expected)


def test_too_many_images_and_running_statistics_are_refused() -> None:
    with pytest.raises(UserError, match=r"7 first images of each class.*a class has only 6"):
        by_dm(per_class=7)
    with pytest.raises(UserError, match="'convnet-digits' keeps running statistics"):
        by_dc(network="convnet-digits")


def test_images_of_many_sizes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sets, "load", lambda dataset: Dataset(MANY_SIZES, MANY_SIZES))
    with pytest.raises(UserError, match="images of 'probe' have many sizes"):
        by_dm()


def test_a_synthesis_that_diverges_is_an_error_and_not_a_set() -> None:
    with pytest.raises(EvidenceError, match=r"the loss of iteration \d is not a finite number"):
        by_dm(learning_rate_pixels=1e300, iterations=5)
