"""An invented table with everything a table can have, and the figure beside it."""

from __future__ import annotations

from typing import Any

from harness.judge.model import ClaimOutcome
from harness.judge.outcomes import Judged
from harness.render.figures.model import AxesData, AxisData, FigureData, LineData, Source, Tick
from harness.render.table import CellData, ColumnData, RowData, TableData
from harness.spec.claims import OnPar

COLUMNS = (
    ColumnData("A/n 1", "n 1", "Alpha & Co"),
    ColumnData("A/n 5", "n 5", "Alpha & Co"),
    ColumnData("B/n 1", "n 1", "Beta_2"),
)

TABLE = TableData(
    id="table42",
    label="Table 42",
    title="Invented numbers, 100% made up.",
    caption="With ρ = 0.97, a_b and C:\\temp | x.",
    stub="Method",
    columns=COLUMNS,
    rows=(
        RowData(
            "plain",
            "Plain [3]",
            (
                CellData("9.15 ± 0.22", None, "9.10 ± 0.31", "reproduced"),
                CellData("33.03 ± 0.02", None, "30.00 ± 0.20", "deviates", ("flips",)),
                CellData("42.01", None, "41.10", "inconclusive"),
            ),
            "Chosen (8 × 8)",
        ),
        RowData(
            "best",
            "Best (ours)",
            (
                CellData("12.57 ± 0.03", "(+ 3.4)", "12.60 ± 0.10", "not comparable"),
                CellData(None, None, None, "not run"),
                CellData("47.40", "(+ 5.4)", None, "paper-inconsistent", ("own set #2",)),
            ),
            "Chosen (8 × 8)",
        ),
        RowData(
            "odd", "50% *off* #1", (CellData("1.00"), CellData("-2.50"), CellData("n/a")), "Made"
        ),
    ),
    notes=("A note with 5% & more.", "- Not a list."),
    reproduced_as="reproduced (small)",
)


def line(
    label: str,
    source: Source,
    values: tuple[float | None, ...],
    errors: tuple[float | None, ...],
) -> LineData:
    places = tuple(float(at) for at in range(len(values)))
    return LineData(label, places, values, errors, source)


def figure(comparable: bool = False, lines: tuple[LineData, ...] | None = None) -> FigureData:
    ticks = (Tick("n 1", "A"), Tick("n 5", "A"), Tick("n 1", "B"))
    shown = (
        line("Plain $\\x$", "reported", (9.15, 33.03, 42.01), (0.22, 0.02, None)),
        line("Plain $\\x$", "reproduced", (9.1, 30.0, 41.1), (0.31, 0.2, None)),
        line("_Best", "reported", (12.57, None, 47.4), (0.03, None, None)),
        line("_Best", "reproduced", (12.6, None, None), (0.1, None, None)),
    )
    axes = AxesData(
        x=AxisData("Size", ticks=ticks),
        y=AxisData("Accuracy (%)"),
        lines=shown if lines is None else lines,
        comparable=comparable,
    )
    return FigureData("table42", "Invented $numbers$", "small", (axes,))


def judged(id: str, text: str, where: str, expect: Any, reported: Any, reproduced: Any) -> Judged:
    """A claim with the outcomes that are given."""
    claim = OnPar(
        id=id,
        text=text,
        where=where,
        expect=expect,
        kind="on_par",
        left=("a:b:c",),
        right=("a:b:d",),
    )
    return Judged(claim, ClaimOutcome(reported, ""), ClaimOutcome(reproduced, ""))


CLAIMS = (
    judged("grows", "Numbers grow | with n.", "Sec. 1", "holds", "holds", "fails"),
    judged("sum", "A + B = C", "Table 42", "fails", "fails", "not run"),
    judged("even", "A equals B.", "Sec. 2", "holds", "undecided", "undecided"),
)
