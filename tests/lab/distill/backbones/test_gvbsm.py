"""G-VBSM: losses, slopes, averages and turns against small computations of their own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from scipy.special import rel_entr, softmax
from torch import Generator, Tensor
from torch.nn import functional

from harness.errors import UserError
from harness.lab.distill.backbones.matched import (
    Averages,
    backbones_of,
    densification,
    forward_pass,
)
from harness.lab.distill.backbones.methods import GvbsmParams, distill_gvbsm
from harness.lab.distill.synthesis import as_bytes
from harness.lab.probing import DATASET
from harness.plan.step import StepResult
from tests.lab.distill.backbones.conftest import (
    BLACK,
    PLAIN,
    WHITE,
    Known,
    distance,
    found,
    normalised,
    targets,
)
from tests.lab.fixtures import as_bytes as bytes_of
from tests.lab.fixtures import context

DENSE = {"densification_weight": 0.7, "densification_temperature": 4.0}
LABELS = torch.tensor([2, 0, 0, 1])
IMAGES = normalised(np.array([2, 0, 4, 1]))


def params(**fields: Any) -> GvbsmParams:
    return GvbsmParams(**PLAIN | DENSE | fields)


def made(known: Known, **fields: Any) -> StepResult:
    return distill_gvbsm(params(**fields), known.inputs, context("distill_gvbsm"))


def spectrum_loss(images: Tensor, labels: Tensor, temperature: float = 4.0) -> float:
    """By numpy's singular values and scipy's entropies."""
    total = 0.0
    for label in set(labels.tolist()):
        rows = images[labels == label].detach().flatten(1).numpy()
        eigenvalues = np.linalg.svd(rows, compute_uv=False)[: len(rows)] ** 2
        softer = softmax(eigenvalues / temperature)
        total += rel_entr(softer, softmax(eigenvalues)).sum()
    return total


@pytest.mark.parametrize("number", [0, 1])
def test_the_distance_and_its_slope_are_those_of_the_formula(known: Known, number: int) -> None:
    """The second backbone has no BatchNorm layer: its convolutions alone are matched."""
    own = params()
    backbones = backbones_of(own, known.inputs, context("x"))
    images = IMAGES.clone().requires_grad_()

    def ours(given: Tensor) -> Tensor:
        averages = Averages.fresh(own, backbones)
        seen = forward_pass(own, backbones, number, given, averages, Generator())
        return seen.distance(seen.backbone.targets, 10.0)

    def theirs(given: Tensor) -> Tensor:
        _, seen = found(known.networks[number], given)
        return distance(seen, targets(known, number), 10.0)

    assert ours(images).item() == pytest.approx(theirs(images).item(), rel=1e-10)
    (slope,) = torch.autograd.grad(ours(images), images)
    (expected,) = torch.autograd.grad(theirs(images), images)
    torch.testing.assert_close(slope, expected)
    place = (1, 0, 4, 3)
    ends = []
    for sign in (1, -1):
        moved = IMAGES.clone()
        moved[place] += sign * 1e-6
        ends.append(ours(moved).item())
    assert slope[place].item() == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-5)


def test_densification_is_the_divergence_of_a_class_spectrum_from_a_softer_one() -> None:
    small = IMAGES / 8
    loss = densification(small, LABELS, 4.0).item()
    assert loss == pytest.approx(spectrum_loss(small, LABELS), rel=1e-10)
    assert loss > 0
    # One image has one eigenvalue, whose probability is 1 at any temperature.
    assert densification(small[2:], LABELS[2:], 4.0).item() == 0
    # So have two that are equal in every direction: orthogonal, and of one norm.
    even = torch.zeros(2, 1, 8, 8, dtype=torch.float64)
    even[0, 0, 0, 0] = even[1, 0, 1, 1] = 1.0
    assert densification(even, torch.tensor([0, 0]), 4.0).item() == pytest.approx(0, abs=1e-15)
    alike = torch.ones(2, 1, 8, 8, dtype=torch.float64) / 8
    assert densification(alike, torch.tensor([0, 0]), 4.0).item() > 0.1


def test_the_slope_of_densification_holds_the_softer_spectrum_fixed() -> None:
    """p - q on the eigenvalues, whose slopes are 2 v v^T X: by numpy."""
    pair = (IMAGES[1:3] / 8).clone().requires_grad_()
    (slope,) = torch.autograd.grad(densification(pair, torch.tensor([0, 0]), 4.0), pair)
    rows = pair.detach().flatten(1).numpy()
    eigenvalues, vectors = np.linalg.eigh(rows @ rows.T)
    pull = softmax(eigenvalues) - softmax(eigenvalues / 4.0)
    expected = 2 * (vectors * pull) @ vectors.T @ rows
    np.testing.assert_allclose(slope.flatten(1).numpy(), expected, rtol=1e-8, atol=1e-12)


def test_images_are_shrunk_to_32_pixels_before_their_spectrum() -> None:
    images = torch.linspace(-1, 1, 2 * 3 * 64 * 64).sin().view(2, 3, 64, 64) / 40
    pooled = images.view(2, 3, 32, 2, 32, 2).mean(dim=(3, 5))
    labels = torch.zeros(2, dtype=torch.int64)
    assert densification(images, labels, 4.0).item() == pytest.approx(
        densification(pooled, labels, 4.0).item(), rel=1e-5
    )


@pytest.mark.parametrize(("start", "weight"), [("zero", 0.7), ("first", 1.0)])
def test_averages_are_the_geometric_ones_and_their_slope_that_of_the_last_forward_pass(
    known: Known, start: str, weight: float
) -> None:
    own = params(ema=0.3, ema_start=start)
    averages = Averages.fresh(own, backbones_of(own, known.inputs, context("x")))
    key, shape = "1/0/channel", (1,)
    looks = [torch.full(shape, value, dtype=torch.float64) for value in (2.0, 5.0, -1.0)]
    past = torch.zeros(shape, dtype=torch.float64)
    for number, present in enumerate(looks):
        share = weight if number == 0 else 0.7
        past = (1 - share) * past + share * present
        present.requires_grad_()
        mean, variance = averages.after(key, (present, 2 * present))
        torch.testing.assert_close(mean.detach(), past)
        torch.testing.assert_close(variance.detach(), 2 * past)
        assert torch.autograd.grad(mean.sum() + variance.sum(), present)[0].item() == 3.0
    assert averages.held[f"{key}/passes"] == 3
    assert averages.held["0/0/channel/passes"] == 0


def test_the_first_step_is_adams_within_black_and_white(known: Known) -> None:
    """Adam's first step is the rate times the sign of the slope, whatever its size."""
    drawn = Generator().manual_seed(context("distill_gvbsm").part(0, 2).derive("first"))
    start = torch.randn(5, 1, 8, 8, generator=drawn, dtype=torch.float64)
    labels = torch.tensor([0, 0, 1, 1, 2])
    images = start.clone().requires_grad_()
    logits, seen = found(known.networks[0], images)
    loss = functional.cross_entropy(logits, labels)
    loss = loss + 0.5 * distance(seen, targets(known, 0), 10.0)
    loss = loss + 0.7 * densification(images, labels, 4.0)
    moved = start - 0.1 * torch.autograd.grad(loss, images)[0].sign()
    expected = as_bytes(moved.clamp(BLACK, WHITE), DATASET)
    record = made(known)
    assert (record.arrays["images"][:5] == expected).all()
    assert record.arrays["losses"][0, 0] == pytest.approx(loss.item(), rel=1e-10)
    assert record.arrays["labels"].tolist() == [0, 0, 1, 1, 2, 2, 3, 3]


