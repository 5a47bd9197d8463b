"""Subsets that repeat themselves."""

from __future__ import annotations

import numpy as np
import pytest

from harness.errors import UserError
from harness.lab.measure.dcs.repeat import RepeatParams, repeat
from tests.lab.fixtures import DIGITS, context, held

LABELS = np.repeat(np.arange(10), 4)
ROWS = 100 * LABELS + np.tile(np.arange(4), 10)


def repeated(per_class: int, times: int = 2, **given) -> dict[str, np.ndarray]:
    params = RepeatParams(dataset=DIGITS, per_class=per_class, times=times)
    inputs = {"images": held(**({"indices": ROWS, "labels": LABELS} | given))}
    return dict(repeat(params, inputs, context("repeat")).arrays)


@pytest.mark.parametrize(
    ("per_class", "times", "first_class"),
    [
        (8, 2, [0, 1, 2, 3, 0, 1, 2, 3]),
        (4, 2, [0, 1, 0, 1]),
        (3, 2, [0, 1, 0]),
        (4, 4, [0, 0, 0, 0]),
        (12, 3, [0, 1, 2, 3] * 3),
    ],
)
def test_the_first_of_every_class_over_and_over(
    per_class: int, times: int, first_class: list[int]
) -> None:
    found = repeated(per_class, times)
    assert found["indices"][:per_class].tolist() == first_class
    assert found["indices"].tolist() == [100 * k + i for k in range(10) for i in first_class]
    assert found["labels"].tolist() == np.repeat(np.arange(10), per_class).tolist()


def test_images_are_repeated_as_indices_are() -> None:
    images = np.arange(40, dtype=np.uint8).reshape(40, 1, 1, 1)
    found = repeated(8, images=images)
    assert set(found) == {"images", "labels"}
    assert found["images"].ravel()[:8].tolist() == [0, 1, 2, 3, 0, 1, 2, 3]


def test_a_class_that_is_too_small_is_refused() -> None:
    with pytest.raises(UserError, match="5 examples per class are needed"):
        repeated(9)
