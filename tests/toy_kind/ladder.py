"""A ladder: numbers that are printed one above the other, each of a run of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from rich.console import Console

from harness.judge.exhibit import Judgement
from harness.plan.exhibit import Planner
from harness.plan.item import Item
from harness.render.figures.model import AxesData, AxisData, FigureData, LineData
from harness.render.views.base import ExhibitView
from harness.spec.base import AddressPart, Scalar, SpecModel
from harness.spec.bindings import check_bindings
from harness.spec.exhibit import Address, Exhibit, Readings
from harness.spec.kinds import ExhibitKind
from harness.spec.paper import Paper
from harness.spec.printed import Printed
from harness.spec.reporting import PrintedNumber, Reporting
from harness.spec.runs import Quantity

RUNGS = "rungs"
"""The row of all addresses, since a ladder has no columns."""


class Rung(SpecModel):
    name: AddressPart
    bind: Mapping[str, Scalar]
    number: PrintedNumber


class Ladder(Exhibit):
    """Numbers from the lowest to the highest."""

    kind: Literal["ladder"]
    value: str
    """Which value of the recipe's last step the rungs are."""
    scale: float = 1.0
    rungs: tuple[Rung, ...]

    @property
    def runnable(self) -> bool:
        return True

    @property
    def row_names(self) -> tuple[str, ...]:
        return (RUNGS,)

    @property
    def column_names(self) -> tuple[str, ...]:
        return tuple(rung.name for rung in self.rungs)

    def printed_cells(self) -> Iterable[tuple[Address, Printed]]:
        return [(Address(self.id, RUNGS, rung.name), rung.number) for rung in self.rungs]

    def readings(self, row: str, column: str = "") -> Readings:
        read = Quantity(name="height", of="recipe", value=self.value, scale=self.scale)
        return Readings((read,), each_seed=True, reporting=Reporting(margin=1.0))

    def check(self, paper: Paper, path: Path) -> None:
        for index, rung in enumerate(self.rungs):
            check_bindings(paper, path, ["rungs", index, "bind"], rung.bind)


def rung_items(ladder: Ladder, planner: Planner) -> Iterator[Item]:
    """Every rung, from the lowest."""
    for rung in ladder.rungs:
        address = Address(ladder.id, RUNGS, rung.name)
        variables: dict[str, Any] = dict(rung.bind)
        yield planner.item(address, variables, read=("recipe",), reported=rung.number)


class LadderView(ExhibitView[Ladder]):
    """Rungs as lines of text, and as markers one above the other."""

    def fields(self, judgement: Judgement | None) -> dict[str, Any]:
        found = judgement.verdict_names if judgement else {}
        return {"rungs": [{"at": str(at), "verdict": found.get(str(at))} for at, _ in self.cells()]}

    def show(self, judgement: Judgement | None, console: Console) -> None:
        for at, number in self.cells():
            console.print(f"{at.column}: {number}")

    def figure(self, judgement: Judgement) -> FigureData:
        means = tuple(result.amounts["height"].mean for result in judgement.results)
        line = LineData("ours", tuple(map(float, range(len(means)))), means, style="markers")
        axes = AxesData(AxisData("Rung"), AxisData("Height"), (line,))
        return replace(super().figure(judgement), axes=(axes,))

    def cells(self) -> Iterator[tuple[Address, Printed | None]]:
        yield from self.exhibit.printed_cells()


KIND = ExhibitKind(
    "ladder",
    "ladders",
    Ladder,
    items="tests.toy_kind.ladder:rung_items",
    view="tests.toy_kind.ladder:LadderView",
)
