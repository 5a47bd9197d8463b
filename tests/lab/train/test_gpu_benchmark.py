"""What the benchmark on a GPU compares does the same number of updates, tried small on the CPU."""

from __future__ import annotations

from dataclasses import replace

from benchmarks.gpu import EPOCHS, bare, job, ours, users


def test_all_three_loops_see_as_many_batches() -> None:
    given = job("cpu", 32, 32)
    small = given.recipe.model_copy(update={"precision": "float32", "batch_size": 16})
    given = replace(given, recipe=small, network="convnet-d3")
    assert ours(given) == users(given) == bare(given) == given.updates == 2 * EPOCHS
