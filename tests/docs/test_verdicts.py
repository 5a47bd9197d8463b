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
            np.testing.assert_allclose(one_by_one.ours[outcome], at_once.ours[outcome])
        np.testing.assert_allclose(one_by_one.withheld, at_once.withheld)


def test_a_paper_shares_no_seed_with_its_reproduction() -> None:
    stated, _ = pools({"as stated": {"cell": list(range(64))}})
    reruns = drawn(stated, stated, 50, np.random.default_rng(0))
    for paper, ours in zip(reruns.papers, reruns.ours, strict=True):
        assert len({*paper.ravel().tolist(), *ours.ravel().tolist()}) == 6


def test_what_is_published_shows_what_the_rule_promises() -> None:
    """On real trainings: false `deviates` in 5 % at most, faithful cells within two points of the
    simulation, over all cells and ten whole pipelines or more."""
    arms = kept.read()
    cells, pipelines = arms["as stated"].keys(), [len(v) for c in arms.values() for v in c.values()]
    text = TABLE.read_text(encoding="utf-8")
    assert f"{len(cells)} cells, {max(pipelines)} pipelines as stated." in text
    assert all(arm.keys() == cells for arm in arms.values()), "no cell is left out"
    assert min(pipelines) >= 10
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()]
    shares: dict[str, list[float]] = {}
    for row in rows:
        if len(row) == 11 and row[0] in ("none", "none, moved to the margin"):
            shares[row[0]] = [float(cell.split()[0]) for cell in row[1:7]]
    reproduced, promised, *_, deviates, _ = shares["none"]
    assert abs(reproduced - promised) < 2
    at_margin = shares["none, moved to the margin"]
    assert max(deviates, at_margin[4], at_margin[0]) <= 5
