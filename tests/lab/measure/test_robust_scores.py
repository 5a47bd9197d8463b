"""DD-Ranking's scores by their formula, and the trap of percent."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.robust_scores import augmentation_robust_score, label_robust_score
from harness.errors import UserError

FRACTION = st.floats(0, 1)


def test_scores_by_hand() -> None:
    # A gain of 5 points over random images, and 20 points lost to the whole split.
    expected = (math.exp(-0.075) - math.exp(-1)) / (math.exp(1) - math.exp(-1))
    made = label_robust_score(full_hard=0.8, set_hard=0.6, set_any=0.55, random_any=0.5)
    assert made == pytest.approx(expected)
    assert made == pytest.approx(0.238, abs=5e-4)
    # Three quarters of 0.2, and a quarter of -0.4: the two cancel but for a twentieth.
    made = augmentation_robust_score(0.6, 0.4, 0.1, 0.5, weight=0.75)
    assert made == pytest.approx((math.exp(0.05) - 1 / math.e) / (math.e - 1 / math.e))


@given(FRACTION, FRACTION, FRACTION, FRACTION, FRACTION)
def test_scores_lie_between_0_and_1_and_rise_with_the_set(a, b, c, d, weight) -> None:
    for score in (label_robust_score, augmentation_robust_score):
        assert -1e-12 <= score(a, b, c, d, weight) <= 1 + 1e-12
    better = label_robust_score(a, max(b, 0.9), c, d, weight)
    assert better >= label_robust_score(a, b, c, d, weight) - 1e-12


def test_a_set_like_random_images_scores_as_nothing_gained() -> None:
    assert augmentation_robust_score(0.5, 0.5, 0.3, 0.3) == pytest.approx(1 / (math.e + 1))
    assert label_robust_score(0.9, 0.9, 0.5, 0.5) == pytest.approx(1 / (math.e + 1))


def test_percent_is_refused() -> None:
    with pytest.raises(UserError, match="an accuracy of 55 is no fraction"):
        label_robust_score(0.8, 0.6, 55.0, 0.5)
    with pytest.raises(UserError, match="divide percent by 100"):
        augmentation_robust_score(60.0, 40.0, 10.0, 5.0)
