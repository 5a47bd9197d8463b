"""When curves end, on curves whose end is plain to see."""

from __future__ import annotations

import numpy as np
import pytest

from harness.errors import UserError
from harness.lab.measure.scaling.curves import SaturationParams, saturated, saturation, slowdown
from harness.plan.step import MemoryInput
from tests.lab.fixtures import context

MARGIN = SaturationParams(margin=0.01)


def curve(accuracy: list[float], every: int = 10) -> MemoryInput:
    epochs = every * np.arange(1, len(accuracy) + 1)
    return MemoryInput({"images": 50}, {"epochs": epochs, "accuracy": np.array(accuracy)})


@pytest.mark.parametrize(
    ("accuracy", "first"),
    [
        ([0.5, 0.6, 0.7, 0.705, 0.705], 2),
        ([0.7, 0.5, 0.7, 0.7, 0.7], 2),
        ([0.9, 0.8, 0.7, 0.6, 0.5], 0),
        ([0.1, 0.2, 0.3, 0.4, 0.5], 4),
        ([0.5], 0),
    ],
)
def test_a_curve_ends_where_it_no_longer_rises(accuracy: list[float], first: int) -> None:
    assert saturated(np.array(accuracy), 0.01) == first


def test_compute_is_epochs_times_images() -> None:
    made = saturation(MARGIN, {"curve": curve([0.5, 0.7, 0.7])}, context("saturation"))
    assert made.values == {"end_epochs": 20, "end_samples": 1000, "end_accuracy": 0.7}
    assert made.arrays["samples"].tolist() == [500, 1000, 1500]


def test_a_slowdown_is_a_ratio_of_epochs() -> None:
    slow, fast = curve([0.1, 0.3, 0.6, 0.8]), curve([0.4, 0.5, 0.5, 0.5])
    made = slowdown(MARGIN, {"curve": slow, "beside": fast}, context("slowdown"))
    assert made.values == {"slowdown": 2.0, "epochs": 40, "beside_epochs": 20}
    same = slowdown(MARGIN, {"curve": fast, "beside": fast}, context("slowdown"))
    assert same.values["slowdown"] == 1
    with pytest.raises(UserError, match="evaluated after different epochs"):
        slowdown(MARGIN, {"curve": slow, "beside": curve([0.4], 20)}, context("slowdown"))