def test_backbones_take_turns_over_all_batches(
    known: Known, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def noted(own: Any, backbones: Any, number: int, *rest: Any) -> Any:
        asked.append(number)
        return forward_pass(own, backbones, number, *rest)

    monkeypatch.setattr("harness.lab.distill.backbones.matched.forward_pass", noted)
    made(known, iterations=3)
    assert asked == [0, 1, 0, 1, 0, 1]


def test_only_convolutions_are_left_out_and_as_often_as_said(known: Known) -> None:
    own = params(drop_rate=0.4)
    backbones = backbones_of(own, known.inputs, context("x"))
    averages, drawn = Averages.fresh(own, backbones), Generator().manual_seed(0)
    for _ in range(200):
        forward_pass(own, backbones, 0, IMAGES, averages, drawn)
    looks = {name.split("/")[1]: int(averages.held[f"{name}/passes"]) for name in _keys(averages)}
    assert {place for place, count in looks.items() if count == 200} == {"1", "5"}
    assert all(90 < looks[place] < 150 for place in ("0", "4"))


def _keys(averages: Averages) -> list[str]:
    names = [name.removesuffix("/passes") for name in averages.held if name.endswith("/passes")]
    return [name for name in names if name.startswith("0/")]


def test_a_synthesis_draws_from_its_seed_alone(known: Known, untouched_generators: None) -> None:
    fields = {"iterations": 3, "augmentation": "crop-flip", "drop_rate": 0.4, "roll": 2}
    first = made(known, **fields)
    assert bytes_of(first) == bytes_of(made(known, **fields))
    other = distill_gvbsm(params(**fields), known.inputs, context("distill_gvbsm", seed=1))
    assert (first.arrays["images"] != other.arrays["images"]).any()


def test_a_backbone_too_few_is_one_message(known: Known) -> None:
    del known.inputs["statistics.1"]
    with pytest.raises(UserError, match=r"2 networks are named, but there are 1 inputs 'stat"):
        made(known)
