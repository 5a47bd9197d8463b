"""Data sets are what their fingerprints say."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from harness.errors import EvidenceError
from harness.lab.data import prepared
from harness.lab.data.prepared import Dataset, Split, fingerprint
from harness.lab.data.sets import load
from tests.lab.fixtures import DIGITS


def test_digits_are_all_of_scikit_learns_split_by_class() -> None:
    digits = load(DIGITS)
    parts = (digits.train, digits.test)
    pixels = np.concatenate([part.images for part in parts]).reshape(-1, 64)
    labels = np.concatenate([part.labels for part in parts])
    raw = load_digits()
    expected = np.rint(raw.data * 255 / 16)

    def rows(images: np.ndarray, classes: np.ndarray) -> list[bytes]:
        return sorted(row.tobytes() for row in np.column_stack([images, classes]).astype(np.uint8))

    assert rows(pixels, labels) == rows(expected, raw.target)
    share = np.bincount(digits.test.labels) / np.bincount(labels)
    assert np.abs(share - 450 / 1797).max() < 0.005


def test_mean_and_std_of_the_digits_are_those_of_the_reference() -> None:
    pixels = load(DIGITS).train.images / 255
    assert pixels.mean() == pytest.approx(DIGITS.mean[0], abs=1e-4)
    assert pixels.std() == pytest.approx(DIGITS.std[0], abs=1e-4)


def test_fingerprint_is_sha256_over_pixels_then_labels() -> None:
    train = Split(np.array([[[[1]]], [[[2]]]], np.uint8), np.array([0, 1]))
    test = Split(np.array([[[[3]]]], np.uint8), np.array([258]))
    plain = bytes([1, 2, 3]) + bytes(8) + bytes([1] + [0] * 7) + bytes([2, 1] + [0] * 6)
    assert fingerprint(Dataset(train, test)) == hashlib.sha256(plain).hexdigest()


def test_other_data_than_the_specs_are_refused() -> None:
    with pytest.raises(EvidenceError, match="fingerprint is 76398b2d"):
        load(DIGITS.model_copy(update={"fingerprint": "0" * 64}))
    with pytest.raises(EvidenceError, match=r"\(1347, 8, 8, 1\)"):
        load(DIGITS.model_copy(update={"resolution": 16}))


def test_a_data_set_that_is_not_prepared_says_where_it_belongs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPRO_DATA", str(tmp_path))
    with pytest.raises(EvidenceError) as caught:
        load(DIGITS.model_copy(update={"name": "nowhere"}))
    assert str(tmp_path / "nowhere") in str(caught.value)
    assert "repro data prepare nowhere" in str(caught.value)
    assert caught.value.exit_code == 3


def small() -> Dataset:
    images = np.arange(6 * 4 * 4 * 3, dtype=np.uint8).reshape(6, 4, 4, 3)
    labels = np.array([0, 1, 0, 1, 0, 1])
    return Dataset(Split(images[:4], labels[:4]), Split(images[4:], labels[4:]))


def test_a_prepared_set_is_read_as_it_was_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPRO_DATA", str(tmp_path))
    assert not prepared.is_prepared("small")
    prepared.write("small", small(), "made up")
    folder = prepared.write("small", small(), "made up, again")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["small"]
    found = prepared.read("small")
    assert fingerprint(found) == fingerprint(small())
    assert isinstance(found.train.images, np.memmap)
    assert json.loads((folder / "manifest.json").read_text())["source"] == "made up, again"
    assert prepared.damaged("small") == []


def test_a_changed_or_missing_file_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPRO_DATA", str(tmp_path))
    folder = prepared.write("small", small(), "made up")
    np.save(folder / "test_labels.npy", np.array([1, 1]))
    (folder / "train_images.npy").unlink()
    assert prepared.damaged("small") == ["test_labels.npy", "train_images.npy"]
    with pytest.raises(EvidenceError, match="cannot be read"):
        prepared.read("small")
