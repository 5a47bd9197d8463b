"""Corruptions by other means, and a student that is the student."""

from __future__ import annotations

import colorsys

import numpy as np
import pytest

from harness.lab.data import sets
from harness.lab.measure.dcs.corruption import SEVERITIES, corrupted
from harness.lab.measure.dcs.ood import student_ood
from harness.lab.measure.dcs.steps import OodParams
from harness.lab.train.steps import StudentParams
from harness.lab.train.student import student
from tests.lab.fixtures import DIGITS, HARD_LABELS, NETWORK, changed, context, held

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 8, 8, 3), dtype=np.uint8)


@pytest.mark.parametrize("corruption", SEVERITIES)
def test_images_stay_images_and_move_further_at_each_severity(corruption: str) -> None:
    digits = sets.load(DIGITS).test.images
    for images in (IMAGES, digits[:40]):
        moved = []
        for severity in range(1, 6):
            made = corrupted(images, corruption, severity, seed=1)
            assert (made.shape, made.dtype) == (images.shape, np.uint8)
            moved.append(np.abs(made.astype(float) - images).mean())
        if corruption == "pixelate":
            # At 8 pixels the sides left are 7, 7, 6, 6 and 5: steps, and nearly in order.
            assert moved[0] == moved[1] > 0
            assert moved[2] == moved[3] != moved[4]
        else:
            assert 0 < moved[0] < moved[1] < moved[2] < moved[3] < moved[4]


def test_noise_is_that_of_its_seed_and_of_its_strength() -> None:
    grey = np.full((50, 8, 8, 1), 128, dtype=np.uint8)
    made = corrupted(grey, "gaussian-noise", 3, seed=1)
    assert np.array_equal(made, corrupted(grey, "gaussian-noise", 3, seed=1))
    assert not np.array_equal(made, corrupted(grey, "gaussian-noise", 3, seed=2))
    assert made.std() / 255 == pytest.approx(0.08, rel=0.05)


def test_brightness_is_hsv_value() -> None:
    made = corrupted(IMAGES, "brightness", 4, seed=0).reshape(-1, 3)
    for before, after in zip(IMAGES.reshape(-1, 3), made, strict=True):
        hue, saturation, value = colorsys.rgb_to_hsv(*(before / 255))
        expected = colorsys.hsv_to_rgb(hue, saturation, min(value + 0.2, 1))
        np.testing.assert_allclose(after / 255, expected, atol=0.5 / 255 + 1e-6)


def test_contrast_keeps_the_mean_of_each_channel() -> None:
    made = corrupted(IMAGES, "contrast", 5, seed=0)
    means = IMAGES.mean(axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(made, means + 0.15 * (IMAGES - means), atol=0.5 + 1e-3)


def test_blur_spreads_a_point_as_a_gaussian_does() -> None:
    point = np.zeros((1, 9, 9, 1), dtype=np.uint8)
    point[0, 4, 4] = 255
    made = corrupted(point, "gaussian-blur", 5, seed=0)[0, :, :, 0] / 255
    weights = np.exp(-(np.arange(-4, 5) ** 2) / 2)
    weights /= weights.sum()
    np.testing.assert_allclose(made, np.outer(weights, weights), atol=0.5 / 255 + 1e-6)


def test_pixelate_halves_into_means_of_blocks_and_repeats_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(SEVERITIES, "pixelate", (0.5,))
    made = corrupted(IMAGES, "pixelate", 1, seed=0)
    blocks = IMAGES.reshape(6, 4, 2, 4, 2, 3).mean(axis=(2, 4))
    # Pillow rounds after each direction.
    np.testing.assert_allclose(made, blocks.repeat(2, axis=1).repeat(2, axis=2), atol=1.0)


def test_the_student_is_the_student_and_its_noise_is_one_data_set() -> None:
    train = sets.load(DIGITS).train
    rows = np.concatenate([np.flatnonzero(train.labels == k)[:5] for k in range(10)])
    images = {"images": held(indices=rows, labels=train.labels[rows])}
    recipe = changed(HARD_LABELS, epochs=4)
    common = {"dataset": DIGITS, "network": NETWORK, "recipe": recipe, "per_class": 5}
    plain = student(StudentParams(**common), images, context("student", seed=2))
    params = OodParams(**common, corruptions=("contrast", "gaussian-noise"), severities=(1, 3, 5))
    found = student_ood(params, images, context("student_ood", seed=2))
    assert found.values["accuracy"] == plain.values["accuracy"]
    assert found.values["loss"] == plain.values["loss"]
    accuracies = found.arrays["ood_accuracies"]
    assert accuracies.shape == (2, 3)
    assert found.values["ood_accuracy"] == pytest.approx(accuracies.mean())
    assert found.values["ood_loss"] == pytest.approx(found.arrays["ood_losses"].mean())
    # Contrast at 0.15 leaves little to see.
    assert accuracies[0, 2] < found.values["accuracy"]
