"""What two methods or recipes share is written once."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest

from harness.spec.paper import load_paper

PAPER = load_paper(Path(__file__).parents[2] / "specs")
COPIES = {
    # Each set is downloaded by itself, so that one may be there and another not.
    "source": {"datm", "dc", "dm", "dsa", "tm"},
    # The students' precision was varied by itself, and records of that are published.
    "precision": {
        ("large-scale-hl", "large-scale-reference"),
        ("small-scale-hl", "small-scale-reference"),
    },
}
"""Settings that read alike, word for word, and are another choice for each all the same."""


@pytest.mark.parametrize("setting", ["window", "tail", "signal", "least_looks"])
def test_the_pool_is_chosen_by_the_very_score_of_the_pruning_method(setting: str) -> None:
    for method in ("ca2d", "early-checkpoint"):
        taken = PAPER.method(method).settings[setting]
        assert taken.origins == (f"cad-prune.{setting}",)
        assert taken.choices == PAPER.method("cad-prune").settings[setting].choices


def test_stitched_sets_differ_in_nothing_but_their_pool() -> None:
    ours, theirs = PAPER.method("ca2d"), PAPER.method("rded")
    assert ours.steps[-1] == theirs.steps[-1]
    for dataset in ("imagenet1k", "cifar100", "digits"):
        cases = {"dataset": dataset, "paper.dataset": dataset}
        factors = [
            next(c.value for c in one.settings["factor"].choices if c.applies(cases))
            for one in (ours, theirs)
        ]
        assert factors[0] == factors[1], dataset


def test_no_setting_is_a_copy_of_another_by_chance_or_neglect() -> None:
    found = defaultdict(list)
    for name, setting in PAPER.settings().items():
        owner, _, key = name.rpartition(".")
        # What Table 1 prints, it prints for each of its columns.
        printed = all(choice.place == "Table 1" for choice in setting.choices)
        if not setting.origins and not printed:
            found[key, repr(setting.choices)].append(owner)
    copies = {(key, tuple(owners)) for (key, _), owners in found.items() if len(owners) > 1}
    allowed = {("source", tuple(sorted(COPIES["source"])))}
    allowed |= {("precision", pair) for pair in COPIES["precision"]}
    assert copies == allowed


def test_the_symbols_of_the_paper_stand_with_the_settings_that_they_mean() -> None:
    symbols = {
        "cad-prune.window": "J",
        "ca2d.window": "J",
        "cad-prune.tail": "W",
        "datm.n": "N",
        "tm.m": "M",
        "datm.t_minus": "T^-",
        "tm-loss.t_plus": "T^+",
        "large-scale-sl.temperature": "T",
        "dwa.variance_weight": "λ_var",
        "minimax.lambda_r": "λ_r",
    }
    settings = PAPER.settings()
    assert {name: settings[name].label for name in symbols} == symbols
