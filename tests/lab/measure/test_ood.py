"""Corruptions by other means, and a student that is the student."""

from __future__ import annotations

import colorsys
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from harness.errors import EvidenceError
from harness.lab.data import image_tree, prepared, sets
from harness.lab.measure.dcs.corrupted import IMAGENET_C, SEVERITIES, corrupted
from harness.lab.measure.dcs.ood import OodParams, student_ood
from harness.lab.recipe import DatasetRef
from harness.lab.train.student import StudentParams, student
from harness.plan.step import StepResult
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


def mini(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[DatasetRef, np.ndarray]:
    """Eight images of four classes, 16 x 8 pixels, as a prepared set; and the views of them."""
    monkeypatch.setenv("REPRO_DATA", str(tmp_path))
    sets._loaded.cache_clear()
    images = np.random.default_rng(3).integers(0, 256, (8, 16, 8, 3), dtype=np.uint8)
    folder = prepared.folder_of(".small-unfinished")
    folder.mkdir(parents=True)
    (folder / "source.json").write_text("{}")
    entries = np.zeros(8, image_tree.ENTRY)
    entries["size"] = 16, 8
    for split in ("train", "test"):
        (folder / f"{split}_pixels.bin").write_bytes(images.tobytes())
        (folder / f"{split}_index.bin").touch()
    labels = np.arange(8) % 4
    both = {"train": labels, "test": labels}
    names = ["n01", "n02", "n03", "n04"]
    files = {key: [b"%d.png" % i for i in range(8)] for key in both}
    prepared.finish_ragged("small", folder, dict.fromkeys(both, entries), files, both, names)
    fields = {"name": "small", "classes": 4, "train_size": 8, "test_size": 8, "smallest_class": 2}
    fields |= {"resolution": 7, "channels": 3, "mean": (0.5,) * 3, "std": (0.25,) * 3}
    fields |= {"fingerprint": prepared.fingerprint(prepared.read("small")), "short_side": 8}
    # Of 16 x 8 pixels, the middle 7 are seen: rows 4 to 10, columns 0 to 6.
    return DatasetRef.model_validate(DIGITS.model_dump() | fields), images[:, 4:11, :7]


def judged(dataset: DatasetRef, pictures: str = "") -> StepResult:
    recipe = changed(HARD_LABELS, epochs=1, batch_size=4, augmentation="none", learning_rate=0.01)
    params = OodParams(
        dataset=dataset,
        network="mlp",
        recipe=recipe,
        per_class=2,
        corruptions=("contrast", "brightness"),
        severities=(2, 5),
        pictures=pictures,
    )
    given = held(indices=np.arange(8), labels=np.arange(8) % 4)
    return student_ood(params, {"images": given}, context("student_ood"))


def test_pictures_of_a_folder_are_judged_as_the_same_images_made_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset, seen = mini(tmp_path, monkeypatch)
    root = tmp_path / "publishers" / "mini-imagenet-c"
    with pytest.raises(EvidenceError, match="no corrupted pictures are there"):
        judged(dataset, "wanted")
    for corruption in ("brightness", "contrast"):
        for severity in (2, 5):
            made = corrupted(seen, corruption, severity, 0, IMAGENET_C)
            for number, image in enumerate(made):
                place = root / corruption / str(severity) / f"n0{number % 4 + 1}"
                place.mkdir(parents=True, exist_ok=True)
                Image.fromarray(image).save(place / f"{number}.png")
    with pytest.raises(EvidenceError, match="expected wanted") as caught:
        judged(dataset, "wanted")
    found = re.search("is ([0-9a-f]{64}),", str(caught.value))[1]
    here, there = judged(dataset), judged(dataset, found)
    assert there.values["accuracy"] == here.values["accuracy"]
    for name in ("ood_accuracies", "ood_losses"):
        # The folder's corruptions come in the order of their names.
        np.testing.assert_allclose(there.arrays[name], here.arrays[name][::-1], rtol=1e-6)
    (root / "contrast" / "5" / "n04").rename(root / "contrast" / "5" / "n05")
    with pytest.raises(EvidenceError, match=r"\['n05'\] are no classes of the training set"):
        judged(dataset, found)
