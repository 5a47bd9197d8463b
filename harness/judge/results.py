"""Reading the results of every item of a plan from the store."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from harness.errors import UserError, nearest
from harness.evidence.found import FoundCell
from harness.judge.company import (
    NOT_RUN,
    Gaps,
    Mixed,
    OneKind,
    mixed,
    no_code_confirmed,
    sentence,
    shortfall,
)
from harness.judge.model import Amount, Picture
from harness.plan.exhibit import ExhibitPlan
from harness.plan.item import Item
from harness.plan.step import Json
from harness.spec.exhibit import Readings
from harness.spec.runs import Gallery, Quantity, Reading
from harness.store.record import Record
from harness.store.store import Store
from harness.words import counted

Drawn: TypeAlias = "float | tuple[float, ...]"
"""A number, of a marker, or many, of a line."""
SeriesKey: TypeAlias = "tuple[str, int]"
"""Name of the plot, and number of the series in it."""


@dataclass(frozen=True)
class ItemResult:
    """An item with what its steps left, in the unit of the item."""

    item: Item
    seeds: tuple[int, ...]
    """Seeds that are complete."""
    missing: tuple[str, ...]
    """Identities of the steps that have no record."""
    amounts: Mapping[str, Amount]
    """Name of the quantity -> what it came to. A cell of a table has one, by its measure."""
    lines: Mapping[SeriesKey, tuple[Drawn, Drawn]]
    """x and y of every series, means over seeds."""
    spreads: Mapping[SeriesKey, Drawn]
    """Sample standard deviation of y over seeds; nothing where there is one seed."""
    pictures: tuple[Picture, ...] = ()
    """Those of the first seed."""
    same_as: str = ""
    """The column of the earlier item of the same row that is the same work under this profile."""
    failed: Mapping[int, str] = field(default_factory=dict)
    """Seed -> the quantity of it that is no finite number, in words. Such a run has failed, though
    its steps have records: it counts in no amount."""
    evidence: FoundCell | None = None
    """The runs in files that its amount is of; None where it is of our own records."""
    gaps: Mapping[int, str] = field(default_factory=dict)
    """Seed -> why it gave no number, for every seed that was asked for and counts in no amount."""
    mixed: Mixed = field(default_factory=dict)
    """In what its runs differ, beside their seeds. Of a number that is declared to be the same in
    every run and is not, the least and the largest."""

    @property
    def complete(self) -> bool:
        return self.evidence is not None or (bool(self.item.sources) and not self.missing)

    @property
    def amount(self) -> Amount | None:
        """The one quantity of a cell; None where nothing came back."""
        return next(iter(self.amounts.values()), None)

    @property
    def shortfall(self) -> str:
        """How many of the runs that were asked for a number rests on, and why not on all.

        Empty where it rests on all, and where nothing was run yet.
        """
        if not self.seeds and set(self.gaps.values()) == {NOT_RUN}:
            return ""
        return shortfall(len(self.item.seeds), len(self.seeds), self.gaps)

    @property
    def kinds(self) -> str:
        """In what its runs differ beside their seeds, and which are which; empty if in nothing."""
        return sentence(self.mixed)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What is to be said of its runs: that some are missing, or that they are not alike."""
        return tuple(filter(None, (self.shortfall, self.kinds)))


def collect(
    plan: ExhibitPlan,
    store: Store,
    evidence: Mapping[tuple[str, str], FoundCell] | None = None,
    records: dict[str, Record | None] | None = None,
    only: OneKind | None = None,
    confirmed: Callable[[Record], bool] = no_code_confirmed,
) -> tuple[ItemResult, ...]:
    """The results of every item, in the order of the plan.

    Args:
        evidence: row and column -> runs that files hold, for items of which we have no result.
        records: takes those that are read, by the identity of their step.
        only: the kind of runs that count; all if none.
        confirmed: whether the code of a record is known to make the numbers of its step.

    Raises:
        UserError: a reading is of a value that its step does not leave.
    """
    known = {} if records is None else records
    first: dict[tuple[str, tuple[str, ...]], str] = {}

    def read(identity: str) -> Record | None:
        if identity not in known:
            record = store.get(identity)
            step = plan.steps.get(identity)
            honest = not (record and step) or record.is_of(step)
            known[identity] = (
                record if record and honest and (not only or only.takes(record)) else None
            )
        return known[identity]

    def same_as(item: Item) -> str:
        _, row, column = item.address
        earlier = first.setdefault((row, item.identities), column) if item.sources else column
        return "" if earlier == column else earlier

    gaps = Gaps(plan, store, only)
    results = []
    for item in plan.items:
        collector = _Collector(item, plan.exhibit.readings(*item.address[1:]), read, confirmed)
        result = collector.result(same_as(item))
        lost = {**gaps.of(item, frozenset(result.missing)), **result.failed}
        results.append(replace(result, gaps=lost) if lost else result)
    return tuple(_or_found(result, plan, (not only and evidence) or {}) for result in results)


