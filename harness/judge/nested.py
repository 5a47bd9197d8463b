"""Students within pipelines: what of the spread of runs is between pipelines.

A paper that selects, trains a teacher and distils once prints the spread of the students of one
pipeline, and its mean is as far from that of all pipelines as that one happens to be. Where our
runs are whole pipelines, the variance between them is estimated and enters the error of the printed
mean. Moments of the one-way analysis of variance with unequal groups (Searle, Casella and
McCulloch, 1992, Variance Components, section 3.6), degrees of freedom after Satterthwaite (1946,
Biometrics Bulletin 2:110).
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from harness.judge.sample import Summary


@dataclass(frozen=True, slots=True)
class Components:
    """What runs vary by, in the unit of the cell. Nothing is below 0."""

    pipelines: int
    students: int
    """Of the first pipeline; the others have one. With 1, the spread within is the paper's."""
    between: float
    """Standard deviation between pipelines."""
    within: float
    """Standard deviation of the students of one pipeline."""
    df: float
    """Degrees of freedom of the variance between pipelines; 0 where that is 0."""
    p: float | None
    """Against pipelines that do not differ; None where our students do not tell."""


def components(
    runs: Sequence[float], students: Sequence[float], reported: Summary
) -> Components | None:
    """The components of our runs; None where there are too few pipelines or students to tell.

    Args:
        runs: one of each pipeline.
        students: of the first pipeline, `runs[0]` among them.
        reported: the printed number. Its spread stands for that within, where we have one student.
    """
    if len(runs) < 2:
        return None
    if len(students) > 1:
        within, within_df = statistics.variance(students), len(students) - 1
    elif reported.std is not None and reported.n > 1:
        within, within_df = reported.std**2, reported.n - 1
    else:
        return None
    first = list(students) if len(students) > 1 else [runs[0]]
    groups = [first, *([run] for run in runs[1:])]
    square, size = _between(groups)
    df = len(groups) - 1
    variance = max(0.0, square - within) / size
    spread = square**2 / df + within**2 / within_df
    return Components(
        len(groups),
        len(first),
        math.sqrt(variance),
        math.sqrt(within),
        (variance * size) ** 2 / spread if variance else 0.0,
        _p(square, within, df, within_df) if len(students) > 1 else None,
    )


def of_one_pipeline(reported: Summary, found: Components | None) -> Summary:
    """A printed mean over students of one pipeline, as one of the mean over all pipelines.

    Without components, or without a spread of its own, it counts as a single run, to which ours
    lend their spread: that between pipelines and within.
    """
    if found is None or reported.std is None:
        return Summary(reported.mean, None, 1)
    if not found.between:
        return reported
    own, more = reported.std**2 / reported.n, found.between**2
    inverse = own**2 / (reported.n - 1) + more**2 / found.df
    df = max(1, math.floor((own + more) ** 2 / inverse))
    return Summary.estimated(reported.mean, math.sqrt(own + more), df)


def _between(groups: Sequence[Sequence[float]]) -> tuple[float, float]:
    """The mean square between groups, and how often the variance between is in it."""
    sizes = [len(group) for group in groups]
    total, df = sum(sizes), len(groups) - 1
    overall = math.fsum(value for group in groups for value in group) / total
    square = math.fsum(len(g) * (statistics.fmean(g) - overall) ** 2 for g in groups) / df
    return square, (total - sum(size**2 for size in sizes) / total) / df


def _p(square: float, within: float, df: int, within_df: int) -> float:
    from scipy.special import fdtrc

    return float(fdtrc(df, within_df, square / within)) if within else float(not square)
