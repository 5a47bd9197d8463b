"""The page on verdicts over real trainings says what its command prints."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.verdicts import kept
from benchmarks.verdicts.reruns import OUTCOMES, drawn, judged, judged_at_once, multiple, pools
from benchmarks.verdicts.table import experiment, table
from tests.docs.console import ROOT

PAGE = ROOT / "docs" / "judged-on-trainings.md"
TABLE = kept.FOLDER / "table.md"


def test_the_page_quotes_the_whole_output() -> None:
    assert TABLE.read_text(encoding="utf-8") in PAGE.read_text(encoding="utf-8")


@pytest.mark.docs
def test_the_command_prints_what_is_published() -> None:
    arms = kept.read()
    assert table(arms, experiment(arms)) + "\n" == TABLE.read_text(encoding="utf-8")


def test_resampled_reruns_are_judged_by_the_rule() -> None:
    """The statistics in rows give the same outcomes as the rule, exhibit by exhibit."""
    stated, changed = pools(kept.read())
    margins = multiple() * stated.std
    rng = np.random.default_rng(3)
    for pool in (stated, *changed.values()):
        reruns = drawn(stated, pool, 10, rng)
        one_by_one, at_once = judged(reruns, margins), judged_at_once(reruns, margins)
        for outcome in OUTCOMES:
            np.testing.assert_array_equal(one_by_one.ours[outcome], at_once.ours[outcome])
        np.testing.assert_array_equal(one_by_one.withheld, at_once.withheld)


def test_a_paper_shares_no_seed_with_its_reproduction() -> None:
    stated, _ = pools({"as stated": {"cell": list(range(64))}})
    reruns = drawn(stated, stated, 50, np.random.default_rng(0))
    for paper, ours in zip(reruns.papers, reruns.ours, strict=True):
        assert len({*paper.ravel().tolist(), *ours.ravel().tolist()}) == 6
