"""Pictures to look at are the images themselves, whatever they are kept as."""

from __future__ import annotations

import numpy as np
import pytest

from harness.errors import UserError
from harness.lab.data import sets
from harness.lab.measure.pictures import PicturesParams, pictures
from harness.plan.step import MemoryInput
from tests.lab.fixtures import DIGITS, context, held

TRAIN = sets.load(DIGITS).train
ROWS = np.array([30, 7, 12, 99, 3])
FOUR = PicturesParams(dataset=DIGITS, label=4, count=2)
LABELS = np.array([4, 1, 4, 4, 0])


def shown(given: MemoryInput, params: PicturesParams = FOUR) -> np.ndarray:
    return pictures(params, {"images": given}, context("pictures")).arrays["pictures"]


def test_rows_bytes_and_normalised_images_are_shown_alike() -> None:
    images = TRAIN.images[ROWS]
    expected = images[[0, 2]]
    assert np.array_equal(shown(held(indices=ROWS, labels=LABELS)), expected)
    assert np.array_equal(shown(held(images=images, labels=LABELS)), expected)
    scale = {"mean": [0.2], "std": [0.7]}
    floating = ((images / 255 - 0.2) / 0.7).astype(np.float32)
    given = MemoryInput(scale, {"images": floating, "labels": LABELS})
    assert np.array_equal(shown(given), expected)


def test_a_class_that_is_not_there_is_refused() -> None:
    with pytest.raises(UserError, match=r"2 pictures of class 1 .* the input has 1"):
        shown(held(indices=ROWS, labels=LABELS), FOUR.model_copy(update={"label": 1}))
    with pytest.raises(ValueError, match="those of 'digits' are 0 to 9"):
        PicturesParams(dataset=DIGITS, label=10, count=2)
