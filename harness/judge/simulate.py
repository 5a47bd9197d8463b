"""Error rates and power of the verdicts, measured on numbers drawn from known truths.

`python -m harness.judge.simulate` prints the table that the documentation shows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from harness.judge.model import CellEvidence
from harness.judge.sample import ReportedNumber
from harness.judge.verdict import decide_cells


@dataclass(frozen=True, slots=True)
class Truth:
    """A true difference between ours and the paper's, and how each side samples it (points).

    Both sides draw normal runs; the paper prints mean ± standard deviation over its runs.
    """

    difference: float
    paper_std: float
    our_std: float
    our_runs: int
    paper_runs: int = 3
    margin: float = 1.0


@dataclass(frozen=True, slots=True)
class Rates:
    """How often each verdict was given."""

    truth: Truth
    draws: int
    reproduced: float
    deviates: float

    @property
    def inconclusive(self) -> float:
        return 1 - self.reproduced - self.deviates


def simulate(truth: Truth, draws: int = 2000, seed: int = 0) -> Rates:
    """Judge `draws` exhibits of one cell each, drawn from a known truth.

    One cell is the least favourable case: control of false discoveries over more cells only makes
    `deviates` rarer.
    """
    rng = np.random.default_rng(seed)
    paper = rng.normal(0.0, truth.paper_std, (draws, truth.paper_runs))
    ours = rng.normal(truth.difference, truth.our_std, (draws, truth.our_runs))
    errors = paper.std(axis=1, ddof=1)
    counts: Counter[str] = Counter()
    for mean, error, values in zip(paper.mean(axis=1), errors, ours, strict=True):
        reported = ReportedNumber(float(mean), float(error), "std", truth.paper_runs)
        cell = CellEvidence("", reported, tuple(map(float, values)), True, "", truth.margin)
        counts.update(tested.outcome for tested in decide_cells([cell]) if tested)
    return Rates(truth, draws, counts["reproduced"] / draws, counts["deviates"] / draws)


STDS = ((0.1, 0.1), (0.3, 0.3), (0.6, 0.6), (0.3, 0.1), (0.1, 0.3))
"""Spreads of the paper's runs and of ours: as small as it prints, to beyond what it prints."""
RUNS = (3, 4, 5)


def grid(differences: Sequence[float]) -> list[Truth]:
    """Truths over all spreads and numbers of runs."""
    return [
        Truth(difference, paper, ours, runs)
        for difference in differences
        for paper, ours in STDS
        for runs in RUNS
    ]


def table(
    differences: Sequence[float] = (0.0, 0.5, 1.0, 1.5, 2.0), draws: int = 2000
) -> list[Rates]:
    """Rates over the grid, each truth with its own seed."""
    return [simulate(truth, draws, seed) for seed, truth in enumerate(grid(differences))]


def as_markdown(rates: Iterable[Rates]) -> str:
    """The rates as a Markdown table, in percent."""
    lines = [
        "| difference | paper std | our std | our runs | reproduced | deviates | inconclusive |",
        "|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for r in rates:
        t = r.truth
        numbers = (r.reproduced, r.deviates, r.inconclusive)
        shares = " | ".join(f"{100 * share:.1f} %" for share in numbers)
        lines.append(
            f"| {t.difference:g} | {t.paper_std:g} | {t.our_std:g} | {t.our_runs} | {shares} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    print(as_markdown(table()))
