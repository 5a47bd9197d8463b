"""What the benchmark on a GPU compares does the same work, tried small on the CPU."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks import gpu
from benchmarks.gpu import EPOCHS, bare, in_turn, job, ours, together, users
from benchmarks.made import Task
from harness.lab.data import sets
from harness.lab.models.networks import NETWORKS
from harness.lab.train.loop import Examples
from tests.lab.fixtures import DIGITS, HARD_LABELS, changed


def test_all_three_loops_see_as_many_batches() -> None:
    given = job("cpu", 32, 32)
    small = given.recipe.model_copy(update={"precision": "float32", "batch_size": 16})
    given = replace(given, recipe=small, network="convnet-d3")
    assert ours(given) == users(given) == bare(given) == given.updates == 2 * EPOCHS


def test_seeds_together_are_as_good_as_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    split = sets.load(DIGITS).train
    train, test = (
        Examples.on("cpu", split.images[rows], split.labels[rows])
        for rows in (np.arange(200), np.arange(200, 500))
    )
    dsa = {"augmentation": "dsa", "dsa_strategy": "crop_scale", "learning_rate": 0.01}
    monkeypatch.setitem(NETWORKS, "convnet-d3", NETWORKS["convnet-digits-instance"])
    monkeypatch.setattr(gpu, "SEEDS", 3)
    given = Task(DIGITS, changed(HARD_LABELS, **dsa), train, test, "digits").on("cpu")
    made = together(given, "cpu", 10), in_turn(given, "cpu", 10)
    assert min(made) > 0.5
    assert made[0] == pytest.approx(made[1], abs=0.1)
