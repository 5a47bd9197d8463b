"""Methods that share a score or a stitching must read it alike, or a table compares readings."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.spec.parts import Method
from harness.spec.toml import read_spec

METHODS = Path(__file__).parents[2] / "specs" / "methods"


def method(name: str) -> Method:
    return read_spec(METHODS / f"{name}.toml", Method)


@pytest.mark.parametrize("setting", ["window", "tail", "signal", "least_looks"])
def test_the_pool_is_chosen_by_the_very_score_of_the_pruning_method(setting: str) -> None:
    assert method("ca2d").settings[setting] == method("cad-prune").settings[setting]


def test_stitched_sets_differ_in_nothing_but_their_pool() -> None:
    ours, theirs = method("ca2d"), method("rded")
    assert ours.steps[-1] == theirs.steps[-1]
    for dataset in ("imagenet1k", "cifar100", "digits"):
        cases = {"dataset": dataset, "paper.dataset": dataset}
        factors = [
            next(c.value for c in one.settings["factor"] if c.applies(cases))
            for one in (ours, theirs)
        ]
        assert factors[0] == factors[1], dataset