def _or_found(
    result: ItemResult,
    plan: ExhibitPlan,
    evidence: Mapping[tuple[str, str], FoundCell],
) -> ItemResult:
    """What files hold in the place of a result that we do not have. It is comparable, since it is
    said to be of what the paper states."""
    _, row, column = result.item.address
    found = evidence.get((row, column))
    if result.amounts or found is None or not result.item.takes_files:
        return result
    quantity = plan.exhibit.readings(row, column).values[0]
    exact = quantity.deterministic and _alike(found.values)
    runs = slice(1 if exact else None)
    amounts = {quantity.name: Amount(found.values[runs], exact, seeds=found.seeds[runs])}
    return ItemResult(
        item=replace(result.item, comparable=True, reason="", sources={}, seeds=()),
        seeds=found.seeds,
        missing=(),
        amounts=amounts,
        lines={},
        spreads={},
        evidence=found,
        mixed=_refuted([quantity], amounts),
    )


def _alike(values: Sequence[float]) -> bool:
    """Whether numbers are the same, but for what other processors round otherwise."""
    return all(math.isclose(value, values[0]) for value in values)


def _refuted(quantities: Iterable[Quantity], amounts: Mapping[str, Amount]) -> Mixed:
    """The quantities whose runs differ, though they are declared not to: they count as runs."""
    found: dict[str, dict[str, tuple[int, ...]]] = {}
    for quantity in quantities:
        amount = amounts.get(quantity.name)
        if quantity.deterministic and amount and not amount.deterministic:
            found[f"{quantity.name}, which is declared deterministic"] = {
                f"{end:.15g}": tuple(seed for seed, at in amount.by_seed.items() if at == end)
                for end in (min(amount.values), max(amount.values))
            }
    return found


@dataclass(frozen=True)
class _Collector:
    """Reads one item."""

    item: Item
    readings: Readings
    read: Callable[[str], Record | None]
    confirmed: Callable[[Record], bool] = no_code_confirmed

    def result(self, same_as: str) -> ItemResult:
        missing = tuple(i for i in self.item.identities if self.read(i) is None)
        absent = set(missing)
        complete = [
            index
            for index in range(len(self.item.seeds))
            if not any(absent.intersection(seeds[index]) for seeds in self.item.sources.values())
        ]
        empty = ItemResult(self.item, (), missing, {}, {}, {}, same_as=same_as)
        if not complete or (missing and not self.readings.each_seed):
            return empty
        failed = self._failed(complete)
        if self.readings.each_seed:
            complete = [index for index in complete if self.item.seeds[index] not in failed]
            if not complete:
                return replace(empty, failed=failed)
        series = {
            (plot.name, index): each
            for plot in self.readings.plots
            for index, each in enumerate(plot.series)
        }
        amounts = {
            value.name: amount
            for value in self.readings.values
            if (amount := self._amount(value, complete))
        }
        return ItemResult(
            item=self.item,
            seeds=tuple(self.item.seeds[index] for index in complete),
            missing=missing,
            amounts=amounts,
            lines={
                key: (
                    _over_seeds(statistics.fmean, self._each_seed(each.x, complete)),
                    _over_seeds(statistics.fmean, self._each_seed(each.y, complete)),
                )
                for key, each in series.items()
            },
            spreads={
                key: _over_seeds(statistics.stdev, self._each_seed(each.y, complete))
                for key, each in series.items()
                if len(set(self.item.sources[each.y.of])) > 1
            },
            pictures=self._pictures(self.readings.gallery) if self.readings.gallery else (),
            same_as=same_as,
            failed=failed,
            mixed={
                **_refuted(self.readings.values, amounts),
                **mixed(self._records(complete), self.confirmed),
            },
        )

    def _records(self, complete: Sequence[int]) -> Iterator[tuple[int, Record]]:
        """Each complete seed with each of its records."""
        for seeds in self.item.sources.values():
            for index in complete:
                for identity in seeds[index]:
                    if record := self.read(identity):
                        yield self.item.seeds[index], record

    def _failed(self, complete: Sequence[int]) -> dict[int, str]:
        """Seed -> its first quantity that is not finite."""
        found: dict[int, str] = {}
        for quantity in self.readings.values:
            for index, number in zip(complete, self._each_seed(quantity, complete), strict=True):
                if isinstance(number, float) and not math.isfinite(number):
                    found.setdefault(self.item.seeds[index], f"{quantity.name} is {number}")
        return found

    def _each_seed(self, reading: Reading, complete: Sequence[int]) -> list[Drawn]:
        """One number or line for each complete seed; of several members, their mean."""
        seeds = self.item.sources[reading.of]
        found = [[self._read(reading, i) for i in seeds[index]] for index in complete]
        return [m[0] if len(m) == 1 else _over_seeds(statistics.fmean, m) for m in found]

    def _amount(self, quantity: Quantity, complete: Sequence[int]) -> Amount | None:
        """What the runs came to that gave a finite number; None where none did."""

        def numbers(value: str) -> dict[int, float]:
            found = self._each_seed(quantity.model_copy(update={"value": value}), complete)
            if any(isinstance(each, tuple) for each in found):
                raise UserError(
                    f"'{value}' is an array; expected a number, as '{quantity.name}' is"
                )
            return {
                self.item.seeds[index]: each
                for index, each in zip(complete, found, strict=True)
                if isinstance(each, float) and math.isfinite(each)
            }

        values = numbers(quantity.value)
        seeds = [self.item.seeds[complete[run]] for run in self._runs(quantity.of, complete)]
        kept = tuple(seed for seed in seeds if seed in values)
        if not kept:
            return None
        exact = quantity.deterministic and _alike([values[seed] for seed in kept])
        kept = kept[: 1 if exact else None]
        return Amount(
            tuple(values[seed] for seed in kept),
            exact,
            min(numbers(quantity.low).values(), default=None) if quantity.low else None,
            max(numbers(quantity.high).values(), default=None) if quantity.high else None,
            seeds=kept,
            students=self._students(quantity),
        )

    def _students(self, quantity: Quantity) -> tuple[float, ...] | None:
        """The runs of the first pipeline, where each run of the item is a pipeline."""
        if not self.item.students:
            return None
        beside = replace(self.item, sources=self.item.students, students={})
        found = _Collector(beside, self.readings, self.read).result("").amounts
        return found[quantity.name].values if quantity.name in found else ()

    def _runs(self, source: str, complete: Sequence[int]) -> list[int]:
        """Which of the complete seeds are runs of their own: seeds with the same records are one.

        Other records that left the same are several, since a few test items agree by chance.
        """
        seeds = self.item.sources[source]
        first = {seeds[index]: place for place, index in reversed(list(enumerate(complete)))}
        return sorted(first.values())

    def _pictures(self, gallery: Gallery) -> tuple[Picture, ...]:
        reading = gallery.pictures
        record = self.read(self.item.sources[reading.of][0][0])
        array = record.array(reading.value) if record and reading.value in record.arrays else None
        if array is None or array.ndim != 4 or array.dtype.name != "uint8":
            raise UserError(
                f"{self._where}: '{reading.value}' of '{reading.of}' holds no pictures; "
                "expected uint8 of the shape (pictures, height, width, channels)"
            )
        _, height, width, channels = array.shape
        return tuple(Picture(height, width, channels, image.tobytes()) for image in array)

    @property
    def _where(self) -> str:
        return f"{self.item.address.exhibit}, '{self.item.address.row}'"

    def _read(self, reading: Reading, identity: str) -> Drawn:
        record = self.read(identity)
        assert record is not None  # only complete seeds are read
        found = _placed(self._where, reading, _found(self._where, reading, record))
        if isinstance(found, int | float):
            return float(reading.offset + reading.scale * found)
        return tuple(reading.offset + reading.scale * number for number in found)


