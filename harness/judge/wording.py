"""Verdicts in words: one sentence that says what was compared and what came of it."""

from __future__ import annotations

from collections.abc import Mapping

from harness.judge.decision import Decision, Evidence
from harness.judge.model import CellEvidence, Verdict
from harness.judge.nested import Components
from harness.words import listed


def reason(
    cell: CellEvidence,
    evidence: Evidence,
    tested: Decision,
    flips: tuple[int, ...],
    clash: str,
    coming: Mapping[int, float],
    varies: Components | None,
) -> str:
    """Why a cell that was compared has its verdict.

    Args:
        flips: numbers of reported runs under which another verdict would stand.
        clash: how another printed number would be judged; empty if alike.
        coming: runs of ours -> how likely they are to decide it.
        varies: what our runs vary by, where each is a pipeline.
    """
    parts = [f"The paper prints two numbers here: {clash}"] if clash else []
    parts.append(_compared(cell, evidence) + _found(evidence, tested))
    if coming:
        alone = ", without the control" if tested.withheld else ""
        parts.append(outlook(coming) + alone)
    if cell.rivals and not clash:
        parts.append(f"the same by {' and by '.join(rival.where for rival in cell.rivals)}")
    if flips:
        parts.append(f"this flips if the paper's n is {' or '.join(map(str, flips))}")
    if cell.conditional_on:
        parts.append(conditional(cell.conditional_on))
    if varies:
        parts.append(_components(varies))
    return "; ".join(parts) + "."


def _components(found: Components) -> str:
    """What runs vary by, and that it enters the error of the printed number."""
    few = f"{found.students} students of one" if found.students > 1 else "the paper's runs of one"
    p = "" if found.p is None else f" (p = {found.p:.2g} if pipelines are alike)"
    return (
        f"{found.pipelines} pipelines differ by a standard deviation of {found.between:.2g}, "
        f"{few} by {found.within:.2g}{p}, and the paper's number is taken as of one pipeline"
    )


def conditional(shared: tuple[str, ...]) -> str:
    """What a verdict is conditional on, where only the last stage was repeated."""
    return f"conditional on one run of {', '.join(shared)}"


def outlook(coming: Mapping[int, float]) -> str:
    """How likely more runs of ours are to decide an open cell."""
    chances = [f"{chance:.0%}" for chance in coming.values()]
    return f"{listed(list(map(str, coming)))} runs of ours decide it with {listed(chances)}"


def brief(verdict: Verdict) -> str:
    """The name of a verdict with what stands beside it, in a few words."""
    tested = verdict.decision
    words = []
    if tested and tested.trivial:
        words.append("and differs")
    if tested and tested.withheld:
        words.append("deviates alone, withheld by false-discovery control")
    elif tested and tested.size_open:
        words.append("differs, size open")
    if verdict.decision and verdict.margin is None and not verdict.deterministic:
        words.append("no margin")
    if verdict.flips:
        words.append(f"flips if their n is {' or '.join(map(str, verdict.flips))}")
    return f"{verdict.name} ({'; '.join(words)})" if words else verdict.name


def _compared(cell: CellEvidence, evidence: Evidence) -> str:
    ours, printed = evidence.ours, evidence.reported.mean
    digits = ".2f" if evidence.half_unit > 0.004 else ".15g"
    if cell.deterministic:
        return f"Ours is {ours.mean:{digits}} in every run against the printed {printed:{digits}}, "
    runs = "one run" if ours.n == 1 else f"{ours.n} runs"
    if before := list(map(str, evidence.looks[:-1])):
        runs += f" (it was judged after {listed(before)} too)"
    return f"Ours is {ours.mean:{digits}} over {runs} against the printed {printed:{digits}}, "


def _found(evidence: Evidence, tested: Decision) -> str:
    statistics, margin = tested.statistics, evidence.margin
    if tested.method == "exact":
        return _exact(evidence, tested)
    if statistics is None:
        if evidence.ours.n > 1:
            return "and all runs gave the same, which does not show that others would"
        return "and no spread is known on either side, so a second run comes first"
    low, high = statistics.interval
    difference = f"the difference, {low:+.2f} to {high:+.2f} at 95 %,"
    if tested.method == "none":
        return f"and one run decides nothing; {difference} has the paper's spread alone"
    if margin is None:
        surely = "is surely not zero" if tested.differs else "may be zero"
        none = "no margin is declared" if evidence.reported.mean else _NONE_OF_0
        return f"and {difference} {surely}; {none}, so its size is not judged"
    if tested.outcome == "reproduced":
        half = statistics.critical * statistics.error
        low, high = tested.difference - half, tested.difference + half
        differs = ", and surely not zero" if tested.differs else ""
        return (
            f"and the difference, {low:+.2f} to {high:+.2f} at 90 %, "
            f"is within {_bounds(evidence)}{differs}"
        )
    if tested.outcome == "deviates":
        return (
            f"a difference of {tested.difference:+.2f} that is surely beyond {_bounds(evidence)} "
            f"(p = {tested.p_outside_adjusted:.2g} after false-discovery control)"
        )
    if tested.withheld:
        bounds = _bounds(evidence)
        return f"and {difference} is beyond {bounds}, but not after false-discovery control"
    surely = "is surely not zero, but its size is open: it" if tested.differs else "is open: it"
    return f"and {difference} {surely} is neither surely within {_bounds(evidence)} nor beyond"


_NONE_OF_0 = "no margin is declared, or one in percent, and of a printed 0 that is none"


def _exact(evidence: Evidence, tested: Decision) -> str:
    if not tested.differs:
        return "which is equal as printed"
    if evidence.margin is None:
        return f"{tested.difference:+.3g} apart, which is not equal as printed"
    where = "within" if tested.outcome == "reproduced" else "beyond"
    return f"{tested.difference:+.3g} apart, {where} the tolerance of {_bounds(evidence)}"


def _bounds(evidence: Evidence) -> str:
    """Where a difference counts as none; rounding is not mentioned, as it is said of all cells."""
    margin = evidence.margin or 0.0
    signs = {"both": "±", "at least": "-", "at most": "+"}
    return f"{signs[evidence.tail]}{margin:g}"
