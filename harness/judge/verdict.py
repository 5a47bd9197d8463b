"""Verdicts: what our runs say of each printed number of an exhibit, and in words.

A verdict has one sentence that says what was compared and what came of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.judge.decision import Decision, Evidence, Region, decide, exhibit_prior
from harness.judge.model import CellEvidence, Verdict, VerdictName
from harness.judge.nested import Components, components, of_one_pipeline
from harness.judge.sample import UNKNOWN_RUNS, Summary
from harness.judge.second_opinion import cv_star, predict
from harness.judge.sequential import chances
from harness.words import listed

if TYPE_CHECKING:
    from harness.judge.moderated import Prior


OTHER_RUNS = (1, 5)
"""Other readings of an unknown number of reported runs, under which a verdict is recomputed."""
ENOUGH = 0.8
"""Chance of a decision at which more runs are called enough."""


def judge_cells(cells: Sequence[CellEvidence]) -> list[Verdict]:
    """Verdicts on the cells of one exhibit, in their order.

    `not run` comes first, then `not comparable`, which also covers a cell for which the paper
    prints nothing. False-discovery control (Benjamini-Hochberg, 5 %) is over the cells that remain
    and have two runs or more; a single run of ours is always inconclusive, unless it is known that
    all runs give the same. `paper-inconsistent` is a cell for which the paper prints numbers that
    would be judged differently.
    """
    decided = decide_cells(cells)
    others = {n: decide_cells(cells, n) for n in OTHER_RUNS}
    found = [evidence for cell in cells if (evidence := evidence_of(cell))]
    prior = exhibit_prior(found)
    verdicts = []
    for index, (cell, tested) in enumerate(zip(cells, decided, strict=True)):
        evidence = evidence_of(cell)
        if tested is None or evidence is None:
            verdicts.append(_untested(cell) or _on_bound(cell))
            continue
        flips = tuple(
            n for n, other in others.items() if (o := other[index]) and o.outcome != tested.outcome
        )
        clash = _clash(cells, index, tested)
        verdicts.append(_verdict(cell, evidence, tested, flips, clash, prior))
    return verdicts


def decide_cells(
    cells: Sequence[CellEvidence], unknown_n: int = UNKNOWN_RUNS
) -> list[Decision | None]:
    """The bare decision on each cell, None where there is nothing to compare."""
    found = [evidence_of(cell, unknown_n) for cell in cells]
    decided = iter(decide([evidence for evidence in found if evidence is not None]))
    return [None if evidence is None else next(decided) for evidence in found]


def evidence_of(cell: CellEvidence, unknown_n: int = UNKNOWN_RUNS) -> Evidence | None:
    """The two numbers of a cell; None where they cannot be compared."""
    if cell.reported is None or cell.reported.is_bound or _obstacle(cell) is not None:
        return None
    reported, ours = cell.reported.summary(unknown_n), Summary.of(cell.values)
    if cell.deterministic:
        ours = Summary.exact(ours.mean)
        # Without a spread of theirs there is nothing to test: numbers are as printed, or not.
        reported = Summary.exact(reported.mean) if reported.std is None else reported
    if cell.students is not None and not cell.deterministic:
        reported = of_one_pipeline(reported, _components(cell, reported))
    before = tuple(n for n in cell.looks if n < ours.n)
    looks = (*before, ours.n) if cell.looks and not cell.deterministic else ()
    work = cell.work or object()
    return Evidence(reported, ours, cell.margin, cell.reported.half_unit, cell.tail, looks, work)


def _components(cell: CellEvidence, reported: Summary) -> Components | None:
    """What our runs vary by, where each is a pipeline and enough have run to tell."""
    if cell.students is None or cell.deterministic:
        return None
    return components(cell.values, cell.students, reported)


def _obstacle(cell: CellEvidence) -> tuple[VerdictName, str] | None:
    """The verdict and the reason where nothing can be compared; None where something can."""
    if not cell.values:
        return "not run", "No run of ours has finished for this cell."
    if cell.text:
        why = f"The paper prints '{cell.text}' for this cell, so there is nothing to judge."
        return "not comparable", why
    if cell.reported is None:
        return "not comparable", "The paper prints no number for this cell."
    if not cell.comparable:
        return "not comparable", f"Not comparable with the paper: {cell.reason}"
    if cell.reported.obstacle:
        return "not comparable", f"Nothing to judge: {cell.reported.obstacle}."
    return None


def _untested(cell: CellEvidence) -> Verdict | None:
    """The verdict where nothing can be compared; None where something can."""
    if (obstacle := _obstacle(cell)) is None:
        return None
    return Verdict(
        cell.address,
        *obstacle,
        cell.margin,
        deterministic=cell.deterministic,
        conditional_on=cell.conditional_on,
    )


def _on_bound(cell: CellEvidence) -> Verdict:
    """Whether ours keeps to a printed bound such as `< 0.001`, which is its own margin.

    One-sided at 5 % either way, without control over the exhibit.
    """
    from harness.judge.moderated import difference

    limit = cell.reported
    assert limit is not None  # a cell without a number has an obstacle
    ours = Summary.exact(cell.values[0]) if cell.deterministic else Summary.of(cell.values)
    below, strict = limit.relation in ("<", "≤"), limit.relation in ("<", ">")
    words = f"{limit.relation} {limit.mean:.15g}"
    region = (
        Region(words, high=0.0, high_open=strict) if below else Region(words, 0.0, low_open=strict)
    )
    gap = difference(ours, Summary.exact(limit.mean))
    placed = region.place(gap) if gap else "undecided"
    name, found = _ON_BOUND[placed]
    runs = "one run" if len(cell.values) == 1 else f"{len(cell.values)} runs"
    return Verdict(
        cell.address,
        name,
        f"Ours is {ours.mean:.6g} over {runs} against the printed bound {words}, {found}.",
        difference=ours.mean - limit.mean,
        interval=gap.interval() if gap else None,
        deterministic=cell.deterministic,
        conditional_on=cell.conditional_on,
    )


_ON_BOUND: Mapping[str, tuple[VerdictName, str]] = {
    "holds": ("reproduced", "which it keeps to at 5 %, one-sided"),
    "fails": ("deviates", "which it does not keep to at 5 %, one-sided"),
    "undecided": ("inconclusive", "and these runs do not show whether it keeps to it"),
}


def _clash(cells: Sequence[CellEvidence], index: int, tested: Decision) -> str:
    """How the cell would be judged by another number that is printed for it, if otherwise."""
    for rival in cells[index].rivals:
        instead = list(cells)
        instead[index] = replace(cells[index], reported=rival.number)
        other = decide_cells(instead)[index]
        if other is not None and other.outcome != tested.outcome:
            return f"{tested.outcome} by this number, {other.outcome} by {rival.where}"
    return ""


def _verdict(
    cell: CellEvidence,
    evidence: Evidence,
    tested: Decision,
    flips: tuple[int, ...],
    clash: str,
    prior: Prior | None,
) -> Verdict:
    open_still = tested.outcome == "inconclusive" and not cell.deterministic
    coming = dict(chances(evidence, prior)) if open_still else {}
    enough = (n for n, chance in coming.items() if chance >= ENOUGH and not tested.withheld)
    assert cell.reported is not None  # a cell with evidence has a printed number
    printed = cell.reported.summary()
    varies = _components(cell, printed)
    name: VerdictName = "paper-inconsistent" if clash else tested.outcome
    return Verdict(
        cell.address,
        name,
        reason(cell, evidence, tested, flips, clash, coming, varies),
        cell.margin,
        difference=tested.difference,
        interval=tested.statistics.interval if tested.statistics else None,
        decision=tested,
        seeds_needed=next(enough, None),
        chances=coming,
        flips=flips,
        prediction=predict(evidence.reported, evidence.ours, evidence.half_unit),
        cv_star=cv_star([evidence.reported.mean, evidence.ours.mean]),
        components=varies,
        deterministic=cell.deterministic,
        conditional_on=cell.conditional_on,
    )


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
        parts.append(_told_components(varies))
    return "; ".join(parts) + "."


def _told_components(found: Components) -> str:
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
        return exactly(evidence, tested)
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


def exactly(evidence: Evidence, tested: Decision) -> str:
    """What came of two numbers without uncertainty."""
    if not tested.differs:
        return "equal as printed"
    if evidence.margin is None:
        return f"{tested.difference:+.3g} apart, not equal as printed"
    where = "within" if tested.outcome == "reproduced" else "beyond"
    return f"{tested.difference:+.3g} apart, {where} the tolerance of {_bounds(evidence)}"


def _bounds(evidence: Evidence) -> str:
    """Where a difference counts as none; rounding is not mentioned, as it is said of all cells."""
    margin = evidence.margin or 0.0
    signs = {"both": "±", "at least": "-", "at most": "+"}
    return f"{signs[evidence.tail]}{margin:g}"
