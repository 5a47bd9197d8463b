"""An exhibit judged: what came back for its items, and a verdict on each printed number.

Of results that are read from files, which are the paper's own, it is asked too whether a printed
number is what they come to, rounded as it is printed: that is no question of chance, as whether
another run comes back is.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from harness.evidence.found import Found, find
from harness.judge.audit.quantities import rivals, wrong_differences
from harness.judge.audit.sheet import Mention
from harness.judge.company import OneKind, no_code_confirmed
from harness.judge.memory import remembered
from harness.judge.model import CellEvidence, Estimate, Rival, Verdict
from harness.judge.outcomes import KnownNumber
from harness.judge.results import ItemResult, collect
from harness.judge.sample import ReportedNumber, Summary
from harness.judge.second_opinion import Coverage, coverage
from harness.judge.stated import Correlated, StatedResult, correlations, estimate, stated_results
from harness.judge.verdict import judge_cells
from harness.plan.exhibit import ExhibitPlan
from harness.plan.identity import digest
from harness.plan.parts import shared_steps
from harness.spec.exhibit import Table
from harness.spec.paper import Paper
from harness.spec.printed import P_VALUE, Printed, half_unit
from harness.spec.reporting import Reporting
from harness.spec.runs import Counterpart
from harness.store.record import Record
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
    wrong_differences: Mapping[str, str]
    """Address of a cell -> why the difference that is printed beside it is wrong."""
    notices: tuple[str, ...] = ()
    """Lines on what its numbers are from, for whoever reads them."""
    records: tuple[Record, ...] = ()
    """Those that its items were read from."""
    unknown: tuple[str, ...] = ()
    """Names in files of results that are no row and no column of the table."""

    @property
    def verdict_names(self) -> dict[str, str]:
        """Address -> name of the verdict."""
        return {address: verdict.name for address, verdict in self.verdicts.items()}

    @property
    def coverage(self) -> Coverage | None:
        """How many of our means lie where their runs predict them; None without predictions."""
        return coverage(verdict.prediction for verdict in self.verdicts.values())

    def verdict(self, result: ItemResult) -> Verdict | None:
        """The verdict on an item; None for a point, on which there is none by itself."""
        return self.verdicts.get(str(result.item.address))


def judge_exhibit(
    paper: Paper,
    plan: ExhibitPlan,
    store: Store,
    only: OneKind | None = None,
    confirmed: Callable[[Record], bool] = no_code_confirmed,
) -> Judgement:
    """Read what is in the store for a plan, and judge it.

    Args:
        only: the kind of runs that count; all if none.
        confirmed: whether the code of a record is known to make the numbers of its step; runs by
            such code are of one kind.

    Raises:
        UserError: a spec asks for something that the steps do not leave.
    """
    evidence = evidence_of(paper, plan)
    records: dict[str, Record | None] = {}
    found = evidence.cells if evidence else None
    results = collect(plan, store, found, records, only, confirmed)
    correlated = correlations(plan, results, store)
    stated = stated_results(plan, results, correlated, store)
    judged = verdicts_on(evidence_on(paper, plan, results, store), store)
    verdicts = {v.address: v for v in (*judged, *(item.verdict for item in stated))}
    wrong = wrong_differences(paper, plan.exhibit.id)
    notices = evidence.notices(plan.exhibit.id) if evidence else ()
    read = tuple(record for record in records.values() if record)
    unknown = evidence.unknown if evidence else ()
    return Judgement(
        plan, results, correlated, stated, verdicts, wrong, tuple(notices), read, unknown
    )


def evidence_of(paper: Paper, plan: ExhibitPlan) -> Found | None:
    """What files hold of an exhibit; None where it names none, or the plan is of a stand-in.

    Raises:
        UserError: the files cannot be read as its spec says.
    """
    exhibit, stated = plan.exhibit, plan.profile.id == paper.about.paper_profile
    return (
        find(paper, exhibit) if stated and isinstance(exhibit, Table) and exhibit.evidence else None
    )


def verdicts_on(evidence: Sequence[CellEvidence], store: Store) -> list[Verdict]:
    """The verdict on every cell of an exhibit, whether anything is printed there or not."""
    if not evidence:
        return []
    return remembered(store, "verdicts", evidence, Verdict, lambda: judge_cells(evidence))


def evidence_on(
    paper: Paper, plan: ExhibitPlan, results: Sequence[ItemResult], store: Store
) -> list[CellEvidence]:
    """All that the verdicts on an exhibit's cells rest on."""
    clashing = paper.once("rivals", rivals)
    evidence = []
    for result in results:
        how = plan.exhibit.reporting_of(result.item.address.row, result.item.address.column)
        if how is not None:
            others = clashing.get(str(result.item.address), ())
            numbers = tuple(_rival(paper, mention, how) for mention in others)
            shared = shared_steps(result.item, plan.steps)
            looks = store.looks.of(result.item.key)
            what = next(iter(result.amounts), "")
            work = f"{_runs_of(result)}:{what}"
            evidence.append(cell_evidence(result, how, shared, numbers, looks, work))
    return evidence


