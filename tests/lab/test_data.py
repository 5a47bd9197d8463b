"""Data sets are what their fingerprints say."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from sklearn.datasets import load_digits

from harness.errors import EvidenceError
from harness.lab.data import Dataset, Split, fingerprint, load
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


def test_a_data_set_without_a_loader_says_what_can_be_run_instead() -> None:
    with pytest.raises(EvidenceError) as caught:
        load(DIGITS.model_copy(update={"name": "imagenet1k"}))
    assert "'imagenet1k' has no loader in this version" in str(caught.value)
    assert "--profile digits" in str(caught.value)
    assert caught.value.exit_code == 3
