"""EDC: targets of classes, flatness and the first step against small computations of their own."""

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
    class_targets,
    forward_pass,
    unevenness,
)
from harness.lab.distill.backbones.methods import EdcParams, distill_edc
from harness.lab.distill.synthesis import as_bytes
from harness.lab.probing import DATASET
from harness.plan.step import StepResult
from tests.lab.distill.backbones.conftest import (
    BLACK,
    PLAIN,
    TRAIN,
    WHITE,
    Known,
    distance,
    found,
    normalised,
    targets,
)
from tests.lab.fixtures import context, held

ROWS = np.concatenate([np.flatnonzero(TRAIN.labels == label)[:2] for label in range(4)])
START = held(indices=ROWS, labels=TRAIN.labels[ROWS])
FIELDS: dict[str, Any] = PLAIN | {
    "class_share": 0.25,
    "class_patches": "swapped",
    "flatness_weight": 0.0,
    "flatness_decay": 0.5,
    "flatness_temperature": 4.0,
}


def params(**fields: Any) -> EdcParams:
    return EdcParams(**FIELDS | fields)


def made(known: Known, **fields: Any) -> StepResult:
    given = known.inputs | {"start": START}
    return distill_edc(params(**fields), given, context("distill_edc"))


def of_classes(known: Known, labels: list[int], swapped: bool) -> dict[str, Tensor]:
    """By name, from the record of the first backbone."""
    own = {n: torch.stack([t[c] for c in labels]).mean(0) for n, t in known.classes[0].items()}
    if not swapped:
        return own
    other = {"mean": "variance", "variance": "mean"}
    return {
        name: own[f"{name.rpartition('/')[0]}/{other[name.rpartition('/')[2]]}"]
        if "/patch/" in name
        else values
        for name, values in own.items()
    }


@pytest.mark.parametrize("patches", ["swapped", "right"])
def test_targets_of_a_batch_are_means_over_its_labels(known: Known, patches: str) -> None:
    own = params(class_patches=patches)
    backbone = backbones_of(own, known.inputs, context("x"), by_class=True)[0]
    given = class_targets(own, backbone, torch.tensor([3, 1, 1]))
    expected = of_classes(known, [3, 1, 1], swapped=patches == "swapped")
    assert 2 * len(given) == len(expected)
    for key, (mean, variance) in given.items():
        torch.testing.assert_close(mean, expected[f"{key}/mean"])
        torch.testing.assert_close(variance, expected[f"{key}/variance"])


@pytest.mark.parametrize("patches", ["swapped", "right"])
def test_the_first_step_is_adams_from_the_given_images(known: Known, patches: str) -> None:
    record = made(known, class_patches=patches)
    start, labels = normalised(ROWS[:5]), torch.tensor([0, 0, 1, 1, 2])
    images = start.clone().requires_grad_()
    logits, seen = found(known.networks[0], images)
    own = of_classes(known, labels.tolist(), swapped=patches == "swapped")
    matched = 0.75 * distance(seen, targets(known, 0), 10.0) + 0.25 * distance(seen, own, 10.0)
    loss = functional.cross_entropy(logits, labels) + 0.5 * matched
    assert record.arrays["losses"][0, 0] == pytest.approx(loss.item(), rel=1e-10)
    moved = start - 0.1 * torch.autograd.grad(loss, images)[0].sign()
    expected = as_bytes(moved.clamp(BLACK, WHITE), DATASET)
    assert (record.arrays["images"][:5] == expected).all()
    assert record.arrays["labels"].tolist() == [0, 0, 1, 1, 2, 2, 3, 3]


def test_flatness_is_the_divergence_from_the_answer_to_the_average(known: Known) -> None:
    own = params()
    backbones = backbones_of(own, known.inputs, context("x"))
    view, calm = normalised(ROWS[:3]).requires_grad_(), normalised(ROWS[3:6])
    seen = forward_pass(own, backbones, 1, view, Averages.fresh(own, backbones), Generator())
    loss = unevenness(seen, calm, 4.0)
    with torch.no_grad():
        ours, fixed = (known.networks[1](images).numpy() for images in (view, calm))
    expected = rel_entr(softmax(fixed / 4, axis=1), softmax(ours / 4, axis=1)).mean()
    assert loss.item() == pytest.approx(expected, rel=1e-10)
    (slope,) = torch.autograd.grad(loss, view)
    # The slope on the logits is (p - q) / (temperature x images x classes).
    pull = (softmax(ours / 4, axis=1) - softmax(fixed / 4, axis=1)) / (4 * ours.size)
    again = view.detach().requires_grad_()
    (expected_slope,) = torch.autograd.grad(known.networks[1](again), again, torch.from_numpy(pull))
    torch.testing.assert_close(slope, expected_slope)


def test_the_average_of_the_images_trails_them(known: Known) -> None:
    """At the first look it is the images themselves, so nothing is added; later something is."""
    flat = made(known, flatness_weight=1e6, iterations=3)
    plain = made(known, iterations=3)
    losses = [record.arrays["losses"][0] for record in (flat, plain)]
    assert losses[0][0] == pytest.approx(losses[1][0], rel=1e-12)
    assert losses[0][1] > losses[1][1] + 1e-3
    still = made(known, flatness_weight=1e6, iterations=3, learning_rate_pixels=1e-12)
    unmoved = made(known, iterations=3, learning_rate_pixels=1e-12)
    assert still.arrays["losses"] == pytest.approx(unmoved.arrays["losses"], rel=1e-9)


def test_it_needs_an_image_for_each_to_be_made(known: Known) -> None:
    with pytest.raises(UserError, match=r"a recovery of 1 images a class .* holds 2 to 2"):
        made(known, per_class=1)


def test_both_shares_are_distances_of_one_forward_pass(known: Known) -> None:
    """Whatever is drawn and left out, a share of a half is the mean of the two ends."""
    fields = {"drop_rate": 0.4, "augmentation": "rrc-flip", "iterations": 1, "ema": 0.3}
    ends = [made(known, class_share=share, **fields).arrays["losses"] for share in (0.0, 1.0)]
    middle = made(known, class_share=0.5, **fields).arrays["losses"]
    assert middle == pytest.approx((ends[0] + ends[1]) / 2, rel=1e-10)
