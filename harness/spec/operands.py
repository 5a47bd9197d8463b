"""The parts of claims: operands, and how rows and columns combine to pairs and sequences."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, FiniteFloat, model_validator

from harness.spec.base import AddressPart, Label, Name, SpecModel
from harness.spec.printed import Printed
from harness.spec.units import LETTERS

Operand = FiniteFloat | str
"""A number, or (after a claim is resolved) the address of one."""
Pair = tuple[Operand, Operand]
Expectation = Literal["holds", "fails", "undecided", "not applicable", "restated", "not run"]
Margin = Annotated[FiniteFloat, Field(ge=0)]


def is_address(text: str) -> bool:
    """Whether a text has the form `exhibit:row:column` or `exhibit:stated:id`."""
    parts = text.split(":")
    return len(parts) == 3 and all(part and part == part.strip() for part in parts)


def _resolved(operand: Operand) -> Operand:
    if isinstance(operand, str) and not is_address(operand):
        raise ValueError(
            f"expected a number or an address 'exhibit:row:column', found '{operand}' "
            "(names of rows need 'exhibit' and 'columns')"
        )
    return operand


Number = Annotated[Operand, AfterValidator(_resolved)]


def printed_step(printed: Printed) -> tuple[Decimal, Decimal]:
    """A printed number and half a unit of its last digit: `9.3` -> 9.3, 0.05; `11M` -> 11e6, 5e5.

    Letters count as powers of ten.
    """
    power = LETTERS.get(printed.unit, 0)
    return printed.number.scaleb(power), printed.rounding.scaleb(power)


def printed_count(printed: Printed) -> tuple[Decimal, Decimal]:
    """As `printed_step`, of a count whose final zeros may be rounding: `60M` -> 60e6, 5e6."""
    target, half = printed_step(printed)
    digits = str(printed.number)
    zeros = 0 if "." in digits else len(digits) - len(digits.rstrip("0"))
    return target, half.scaleb(min(zeros, len(digits) - 1))


class ClaimBase(SpecModel):
    """The fields of every claim."""

    id: Name
    text: Label
    """The sentence, quoted."""
    where: Label
    """Its place in the paper."""
    expect: Expectation = "holds"
    """The expected outcome on the reported numbers; another one is news."""


class Selection(ClaimBase):
    """A claim about cells, either by address or by rows and columns of one exhibit."""

    exhibit: Name | None = None
    columns: tuple[AddressPart, ...] = ()

    def _cells(self, operand: Operand) -> tuple[Operand, ...]:
        """An operand as written -> operands with addresses, one for each column."""
        if self.exhibit is None:
            if self.columns:
                raise ValueError("'columns' needs 'exhibit'")
            return (_resolved(operand),)
        if not self.columns:
            raise ValueError("'exhibit' needs 'columns'")
        return tuple(self._cell(operand, column) for column in self.columns)

    def _cell(self, operand: Operand, column: str) -> Operand:
        if not isinstance(operand, str):
            return operand
        if ":" in operand:
            raise ValueError(f"expected the name of a row of '{self.exhibit}', found '{operand}'")
        return f"{self.exhibit}:{operand}:{column}"

    def _match(self, left: tuple[Operand, ...], right: tuple[Operand, ...]) -> tuple[Pair, ...]:
        """By rows: every left row with every right row in every column. By address: in order,
        where one operand on a side stands against all of the other.
        """
        if self.exhibit is not None:
            rows = [(self._cells(a), self._cells(b)) for a in left for b in right]
            return tuple(pair for a, b in rows for pair in zip(a, b, strict=True))
        lefts = [cell for operand in left for cell in self._cells(operand)]
        rights = [cell for operand in right for cell in self._cells(operand)]
        if 1 not in (len(lefts), len(rights)) and len(lefts) != len(rights):
            raise ValueError(f"{len(lefts)} numbers on one side cannot match {len(rights)}")
        count = max(len(lefts), len(rights))
        return tuple(
            zip(lefts * (count // len(lefts)), rights * (count // len(rights)), strict=True)
        )


Operands = Annotated[tuple[Operand, ...], Field(min_length=1)]


class Paired(Selection):
    """A claim that sets numbers against others."""

    def _sides(self) -> tuple[Operands, Operands]:
        raise NotImplementedError

    def pairs(self) -> tuple[Pair, ...]:
        """The pairs that are compared."""
        return self._match(*self._sides())

    def operands(self) -> Iterator[Operand]:
        """Every number that the claim is about."""
        return (operand for pair in self.pairs() for operand in pair)

    @model_validator(mode="after")
    def _resolvable(self) -> Paired:
        self.pairs()
        return self


class Two(Paired):
    """A claim that compares `left` with `right`."""

    left: Operands
    right: Operands

    def _sides(self) -> tuple[Operands, Operands]:
        return self.left, self.right


class Better(Paired):
    """A claim that `better` numbers are better than `worse` ones: higher, or lower where a cell's
    measure has `better = "lower"`.
    """

    better: Operands
    worse: Operands

    def _sides(self) -> tuple[Operands, Operands]:
        return self.better, self.worse


class Lists(Selection):
    """A claim about lists of numbers: `cells` as they stand, or each of `rows` over `columns`."""

    cells: tuple[Operand, ...] = ()
    rows: tuple[AddressPart, ...] = ()

    def lists(self) -> tuple[tuple[Operand, ...], ...]:
        """One list for each row, or the only list."""
        if self.exhibit is not None:
            return tuple(self._cells(row) for row in self.rows)
        return (tuple(cell for operand in self.cells for cell in self._cells(operand)),)

    def operands(self) -> Iterator[Operand]:
        """Every number that the claim is about."""
        return (operand for one in self.lists() for operand in one)

    @model_validator(mode="after")
    def _resolvable(self) -> Lists:
        given, wanted = ("rows", "cells") if self.exhibit is None else ("cells", "rows")
        if getattr(self, given) or not getattr(self, wanted):
            raise ValueError("expected either 'cells', or 'exhibit' with 'rows' and 'columns'")
        self.lists()
        return self


class Ordered(Lists):
    """A claim about sequences, read along the columns of each row or along the rows."""

    along: Literal["columns", "rows"] = "columns"

    def sequences(self) -> tuple[tuple[Operand, ...], ...]:
        """Sequences of two numbers or more, in the order claimed."""
        lists = self.lists()
        return tuple(zip(*lists, strict=True)) if self.along == "rows" else lists

    @model_validator(mode="after")
    def _long_enough(self) -> Ordered:
        if any(len(sequence) < 2 for sequence in self.sequences()):
            raise ValueError("a sequence needs two numbers or more")
        return self


class OfGaps(ClaimBase):
    """A claim about how much better left is than right in the `wide` columns and in the `narrow`
    ones: left - right, or right - left where a cell's measure has `better = "lower"`.
    """

    exhibit: Name
    left: AddressPart
    right: AddressPart
    wide: Annotated[tuple[AddressPart, ...], Field(min_length=1)]
    narrow: Annotated[tuple[AddressPart, ...], Field(min_length=1)]
    margin: Margin = 1.0

    def gaps(self, columns: tuple[str, ...]) -> tuple[Pair, ...]:
        """The two cells of each gap."""
        return tuple(
            (f"{self.exhibit}:{self.left}:{c}", f"{self.exhibit}:{self.right}:{c}") for c in columns
        )

    def operands(self) -> Iterator[Operand]:
        """Every number that the claim is about."""
        return (cell for pair in self.gaps(self.wide + self.narrow) for cell in pair)

    @model_validator(mode="after")
    def _paired(self) -> OfGaps:
        if len(self.wide) != len(self.narrow):
            raise ValueError(
                f"{len(self.wide)} 'wide' columns cannot match {len(self.narrow)} 'narrow' ones"
            )
        return self


class Bounded(SpecModel):
    low: FiniteFloat | None = None
    high: FiniteFloat | None = None

    @model_validator(mode="after")
    def _bounds(self) -> Bounded:
        if self.low is None and self.high is None:
            raise ValueError("expected 'low', 'high' or both")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"'low' = {self.low} is above 'high' = {self.high}")
        return self
