"""A ladder: numbers that are printed one above the other, each of a run of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from harness.plan.exhibit import Planner
from harness.plan.item import Item
from harness.spec.base import AddressPart, Scalar, SpecModel
from harness.spec.bindings import check_bindings
from harness.spec.cell import Printed, PrintedText
from harness.spec.exhibit import Address, Exhibit, Readings, Reporting
from harness.spec.kinds import ExhibitKind
from harness.spec.paper import Paper
from harness.spec.runs import Quantity

RUNGS = "rungs"
"""The row of all addresses, since a ladder has no columns."""


class Rung(SpecModel):
    name: AddressPart
    bind: Mapping[str, Scalar]
    number: PrintedText


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

    def readings(self, row: str) -> Readings:
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


KIND = ExhibitKind("ladder", "ladders", Ladder, "tests.toy_kind.ladder:rung_items")
