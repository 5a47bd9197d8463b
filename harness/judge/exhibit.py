"""An exhibit judged: what came back for its items, and a verdict on each printed number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.judge.audit.audit import severe_cells
from harness.judge.correlated import Correlated, correlations
from harness.judge.memory import remembered
from harness.judge.model import CellEvidence, Estimate, Verdict
from harness.judge.outcomes import KnownNumber
from harness.judge.results import ItemResult, collect
from harness.judge.sample import ReportedNumber, Summary
from harness.judge.stated import StatedResult, estimate, stated_results
from harness.plan.exhibit import ExhibitPlan
from harness.plan.identity import digest
from harness.plan.step import Json
from harness.spec.exhibit import Reporting
from harness.spec.paper import Paper
from harness.spec.runs import Counterpart
from harness.store.store import Store


@dataclass(frozen=True)
class Judgement:
    """An exhibit with its results and verdicts."""

    plan: ExhibitPlan
    results: tuple[ItemResult, ...]
    """One for each item of the plan, in its order."""
    correlations: tuple[Correlated, ...]
    """One for each plot that asks for it."""
    stated: tuple[StatedResult, ...]
    """The numbers of the caption and the text, beside ours."""
    verdicts: Mapping[str, Verdict]
    """Address of a cell or a stated number -> the verdict on it."""

    @property
    def verdict_names(self) -> dict[str, str]:
        """Address -> name of the verdict."""
        return {address: verdict.name for address, verdict in self.verdicts.items()}

    def verdict(self, result: ItemResult) -> Verdict | None:
        """The verdict on an item; None for a point, on which there is none by itself."""
        return self.verdicts.get(str(result.item.address))


def judge_exhibit(paper: Paper, plan: ExhibitPlan, store: Store) -> Judgement:
    """Read what is in the store for a plan, and judge it.

    Raises:
        UserError: a spec asks for something that the steps do not leave.
    """
    results = collect(plan, store)
    correlated = correlations(plan, results, store)
    stated = stated_results(plan, results, correlated, store)
    cells = [(r, how) for r in results if (how := _reporting(plan, r)) is not None]
    judged = cell_verdicts(cells, store, severe_cells(paper)) if cells else []
    verdicts = (*judged, *(item.verdict for item in stated))
    return Judgement(plan, results, correlated, stated, {v.address: v for v in verdicts})


def _reporting(plan: ExhibitPlan, result: ItemResult) -> Reporting | None:
    return plan.exhibit.readings(result.item.address.row).reporting


def cell_verdicts(
    cells: Sequence[tuple[ItemResult, Reporting]], store: Store, severe: Mapping[str, str]
) -> list[Verdict]:
    """The verdict on every cell of an exhibit.

    Args:
        cells: each with how its printed number is to be read.
        severe: address -> the audit's severe finding on that cell.
    """
    evidence = [
        CellEvidence(
            address=str(result.item.address),
            reported=ReportedNumber.read(printed, how)
            if (printed := result.item.reported)
            else None,
            values=result.amount.values if result.amount else (),
            comparable=result.item.comparable,
            reason=result.item.reason,
            margin=how.margin,
            audit_severe=severe.get(str(result.item.address)),
        )
        for result, how in cells
    ]
    return remembered(store, "verdicts", evidence, Verdict, lambda: _judge(evidence))


def _judge(evidence: Sequence[CellEvidence]) -> list[Verdict]:
    from harness.judge.verdict import judge_cells

    return judge_cells(evidence)


def numbers(judgement: Judgement) -> dict[str, KnownNumber]:
    """Address -> our number, for every cell with a run and every stated number with one of ours."""
    found = {
        str(result.item.address): KnownNumber(
            Summary.of(result.amount.values),
            digest("runs", _lists(result.item.sources)),
            by_seed=result.amount.by_seed,
        )
        for result in judgement.results
        if result.amount and judgement.verdict(result)
    }
    for item in judgement.stated:
        if item.ours is not None and item.stated.ours is not None:
            found[item.verdict.address] = _known(judgement, item.stated.ours, item.ours)
    plan = judgement.plan
    for key, ours in plan.exhibit.unprinted.items():
        made = estimate(plan, ours, judgement.results, judgement.correlations)
        if made is not None:
            found[f"{plan.exhibit.id}:unprinted:{key}"] = _known(judgement, ours, made)
    return found


def _known(judgement: Judgement, ours: Counterpart, made: Estimate) -> KnownNumber:
    # Numbers that the paper states twice are of the same runs.
    what = ours.model_dump(mode="json", exclude={"margin"})
    quantities = judgement.plan.exhibit.readings(ours.panel).values
    return KnownNumber(
        Summary.estimated(made.mean, made.error, made.df),
        digest("counterpart", what),
        searched=next(
            (
                (q.searched[0], q.searched[1])
                for q in quantities
                if q.searched and q.name == ours.value
            ),
            None,
        ),
    )


def _lists(sources: Mapping[str, tuple[tuple[str, ...], ...]]) -> Json:
    return {name: [list(members) for members in seeds] for name, seeds in sources.items()}
