"""A table of results: each printed number beside ours, with a verdict."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from harness.evidence.found import passed_over
from harness.judge.exhibit import Judgement, as_printed
from harness.judge.model import Source, Verdict
from harness.judge.results import ItemResult, of_row
from harness.judge.sample import ReportedNumber
from harness.judge.verdict import brief
from harness.plan.item import Item
from harness.render.figures.model import (
    SOURCES,
    AxesData,
    AxisData,
    FigureData,
    LineData,
    Tick,
)
from harness.render.numbers import fixed, mean_std
from harness.render.table import CellData, ColumnData, RowData, TableData
from harness.render.views.base import ExhibitView, NumberText
from harness.render.views.verdicts import (
    NOT_HERE,
    NOT_READ,
    SIZE_OPEN,
    TRIVIAL,
    WRONG,
    evidence_line,
    files_line,
    gap_lines,
    judgement_lines,
    kind_lines,
    needed,
    run_remarks,
    verdict_fields,
)
from harness.spec import exhibit as spec
from harness.spec.exhibit import LAST_STEP, Address
from harness.spec.printed import Printed
from harness.spec.reading import read_printed

if TYPE_CHECKING:
    from rich.console import Console


class TableView(ExhibitView[spec.Table]):
    """A table of results, as a table and as a figure."""

    formats = ("tex", "md", "pdf", "png", "csv")

    def fields(self, judgement: Judgement | None) -> dict[str, Any]:
        results = judgement.results if judgement else ()
        fields = {
            "cells": [self._cell_fields(result, judgement) for result in results if judgement]
        }
        coverage = judgement.coverage if judgement else None
        return {**fields, "prediction": asdict(coverage) if coverage else None}

    def show(self, judgement: Judgement | None, console: Console) -> None:
        from harness.render import terminal

        terminal.show(self.table(judgement), "both" if judgement else "reported", console)
        lines = (*judgement_lines(judgement), *kind_lines(judgement)) if judgement else ()
        for line in (*lines, *self._unread_lines()):
            console.print(line, soft_wrap=True)

    def show_diff(self, judgement: Judgement, console: Console) -> None:
        from harness.render.terminal import show_grid

        verdicts = [judgement.verdicts[str(result.item.address)] for result in judgement.results]
        unread = {at: f"{text} (not read)" for at, text in self.exhibit.unread_cells().items()}
        rows = [
            (
                f"{result.item.address.row} / {result.item.address.column}",
                str(result.item.reported or unread.get(result.item.address, "–")),
                f"{fixed(ours.mean, result.item.reported)} (n={len(ours.values)})"
                if (ours := result.amount)
                else "–",
                *_apart(result.item.reported, verdict),
                brief(verdict),
                needed(verdict),
            )
            for result, verdict in zip(judgement.results, verdicts, strict=True)
        ]
        headings = (
            "Cell",
            "Reported",
            "Reproduced",
            "Difference",
            "95 % interval",
            "Verdict",
            "Chance that n runs decide",
        )
        show_grid(headings, rows, console)
        lines = (*judgement_lines(judgement), *sorted(_obstacles(verdicts)), *self._unread_lines())
        read = (*evidence_line(judgement), *passed_over(judgement.unknown))
        for line in (*read, *lines, *gap_lines(judgement), *kind_lines(judgement)):
            console.print(line, soft_wrap=True)

    def table(self, judgement: Judgement | None) -> TableData:
        table = self.exhibit
        results = judgement.results if judgement else ()
        found = {result.item.address[1:]: result for result in results}
        most = max((len(r.evidence.values) for r in results if r.evidence), default=0)

        def cell(row: spec.Row, column: spec.Column) -> CellData:
            number, derived = row.cells.get(column.name), row.derived.get(column.name)
            printed = CellData(
                number.text if number else row.unread.get(column.name),
                derived.text if derived else None,
                bold=column.name in row.bold,
                underline=column.name in row.underline,
            )
            if judgement is None:
                return printed
            result = found[row.name, column.name]
            verdict = judgement.verdicts[str(result.item.address)]
            marks = [
                *((NOT_READ,) if column.name in row.unread else ()),
                *((NOT_HERE,) if result.evidence else ()),
                *((result.shortfall,) if result.shortfall else ()),
                *((f"runs differ in {', '.join(result.mixed)}",) if result.mixed else ()),
                *(("flips",) if verdict.flips else ()),
                *((TRIVIAL,) if verdict.decision and verdict.decision.trivial else ()),
                *((SIZE_OPEN,) if verdict.decision and verdict.decision.size_open else ()),
                *((WRONG,) if str(result.item.address) in judgement.wrong_differences else ()),
            ]
            return replace(
                printed,
                reproduced=our_number(result),
                verdict=verdict.name,
                marks=tuple(marks),
                runs=_few_runs(result, most),
            )

        ours = f"reproduced ({judgement.plan.name})" if judgement else "reproduced"
        return TableData(
            id=table.id,
            label=table.label,
            title=table.title,
            caption=table.caption,
            stub=table.stub,
            columns=tuple(ColumnData(c.name, c.label, c.group or None) for c in table.columns),
            rows=tuple(
                RowData(
                    row.name,
                    row.label,
                    tuple(cell(row, column) for column in table.columns),
                    row.group or None,
                )
                for row in table.rows
            ),
            notes=(*table.notes, *(evidence_line(judgement) if judgement else ())),
            reproduced_as=ours,
            transposed=table.transposed,
        )

    def figure(self, judgement: Judgement) -> FigureData:
        """The same numbers as a figure: a line for each row, over the columns."""
        table, results = self.exhibit, judgement.results
        axes = AxesData(
            x=AxisData("", ticks=tuple(Tick(c.label, c.group) for c in table.columns)),
            y=AxisData(table.reporting.unit),
            lines=tuple(
                _line(row.label, source, list(of_row(results, row.name)))
                for row in table.rows
                for source in SOURCES
            ),
            comparable=all(r.item.comparable for r in results if r.amount),
            notes=run_remarks(results),
        )
        title = f"{table.label}: {table.title}"
        return FigureData(table.id, title, judgement.plan.name, (axes,))

    def plot_caption(self, judgement: Judgement) -> str:
        return (
            f"**{self.exhibit.label}, plotted.** Hollow markers on dashed lines: the paper's "
            "numbers. Filled markers on solid lines: ours, under profile "
            f"{judgement.plan.name}."
        )

    def cells(self) -> Iterator[tuple[Address, Printed | None]]:
        for row, column, number in self.exhibit.cells():
            yield Address(self.exhibit.id, row.name, column.name), number

    def number(self, result: ItemResult, judgement: Judgement) -> NumberText:
        amount, verdict = result.amount, judgement.verdicts[str(result.item.address)]
        runs = tuple(
            (f"seed {seed}" + "".join(f", {value}" for value in member.values()), identity)
            for seed, member, identity in self._runs(result)
        )
        ours = f"{our_number(result)} ({_runs(result)})" if amount else None
        facts = {"Not run here": f"from {files_line(result)}"} if result.evidence else {}
        why = " ".join(filter(None, (verdict.why, *result.remarks)))
        return NumberText(ours, why, facts, runs)

    def _unread_lines(self) -> Iterator[str]:
        """The cells whose text was not read: a line for each reason."""
        found: dict[str, list[str]] = {}
        for address, text in self.exhibit.unread_cells().items():
            why = read_printed(text).reason or "beside the other cells it can be read in two ways"
            found.setdefault(why, []).append(f"{address} ('{text}')")
        for why, cells in found.items():
            yield f"Not read, and never compared: {', '.join(cells)}: {why}."

    def _cell_fields(self, result: ItemResult, judgement: Judgement) -> dict[str, Any]:
        item, verdict = result.item, judgement.verdicts[str(result.item.address)]
        held = as_printed(judgement, result)
        printed = None if held is None else {"mean": held.mean, "error": held.error}
        return {
            "row": item.address.row,
            "column": item.address.column,
            "reported": self._reported_fields(item),
            "reproduced": _reproduced_fields(result),
            "missing": [
                {"seed": seed, **member, "identity": identity}
                for seed, member, identity in self._runs(result)
                if identity in result.missing
            ],
            "asked": len(item.seeds),
            "gaps": {str(seed): why for seed, why in result.gaps.items()},
            "mixed": result.mixed,
            "comparable": item.comparable,
            "reason": item.reason,
            "verdict": verdict.name,
            "derived": self._derived_fields(item.address, judgement),
            "as_printed": printed,
            **verdict_fields(verdict),
            "run": {**item.run, "steps": [list(m) for m in item.sources.get(LAST_STEP, ())]},
        }

    def _reported_fields(self, item: Item) -> dict[str, Any] | None:
        if item.reported is None:
            return None
        how = self.exhibit.reporting_of(item.address.row, item.address.column)
        fields: dict[str, Any] = {"text": item.reported.text, "mean": None, "error": None}
        fields |= {"spread": how.spread, "n": how.n, "half_unit": None}
        if item.reported.kind == "number":
            number = asdict(ReportedNumber.read(item.reported, how))
            fields |= {name: number[name] for name in fields.keys() & number.keys()}
        return {**fields, "unit": how.unit, **_more(item.reported)}

    def _derived_fields(self, address: Address, judgement: Judgement) -> dict[str, Any] | None:
        """The difference that is printed beside a cell, and why it is wrong if it is."""
        row = self.exhibit.by_name[0][address.row]
        derived = row.derived.get(address.column)
        wrong = judgement.wrong_differences.get(str(address))
        return {**derived.model_dump(), "wrong": wrong} if derived else None

    def _runs(self, result: ItemResult) -> Iterator[tuple[int, dict[str, Any], str]]:
        """Seed, the averaged variable with its value where the cell is a mean, and identity."""
        average, item = self.exhibit.average, result.item
        members = [{average.over: value} for value in average.values] if average else [{}]
        for seed, identities in zip(item.seeds, item.sources.get(LAST_STEP, ()), strict=True):
            for member, identity in zip(members, identities, strict=True):
                yield seed, member, identity


def _apart(printed: Printed | None, verdict: Verdict) -> tuple[str, str]:
    """The difference and its interval, to the last digit that the paper prints."""
    gap, ends = verdict.difference, verdict.interval
    return (
        "–" if gap is None else fixed(gap, printed, sign=True),
        "–" if ends is None else " to ".join(fixed(end, printed, sign=True) for end in ends),
    )


def _obstacles(verdicts: Sequence[Verdict]) -> set[str]:
    return {v.why for v in verdicts if v.name in ("not comparable", "paper-inconsistent")}


def our_number(result: ItemResult) -> str | None:
    """Mean and spread over seeds, with the decimals of the printed number; None without a run."""
    amount, printed = result.amount, result.item.reported
    return mean_std(amount.mean, amount.std, printed) if amount else None


def _more(printed: Printed) -> dict[str, Any]:
    """What a cell says beyond a number with an error, as far as it does."""
    error, interval = printed.error, printed.interval
    said: dict[str, Any] = {
        "kind": "" if printed.kind == "number" else printed.kind,
        "relation": "" if printed.relation == "=" else printed.relation,
        "errors": [float(error.minus), float(error.plus)]
        if error and error.minus != error.plus
        else None,
        "interval": [float(interval.low), float(interval.high)] if interval else None,
        "of": float(printed.of) if printed.of is not None else None,
        "printed_unit": printed.unit,
        "stars": printed.stars,
        "marks": list(printed.marks),
        "notes": list(printed.notes),
    }
    return {name: value for name, value in said.items() if value not in (None, "", [])}


def _runs(result: ItemResult) -> str:
    """`n = 3`, or where fewer runs came back than were asked for, `n = 2 of 3`. Of a
    deterministic number one value counts, and yet all came back."""
    if result.gaps:
        return f"n = {len(result.seeds)} of {len(result.item.seeds)}"
    return f"n = {len(result.amount.values) if result.amount else 0}"


def _few_runs(result: ItemResult, most: int) -> str:
    """How many runs a number rests on, where others rest on more.

    Args:
        most: runs in files of any number of the table.
    """
    fewer = result.evidence is not None and len(result.evidence.values) < most
    return f"({_runs(result)})" if result.amount and (result.gaps or fewer) else ""


def _reproduced_fields(result: ItemResult) -> dict[str, Any] | None:
    amount = result.amount
    if amount is None:
        return None
    seeds = list(result.seeds)
    return {
        "mean": amount.mean,
        "std": amount.std,
        "n": len(amount.values),
        "seeds": seeds,
        "source": "evidence" if result.evidence else "runs",
        "files": list(result.evidence.files) if result.evidence else [],
    }


def _line(label: str, source: Source, results: list[ItemResult]) -> LineData:
    places = tuple(float(at) for at in range(len(results)))
    if source == "reproduced":
        amounts = [result.amount for result in results]
        means = tuple(amount.mean if amount else None for amount in amounts)
        spreads = tuple(amount.std if amount else None for amount in amounts)
        notes = tuple(" ".join(result.remarks) for result in results)
        return LineData(label, places, means, spreads, source, notes=notes)
    printed = [result.item.reported for result in results]
    numbers = [number if number and number.is_number else None for number in printed]
    means = tuple(float(n.number) if n else None for n in numbers)
    errors = tuple(float(n.spread) if n and n.spread else None for n in numbers)
    texts = tuple(number.text if number else "" for number in printed)
    return LineData(label, places, means, errors, source, printed=texts)
