"""What each step promises, on the real data."""

from __future__ import annotations

import numpy as np
import pytest
from experiment.functions import _digits, central_subset, random_subset
from experiment.steps import CentralParams, RandomParams

from harness.plan.step import StepContext


@pytest.mark.parametrize(
    ("choose", "params"),
    [
        (random_subset, RandomParams(per_class=7)),
        (central_subset, CentralParams(per_class=7)),
        (central_subset, CentralParams(per_class=7, around="median")),
    ],
)
def test_a_subset_has_so_many_examples_of_every_class(choose, params):
    chosen = choose(params, {}, StepContext("test", seed=0)).arrays["indices"]
    assert len(set(chosen)) == len(chosen)
    counts = np.bincount(_digits().train_labels[chosen])
    assert counts.tolist() == [7] * 10
