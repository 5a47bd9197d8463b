"""Claims: sentences of the paper as typed predicates over its numbers.

A claim is data: its `kind` names a predicate, and the other keys say which numbers it is about.
Nothing in it is evaluated as code. A number is given as an *operand*: the address of a cell
(`table7:CAD-Prune:IPC 50`), the address of a stated number (`figure3:stated:rho-dm`), or the
number itself. Where a claim has `exhibit`, its operands are names of rows in that exhibit, to be
combined with its `columns`, so that "A beats B and C everywhere" is one claim.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, FiniteFloat, StringConstraints, model_validator

from harness.spec.base import AddressPart, Label, Name, SpecModel

Operand = FiniteFloat | str
"""A number, or (after a claim is resolved) the address of one."""
Pair = tuple[Operand, Operand]
Expectation = Literal["holds", "fails", "undecided"]
Margin = Annotated[FiniteFloat, Field(ge=0)]
PrintedNumber = Annotated[str, StringConstraints(pattern=r"^-?\d+(\.\d+)?$")]
PrintedCount = Annotated[str, StringConstraints(pattern=r"^\d+(\.\d+)?[KMB]?$")]
_UNITS = {"K": 3, "M": 6, "B": 9}


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


def printed_step(text: str) -> tuple[Decimal, Decimal]:
    """A printed number and half a unit of its last digit: `"9.3"` -> 9.3, 0.05; `"11M"` -> 11e6,
    5e5.
    """
    power = _UNITS.get(text[-1], 0)
    value = Decimal(text[:-1] if power else text)
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int)  # the pattern admits no infinity
    return value.scaleb(power), Decimal(5).scaleb(exponent + power - 1)


class _Claim(SpecModel):
    """What every claim has."""

    id: Name
    text: Label
    """The sentence, quoted."""
    where: Label
    """Its place in the paper."""
    expect: Expectation = "holds"
    """What it comes to on the reported numbers; another outcome is news."""


class _Selection(_Claim):
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


class _Paired(_Selection):
    """A claim that sets numbers against others."""

    def _sides(self) -> tuple[Operands, Operands]:
        raise NotImplementedError

    def pairs(self) -> tuple[Pair, ...]:
        """What is compared with what."""
        return self._match(*self._sides())

    def operands(self) -> Iterator[Operand]:
        """Every number that the claim is about."""
        return (operand for pair in self.pairs() for operand in pair)

    @model_validator(mode="after")
    def _resolvable(self) -> _Paired:
        self.pairs()
        return self


class _Two(_Paired):
    """A claim that compares `left` with `right`."""

    left: Operands
    right: Operands

    def _sides(self) -> tuple[Operands, Operands]:
        return self.left, self.right


class _Better(_Paired):
    """A claim that sets `better` above `worse`."""

    better: Operands
    worse: Operands

    def _sides(self) -> tuple[Operands, Operands]:
        return self.better, self.worse


class _Lists(_Selection):
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
    def _resolvable(self) -> _Lists:
        given, wanted = ("rows", "cells") if self.exhibit is None else ("cells", "rows")
        if getattr(self, given) or not getattr(self, wanted):
            raise ValueError("expected either 'cells', or 'exhibit' with 'rows' and 'columns'")
        self.lists()
        return self


class _Ordered(_Lists):
    """A claim about sequences, read along the columns of each row or along the rows."""

    along: Literal["columns", "rows"] = "columns"

    def sequences(self) -> tuple[tuple[Operand, ...], ...]:
        """Sequences of two numbers or more, in the order claimed."""
        lists = self.lists()
        return tuple(zip(*lists, strict=True)) if self.along == "rows" else lists

    @model_validator(mode="after")
    def _long_enough(self) -> _Ordered:
        if any(len(sequence) < 2 for sequence in self.sequences()):
            raise ValueError("a sequence needs two numbers or more")
        return self


class Equal(_Two):
    """Printed numbers are the same, ± included where both print one."""

    kind: Literal["equal"]


class OnPar(_Two):
    """Equivalent within the margin."""

    kind: Literal["on_par"]
    margin: Margin = 1.0


class Greater(_Better):
    """Every `better` number exceeds its `worse` one, by more than the margin."""

    kind: Literal["greater"]
    margin: Margin = 0.0


class OnParOrBetter(_Better):
    """No `better` number falls below its `worse` one by the margin or more."""

    kind: Literal["on_par_or_better"]
    margin: Margin = 1.0


class GapCloses(_Claim):
    """left - right exceeds the margin in the `wide` columns and is within it in the `narrow`."""

    kind: Literal["gap_closes"]
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


class Increasing(_Ordered):
    """Every number of a sequence exceeds the one before."""

    kind: Literal["increasing"]
    margin: Margin = 0.0


class Saturates(_Ordered):
    """The last step of a sequence is within the margin."""

    kind: Literal["saturates"]
    margin: Margin = 1.0


class _Bounded(SpecModel):
    low: FiniteFloat | None = None
    high: FiniteFloat | None = None

    @model_validator(mode="after")
    def _bounds(self) -> _Bounded:
        if self.low is None and self.high is None:
            raise ValueError("expected 'low', 'high' or both")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"'low' = {self.low} is above 'high' = {self.high}")
        return self


class Within(_Lists, _Bounded):
    """Every number lies in [low, high]."""

    kind: Literal["within"]


class Correlation(_Claim, _Bounded):
    """A correlation coefficient lies in [low, high]."""

    kind: Literal["correlation"]
    value: Number
    points: Annotated[int, Field(ge=4)] | None = None
    """How many points it was computed over: its uncertainty, where it comes without one."""

    def operands(self) -> Iterator[Operand]:
        """Every number that the claim is about."""
        yield self.value

    @model_validator(mode="after")
    def _coefficient(self) -> Correlation:
        if any(bound is not None and abs(bound) > 1 for bound in (self.low, self.high)):
            raise ValueError("a correlation lies in [-1, 1]")
        return self


class ParameterDomain(_Claim, _Bounded):
    """A parameter lies in the interval that its definition allows."""

    kind: Literal["parameter_domain"]
    value: Number
    low_open: bool = False
    high_open: bool = False

    def operands(self) -> Iterator[Operand]:
        """Every number that the claim is about."""
        yield self.value


class Slower(_Claim):
    """One quantity is at least `factor` times another."""

    kind: Literal["slower"]
    slow: Number
    fast: Number
    factor: Annotated[FiniteFloat, Field(gt=0)]

    def operands(self) -> Iterator[Operand]:
        """Every number that the claim is about."""
        yield from (self.slow, self.fast)


class Arithmetic(_Two):
    """Printed differences left - right: each one (`printed`), or their smallest and largest."""

    kind: Literal["arithmetic"]
    printed: tuple[PrintedNumber, ...] = ()
    smallest: PrintedNumber | None = None
    largest: PrintedNumber | None = None

    @model_validator(mode="after")
    def _one_form(self) -> Arithmetic:
        ranged = self.smallest is not None and self.largest is not None
        if bool(self.printed) == ranged or (self.smallest is None) != (self.largest is None):
            raise ValueError("expected either 'printed', or 'smallest' and 'largest'")
        if self.printed and len(self.printed) != len(self.pairs()):
            raise ValueError(f"{len(self.printed)} results for {len(self.pairs())} differences")
        return self


class ParameterCount(_Claim):
    """A printed count (`411K`, `11M`) is the rounded count of a network's parameters."""

    kind: Literal["parameter_count"]
    printed: PrintedCount
    count: Number

    def operands(self) -> Iterator[Operand]:
        """Every number that the claim is about."""
        yield self.count


Claim = Annotated[
    Equal
    | OnPar
    | Greater
    | OnParOrBetter
    | GapCloses
    | Increasing
    | Saturates
    | Within
    | Correlation
    | ParameterDomain
    | Slower
    | Arithmetic
    | ParameterCount,
    Field(discriminator="kind"),
]


def addresses(claim: Claim) -> tuple[str, ...]:
    """The addresses that a claim refers to, in order, each once."""
    return tuple(dict.fromkeys(item for item in claim.operands() if isinstance(item, str)))


class ClaimsFile(SpecModel):
    """`claims.toml`: all claims, as `[[claims]]`."""

    claims: tuple[Claim, ...] = ()

    @model_validator(mode="after")
    def _distinct(self) -> ClaimsFile:
        repeated = sorted(k for k, n in Counter(claim.id for claim in self.claims).items() if n > 1)
        if repeated:
            raise ValueError(f"the ids of claims must differ; '{repeated[0]}' is used twice")
        return self
