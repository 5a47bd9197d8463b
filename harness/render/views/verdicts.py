"""What is shown of the verdicts of an exhibit beside their names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from harness.judge.exhibit import AsPrinted, Judgement, as_printed
from harness.judge.model import Verdict
from harness.judge.results import ItemResult
from harness.judge.verdict import conditional
from harness.words import counted

TRIVIAL = "surely not zero, but within the margin"
SIZE_OPEN = "surely not zero, its size is open"
NOT_HERE = "not run here, but read from files"
NOT_READ = "not read: it is neither a number nor a word, or can be read in two ways"
_SHOWN = 6
"""Numbers that files do not give, in a line."""
WRONG = "the printed difference does not follow from the cells"


def verdict_fields(verdict: Verdict) -> dict[str, Any]:
    """The figures of a verdict in the JSON of a cell. Those of no test are None."""
    tested = verdict.decision
    return {
        "why": verdict.why,
        "difference": verdict.difference,
        "interval": verdict.interval,
        "margin": verdict.margin,
        "seeds_needed": verdict.seeds_needed,
        "chances": {str(n): chance for n, chance in sorted(verdict.chances.items())},
        "flips": list(verdict.flips),
        "method": tested.method if tested else None,
        "differs": tested.differs if tested else None,
        "withheld": tested.withheld if tested else None,
        "tests": asdict(tested.statistics) if tested and tested.statistics else None,
        "welch": asdict(tested.welch) if tested and tested.welch else None,
        "p_equal_adjusted": tested.p_equal_adjusted if tested else None,
        "p_outside_adjusted": tested.p_outside_adjusted if tested else None,
        "prediction": asdict(verdict.prediction) if verdict.prediction else None,
        "cv_star": verdict.cv_star,
        "deterministic": verdict.deterministic,
        "conditional_on": list(verdict.conditional_on),
        "components": asdict(verdict.components) if verdict.components else None,
    }


def needed(verdict: Verdict) -> str:
    """How likely 3, 5, 10 and 20 runs are to decide an open cell."""
    return ", ".join(f"{n}: {chance:.0%}" for n, chance in sorted(verdict.chances.items())) or "–"


def gap_lines(judgement: Judgement) -> list[str]:
    """Which numbers rest on fewer runs than were asked for, and why: a line for each reason."""
    return _lines((result.shortfall, result) for result in judgement.results)


def kind_lines(judgement: Judgement) -> list[str]:
    """Which numbers rest on runs that are not alike, and which runs those are."""
    return _lines((result.kinds, result) for result in judgement.results)


def _lines(said: Iterable[tuple[str, ItemResult]]) -> list[str]:
    """Each remark once, after the addresses of its numbers."""
    found: dict[str, list[str]] = {}
    for remark, result in said:
        if remark:
            found.setdefault(remark, []).append(str(result.item.address))
    return [f"{', '.join(addresses)}: {remark}" for remark, addresses in found.items()]


def run_remarks(results: Sequence[ItemResult]) -> tuple[str, ...]:
    """How many numbers are shown that rest on fewer runs than were asked for, and how many on
    runs that are not alike: a line for each, if there are any."""
    count = sum(bool(result.amounts and result.gaps) for result in results)
    apart = sum(bool(result.mixed) for result in results)
    lines = {
        f"{_rest(count)} on fewer runs than were asked for": count,
        f"{_rest(apart)} on runs that are not alike": apart,
    }
    return tuple(line for line, many in lines.items() if many)


def _rest(count: int) -> str:
    return counted(count, "of the numbers rests", "of the numbers rest")


def evidence_line(judgement: Judgement) -> Iterator[str]:
    """Which of our numbers were not run here, and the files that they are from."""
    found = [result for result in judgement.results if result.evidence]
    if found:
        every = all(r.evidence for r in judgement.results if r.amount)
        some = counted(len(found), "of ours was", "of ours were")
        told = "All numbers of ours were" if every else some
        yield f"{told} not run here, but read from {files_line(*found)}."
        yield from _printed_line([e for each in found if (e := as_printed(judgement, each))])


def _printed_line(found: Sequence[AsPrinted]) -> Iterator[str]:
    """How many numbers are what the files come to, rounded as printed, and which are not."""
    if not found:
        return
    errors = [each.error for each in found if each.error is not None]
    numbers = counted(len(found), "number")
    line = f"Rounded as printed, they give {sum(e.mean for e in found)} of {numbers}"
    line += f" and {sum(errors)} of {counted(len(errors), 'error')}" if errors else ""
    wrong = [_printed_beside(each) for each in found if not each.agrees]
    shown = "; ".join(wrong[:_SHOWN]) + (f" and {len(wrong) - _SHOWN} more" * (len(wrong) > _SHOWN))
    yield f"{line}; not {shown}." if wrong else f"{line} of the paper."


def _printed_beside(found: AsPrinted) -> str:
    amount, item = found.result.amount, found.result.item
    std = "" if amount is None or amount.std is None else f" ± {amount.std:.4g}"
    mean = "" if amount is None else f"{amount.mean:.6g}"
    return f"{item.address.row} at {item.address.column} ({item.reported}: {mean}{std})"


def files_line(*results: ItemResult) -> str:
    """The files that results were read from; of many, the first."""
    files = sorted(
        {name for result in results if result.evidence for name in result.evidence.files}
    )
    return ", ".join(files[:4]) + (f" and {len(files) - 4} more" if len(files) > 4 else "")


def judgement_lines(judgement: Judgement) -> Iterator[str]:
    """What is to be said of all cells together: how many are as predicted, and conditional."""
    if (found := judgement.coverage) is not None:
        yield (
            f"Our mean lies where the paper's runs predict it in {found.inside} of {found.of} "
            f"cells; {found.expected:.1f} are expected."
        )
    compared = [verdict for verdict in judgement.verdicts.values() if verdict.decision]
    alike: dict[frozenset[str], list[tuple[str, ...]]] = {}  # plans may order the steps otherwise
    for shared in (verdict.conditional_on for verdict in compared if verdict.conditional_on):
        alike.setdefault(frozenset(shared), []).append(shared)
    for each in alike.values():
        yield f"{counted(len(each), 'verdict is', 'verdicts are')} {conditional(each[0])}."
