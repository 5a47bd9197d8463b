"""Verdicts: what our runs say of each printed number of an exhibit."""

from __future__ import annotations

from collections.abc import Sequence

from harness.judge.decision import Decision, Evidence, decide
from harness.judge.model import CellEvidence, Verdict, VerdictName
from harness.judge.power import MOST_RUNS, more_runs_help, runs_needed
from harness.judge.sample import UNKNOWN_RUNS, Summary
from harness.judge.welch import Difference, difference

OTHER_RUNS = (1, 5)
"""Other readings of an unknown number of reported runs, under which a verdict is recomputed."""


def judge_cells(cells: Sequence[CellEvidence]) -> list[Verdict]:
    """Verdicts on the cells of one exhibit, in their order.

    A severe finding of the audit comes first, since no run can mend the printed number; then
    `not run`; then `not comparable`, which also covers a cell for which the paper prints nothing.
    False-discovery control (Benjamini-Hochberg, 5 %) is over the cells that remain and have two
    runs or more; a single run of ours is always inconclusive.
    """
    decided = decide_cells(cells)
    others = {n: decide_cells(cells, n) for n in OTHER_RUNS}
    verdicts = []
    for index, cell in enumerate(cells):
        tested = decided[index]
        if tested is None:
            verdicts.append(_untested(cell))
            continue
        flips = tuple(
            n for n, other in others.items() if (o := other[index]) and o.outcome != tested.outcome
        )
        verdicts.append(_verdict(cell, tested, flips))
    return verdicts


def decide_cells(
    cells: Sequence[CellEvidence], unknown_n: int = UNKNOWN_RUNS
) -> list[Decision | None]:
    """The bare decision on each cell, None where there is nothing to test."""
    found = [(cell, _difference(cell, unknown_n)) for cell in cells]
    decided = iter(decide([Evidence(d, cell.margin) for cell, d in found if d is not None]))
    return [None if d is None else next(decided) for _, d in found]


def _difference(cell: CellEvidence, unknown_n: int) -> Difference | None:
    if _obstacle(cell) is not None or cell.reported is None or len(cell.values) < 2:
        return None
    return difference(Summary.of(cell.values), cell.reported.summary(unknown_n))


def _obstacle(cell: CellEvidence) -> tuple[VerdictName, str] | None:
    """The verdict and the reason where nothing can be compared; None where something can."""
    if cell.audit_severe is not None:
        return "paper-inconsistent", f"The paper contradicts itself here: {cell.audit_severe}"
    if not cell.values:
        return "not run", "No run of ours has finished for this cell."
    if cell.reported is None:
        return "not comparable", "The paper prints no number for this cell."
    if not cell.comparable:
        return "not comparable", f"Not comparable with the paper: {cell.reason}"
    return None


def _untested(cell: CellEvidence) -> Verdict:
    """A cell with an obstacle, or with one run of ours."""
    obstacle = _obstacle(cell)
    if obstacle is not None:
        name, why = obstacle
        return Verdict(cell.address, name, why, cell.margin)
    assert cell.reported is not None
    reported, ours = cell.reported.summary(), Summary.of(cell.values)
    gap = difference(ours, reported)
    return Verdict(
        cell.address,
        "inconclusive",
        f"One run of ours ({ours.mean:.2f}) decides nothing about the printed "
        f"{reported.mean:.2f}; {_outlook(reported, ours, cell.margin)}.",
        cell.margin,
        difference=ours.mean - reported.mean,
        interval=None if gap is None else gap.interval(),
        seeds_needed=runs_needed(reported, ours, cell.margin),
    )


def _verdict(cell: CellEvidence, tested: Decision, flips: tuple[int, ...]) -> Verdict:
    assert cell.reported is not None
    reported, ours = cell.reported.summary(), Summary.of(cell.values)
    open_still = tested.outcome == "inconclusive"
    return Verdict(
        cell.address,
        tested.outcome,
        _sentence(tested, reported, ours, cell.margin, flips),
        cell.margin,
        difference=tested.difference.estimate,
        interval=tested.difference.interval(),
        p_equivalent=tested.difference.p_equivalent(cell.margin),
        p_equal=tested.difference.p_equal(),
        p_equal_adjusted=tested.p_equal_adjusted,
        seeds_needed=runs_needed(reported, ours, cell.margin) if open_still else None,
        flips=flips,
    )


def _sentence(
    tested: Decision, reported: Summary, ours: Summary, margin: float, flips: tuple[int, ...]
) -> str:
    d = tested.difference
    what = f"Ours is {ours.mean:.2f} over {ours.n} runs against the printed {reported.mean:.2f}, "
    if tested.outcome == "reproduced":
        low, high = d.interval(0.90)
        what += f"and the difference, {low:+.2f} to {high:+.2f} at 90 %, is within ±{margin:g}"
    elif tested.outcome == "deviates":
        what += (
            f"a difference of {d.estimate:+.2f} that exceeds {margin:g} and is not chance "
            f"(p = {tested.p_equal_adjusted:.2g} after false-discovery control)"
        )
    else:
        low, high = d.interval()
        what += (
            f"and the difference, {low:+.2f} to {high:+.2f} at 95 %, is neither surely within "
            f"±{margin:g} nor surely there and larger; {_outlook(reported, ours, margin)}"
        )
    if flips:
        counts = " or ".join(str(n) for n in flips)
        what += f"; this flips if the paper's n is {counts}"
    return what + "."


def _outlook(reported: Summary, ours: Summary, margin: float) -> str:
    """Whether and when more runs of ours would decide, in words."""
    if reported.std is None and ours.std is None:
        return "the spread is unknown on both sides, so a second run comes first"
    needed = runs_needed(reported, ours, margin)
    if needed is not None:
        return f"{needed} runs of ours would decide it with 80 % power"
    if more_runs_help(reported, ours, margin):
        return f"more than {MOST_RUNS} runs of ours would be needed, so large is their spread"
    return "no number of our runs decides it, since the printed number is itself too uncertain"