def _over_seeds(statistic: Callable[[Sequence[float]], float], seeds: Sequence[Drawn]) -> Drawn:
    """A statistic over seeds or members, of lines place by place; NaN where one is not finite."""

    def of(place: Sequence[float]) -> float:
        return statistic(place) if all(map(math.isfinite, place)) else math.nan

    lines = [each for each in seeds if isinstance(each, tuple)]
    if not lines:
        return of([each for each in seeds if isinstance(each, float)])
    return tuple(of(place) for place in zip(*lines, strict=True))


def _placed(where: str, reading: Reading, found: float | list[float]) -> float | list[float]:
    if reading.at is None or isinstance(found, int | float):
        return found
    if not -len(found) <= reading.at < len(found):
        raise UserError(
            f"{where}: '{reading.value}' has {counted(len(found), 'place')}, and none {reading.at}"
        )
    return found[reading.at]


def _found(where: str, reading: Reading, record: Record) -> float | list[float]:
    name = reading.value
    value: Json = record.values.get(name)
    if isinstance(value, int | float):
        return value
    if isinstance(value, list) and all(isinstance(item, int | float) for item in value):
        return [float(item) for item in value if isinstance(item, int | float)]
    if name not in record.arrays:
        numbers = [key for key, held in record.values.items() if not isinstance(held, str)]
        raise UserError(
            f"{where}: '{name}' is no number or array that step '{record.step}' leaves; "
            f"{nearest(name, [*numbers, *sorted(record.arrays)])}"
        )
    array = record.array(name)
    columns = array.shape[1] if array.ndim == 2 else 0
    if reading.column is not None and reading.column < columns:
        array = array[:, reading.column]
    elif array.ndim != 1 or reading.column is not None:
        raise UserError(
            f"{where}: array '{name}' of step '{record.step}' has the shape {array.shape}; "
            "expected one dimension, or two and one of its columns in 'column'"
        )
    return [float(number) for number in array]


def of_row(results: Sequence[ItemResult], row: str) -> Iterator[ItemResult]:
    """The results of one row or panel."""
    return (result for result in results if result.item.address.row == row)
