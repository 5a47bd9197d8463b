"""What came back: the values of every cell of a plan, read from the store."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from harness.errors import UserError, nearest
from harness.plan.cells import Cell, Plan
from harness.plan.step import Json
from harness.spec.cell import parse_printed
from harness.spec.exhibit import Reporting
from harness.store.record import Record
from harness.store.store import Store

Read = Callable[[str], Record | None]


@dataclass(frozen=True)
class Result:
    """One cell with what the runs made of it, in the unit of the cell."""

    cell: Cell
    seeds: tuple[int, ...]
    """Seeds that are complete."""
    values: tuple[float, ...]
    """One for each complete seed."""
    missing: tuple[str, ...]
    """Identities of the runs that are not there."""

    @property
    def complete(self) -> bool:
        return bool(self.cell.terms) and not self.missing

    @property
    def mean(self) -> float | None:
        return statistics.fmean(self.values) if self.values else None

    @property
    def std(self) -> float | None:
        """Sample standard deviation; None of a single run."""
        return statistics.stdev(self.values) if len(self.values) > 1 else None

    def summary(self) -> dict[str, Json] | None:
        """Mean, standard deviation, number of runs and seeds; None where nothing came back."""
        if not self.values:
            return None
        return {
            "mean": self.mean,
            "std": self.std,
            "n": len(self.values),
            "seeds": list(self.seeds),
        }


def collect(plan: Plan, store: Store) -> tuple[Result, ...]:
    """The results of every cell, in the order of the plan."""
    known: dict[str, Record | None] = {}

    def read(identity: str) -> Record | None:
        if identity not in known:
            known[identity] = store.get(identity)
        return known[identity]

    return tuple(_collect_cell(cell, read) for cell in plan.cells)


def _collect_cell(cell: Cell, read: Read) -> Result:
    seeds, values, missing = [], [], []
    for seed, terms in zip(cell.seeds, cell.terms, strict=True):
        records = [read(identity) for identity in terms]
        absent = [i for i, record in zip(terms, records, strict=True) if record is None]
        missing += absent
        if not absent:
            numbers = [_value(cell, record) for record in records if record is not None]
            seeds.append(seed)
            values.append(statistics.fmean(numbers))
    return Result(cell, tuple(seeds), tuple(values), tuple(missing))


def _value(cell: Cell, record: Record) -> float:
    name = cell.measure.value
    value = record.values.get(name)
    if not isinstance(value, int | float):
        numbers = [key for key, held in record.values.items() if isinstance(held, int | float)]
        raise UserError(
            f"{cell.address.exhibit}: measure.value = '{name}' is no number that step "
            f"'{record.step}' leaves; {nearest(name, numbers)}"
        )
    return cell.measure.scale * value


def reported_fields(text: str | None, reporting: Reporting) -> Mapping[str, Json] | None:
    """A printed number as plain data: the exact text, and how it is to be read."""
    if text is None:
        return None
    printed = parse_printed(text)
    return {
        "text": text,
        "mean": float(printed.mean),
        "error": None if printed.error is None else float(printed.error),
        "spread": reporting.spread,
        "n": reporting.n,
    }
