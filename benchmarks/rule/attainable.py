"""The most faithful cells that any rule could call reproduced.

`python -m benchmarks.rule.attainable` prints the table of the documentation. Fewer errors in the
noisiest cell and more power over all cells are goals that pull against each other. A rule is a
chance of `reproduced` for each difference and each sample spread of a cell. The best one solves a
linear programme (the lemma of Neyman and Pearson, with several hypotheses). It is told more than
any rule can know: the true spreads of the table, though not which cell has which. Both sides have
the same spread and number of runs, so their pooled variance is all that their spreads tell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from scipy.optimize import linprog
from scipy.stats import chi2, norm

from benchmarks.rule.simulate import MARGIN, Setting, draw, printed_spreads, rates
from harness.judge.decision import ALPHA
from harness.judge.moderated import Floats

LIMITS = (0.08, 0.085, 0.09)
"""How often a rule may be wrong in any single cell whose truth is at the margin."""
_GAPS, _SPREADS = 80, 50


def most_reproduced(stds: Sequence[float], limit: float, runs: int = 3) -> float:
    """Share of cells with truth 0 that the best rule calls reproduced.

    Args:
        stds: of a run of either side, one for each cell.
        limit: of false `reproduced` in every single cell; over all cells it is 5 % at most.
        runs: on either side.
    """
    each, counts = np.unique(np.array(stds), return_counts=True)
    shares = counts / counts.sum()
    faithful, wrong = (
        np.array([_chances(std, truth, runs, each) for std in each]) for truth in (0.0, MARGIN)
    )
    solved = linprog(
        -(shares @ faithful),
        A_ub=np.vstack([wrong, shares @ wrong]),
        b_ub=[limit] * len(each) + [ALPHA],
        bounds=(0, 1),
        method="highs",
    )
    return float(-solved.fun)


def _chances(std: float, truth: float, runs: int, all_stds: Floats) -> Floats:
    """Chances of the sizes of a difference and of the pooled sample variances, cell by cell of a
    grid, in one row."""
    df, error = 2 * (runs - 1), std * np.sqrt(2 / runs)
    gaps = np.append(np.linspace(0, 1.6 * MARGIN, _GAPS), np.inf)
    inner = np.geomspace(all_stds.min() ** 2 / 100, 8 * all_stds.max() ** 2, _SPREADS)
    below = norm.cdf((gaps - truth) / error) - norm.cdf((-gaps - truth) / error)
    variances = chi2.cdf(np.concatenate([[0.0], inner, [np.inf]]) * df / std**2, df)
    return np.outer(np.diff(below), np.diff(variances)).ravel()


def table(printed: Mapping[str, Sequence[float]], repetitions: int = 100_000) -> str:
    """What the rule reaches with three runs a side, and the best that is possible."""
    heads = " | ".join(f"best at {100 * limit:g} %" for limit in LIMITS)
    lines = [
        f"| spreads (3 + 3 runs) | worst cell, false reproduced | reproduced at 0 | {heads} |",
        "|---|---:|---:|" + "---:|" * len(LIMITS),
    ]
    for name, stds in printed.items():
        drawn = draw(Setting(name, (tuple(stds), tuple(stds))), repetitions)
        ours = rates(drawn.gaps, drawn.moderated)
        best = [most_reproduced(stds, limit) for limit in LIMITS]
        numbers = [ours.false_reproduced.max(), ours.reproduced, *best]
        lines.append(f"| {name} | " + " | ".join(f"{100 * each:.1f} %" for each in numbers) + " |")
    return "\n".join(lines)


def main() -> None:
    """Print the table of the documentation, for the specs in the present folder."""
    print(table(printed_spreads(Path("specs"))))


if __name__ == "__main__":
    main()