def cell_evidence(
    result: ItemResult,
    how: Reporting,
    shared: tuple[str, ...],
    others: tuple[Rival, ...],
    looks: tuple[int, ...],
    work: str,
) -> CellEvidence:
    """All that the verdict on a cell rests on.

    Args:
        how: how its printed number is to be read.
        shared: names of the steps that all its runs share.
        others: other numbers that are printed for it.
        looks: runs after which it was judged, where they are added until it is decided.
        work: tells which runs its values are of, and what of them.
    """
    text, amount = result.item.reported, result.amount
    printed = text if text and text.kind == "number" else None
    reported = ReportedNumber.read(printed, how) if printed else None
    deterministic = amount is not None and amount.deterministic
    exact = deterministic and not (reported and reported.error)
    return CellEvidence(
        address=str(result.item.address),
        reported=reported,
        values=amount.values if amount else (),
        comparable=result.item.comparable,
        reason=result.item.reason,
        margin=how.bound(printed, exact=exact) if printed else None,
        tail=how.direction,
        deterministic=deterministic,
        conditional_on=() if deterministic else shared,
        students=amount.students if amount and how.n_of == "seed" else None,
        rivals=others,
        looks=looks,
        work=work,
        text=text.text if text and not printed else "",
    )


def _rival(paper: Paper, mention: Mention, how: Reporting) -> Rival:
    """Another printed number; what is said of it where it is printed comes before `how`."""
    name, row, column = mention.address.split(":")
    cell = name in paper.exhibits and row != "stated"
    own = paper.exhibits[name].reporting_of(row, column) if cell else None
    return Rival(str(mention), ReportedNumber.read(mention.number, own or how))


def numbers(judgement: Judgement) -> dict[str, KnownNumber]:
    """Address -> our number, for every cell with a run and every stated number with one of ours."""
    found = {
        str(result.item.address): KnownNumber(
            result.amount.summary,
            _runs_of(result),
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


def _runs_of(result: ItemResult) -> str:
    """Tells which runs a number is of, however many; numbers in files are each of their own."""
    if result.evidence is not None:
        return digest("evidence", str(result.item.address))
    return result.item.key


_SLACK = 1e-9
"""What binary fractions are off by, relative to the number."""


@dataclass(frozen=True, slots=True)
class AsPrinted:
    """`mean`, `error`: whether it is what the results come to; None where nothing is printed."""

    result: ItemResult
    mean: bool
    error: bool | None

    @property
    def agrees(self) -> bool:
        return self.mean and self.error is not False


def as_printed(judgement: Judgement, result: ItemResult) -> AsPrinted | None:
    """A number whose results were read from files, beside what is printed; else None.

    An error may be the standard deviation or the standard error of the runs, by n or by n - 1,
    unless its spec says which of the two; errors of other kinds are not looked at. A p-value that
    is printed as 0 is never right, since none is 0.
    """
    printed, amount = result.item.reported, result.amount
    if not result.evidence or amount is None or printed is None:
        return None
    if printed.value is None or printed.relation != "=":
        return None
    _, row, column = result.item.address
    how = judgement.plan.exhibit.reporting_of(row, column)
    error = None
    if how is None or not how.may_be_share(printed):
        error = _error(amount.values, printed, how.spread_of(printed) if how else "unknown")
    agrees = _prints(amount.mean, printed.value)
    if printed.value == 0 and P_VALUE.fullmatch(column):
        agrees = amount.mean == 0
    return AsPrinted(result, agrees, error)


def _error(values: Sequence[float], printed: Printed, spread: str) -> bool | None:
    error, n = printed.error, len(values)
    if error is None or error.minus != error.plus or spread not in ("std", "sem", "unknown"):
        return None
    if n < 2:
        return None
    stds = (statistics.stdev(values), statistics.pstdev(values))
    sizes = {"std": stds, "sem": tuple(each / n**0.5 for each in stds)}
    allowed = sizes[spread] if spread in sizes else (*sizes["std"], *sizes["sem"])
    return any(_prints(size, error.plus) for size in allowed)


def _prints(ours: float, printed: Decimal) -> bool:
    """Whether a number is rounded to the printed digits; of a tie, to either side."""
    half = float(half_unit(printed))
    return abs(ours - float(printed)) <= half + _SLACK * max(1.0, abs(ours))
