"""Claims: sentences of the paper as typed predicates over its numbers.

A claim is data: its `kind` names a predicate, and the other keys say which numbers it is about.
Nothing in it is evaluated as code. A number is given as an *operand*: the address of a cell
(`table7:Some method:IPC 50`), the address of a stated number (`figure3:stated:rho`), or the
number itself. Where a claim has `exhibit`, its operands are names of rows in that exhibit, to be
combined with its `columns`, so that "A beats B and C everywhere" is one claim.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, FiniteFloat, model_validator

from harness.spec.base import SpecModel, check_distinct
from harness.spec.operands import (
    Better,
    Bounded,
    ClaimBase,
    Lists,
    Margin,
    Number,
    OfGaps,
    Operand,
    Ordered,
    Two,
)
from harness.spec.reporting import PrintedNumber
from harness.spec.units import Unit
from harness.words import counted


class Equal(Two):
    """Printed numbers are the same, ± included where both print one."""

    kind: Literal["equal"]


class OnPar(Two):
    """Equivalent within the margin."""

    kind: Literal["on_par"]
    margin: Margin = 1.0


class Greater(Better):
    """Every `better` number is better than its `worse` one, by more than the margin.

    A lead within the margin leaves it undecided; it fails where the `worse` number is better.
    """

    kind: Literal["greater"]
    margin: Margin = 0.0


class OnParOrBetter(Better):
    """No `better` number is worse than its `worse` one by more than the margin."""

    kind: Literal["on_par_or_better"]
    margin: Margin = 1.0


class GapCloses(OfGaps):
    """left is better than right by more than the margin in a `wide` column, and they are within it
    in its `narrow` one.

    A column in which no gap is shown to be there has none to close: it does not apply.
    """

    kind: Literal["gap_closes"]


class GapShrinks(OfGaps):
    """left is better than right by less in each `narrow` column than in its `wide` one, the change
    being more than the margin; the gap may stay open, or turn round.

    With `size`, they are less apart there, whichever is better: a gap that turns round has shrunk
    only by as much as its size has.
    """

    kind: Literal["gap_shrinks"]
    size: bool = False
    """Whether a gap is |left - right|."""


class Increasing(Ordered):
    """Every number of a sequence exceeds the one before, whichever numbers are better."""

    kind: Literal["increasing"]
    margin: Margin = 0.0


class Saturates(Ordered):
    """The last step of a sequence is within the margin."""

    kind: Literal["saturates"]
    margin: Margin = 1.0


class Within(Lists, Bounded):
    """Every number lies in [low, high]."""

    kind: Literal["within"]


class Correlation(ClaimBase, Bounded):
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
        for number in (self.low, self.high, self.value):
            if isinstance(number, float) and abs(number) > 1:
                raise ValueError(f"a correlation lies in [-1, 1], found {number:g}")
        return self


class ParameterDomain(ClaimBase, Bounded):
    """A parameter lies in the interval that its definition allows."""

    kind: Literal["parameter_domain"]
    value: Number
    low_open: bool = False
    high_open: bool = False

    def operands(self) -> Iterator[Operand]:
        """Every number that the claim is about."""
        yield self.value


class Slower(ClaimBase):
    """One quantity is at least `factor` times another, whichever numbers are better."""

    kind: Literal["slower"]
    slow: Number
    fast: Number
    factor: Annotated[FiniteFloat, Field(gt=0)]

    def operands(self) -> Iterator[Operand]:
        """Every number that the claim is about."""
        yield from (self.slow, self.fast)


class Times(ClaimBase):
    """A printed number is `factor` times another, as far as the rounding of all three tells."""

    kind: Literal["times"]
    number: Number
    of: Number
    factor: Number

    def operands(self) -> Iterator[Operand]:
        """Every number that the claim is about."""
        yield from (self.number, self.of, self.factor)


class Arithmetic(Two):
    """Printed differences left - right: each one (`printed`), or their smallest and largest.

    They may be those of the numbers before rounding: 12.5 and 10.1 may be 2.3 apart.
    """

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
            results = counted(len(self.printed), "result")
            raise ValueError(f"{results} for {counted(len(self.pairs()), 'difference')}")
        small, large = self.smallest, self.largest
        # As far as their digits tell: 1.0 and 0.95 may both be 0.953.
        if small and large and Unit.of(small) == Unit.of(large):
            reach = small.rounding + large.rounding
            if small.number - large.number > reach:
                raise ValueError(f"'smallest' = {small} is above 'largest' = {large}")
        return self


class ParameterCount(ClaimBase):
    """A printed count (`411K`, `11M`) is the rounded count of a network's parameters.

    Final zeros may be rounding: `60M` may stand for any count from 55M to 65M.
    """

    kind: Literal["parameter_count"]
    printed: PrintedNumber
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
    | GapShrinks
    | Increasing
    | Saturates
    | Within
    | Correlation
    | ParameterDomain
    | Slower
    | Times
    | Arithmetic
    | ParameterCount,
    Field(discriminator="kind"),
]


def about_print(claim: Claim) -> bool:
    """Whether a claim is about what the paper prints, so that no result can bear on it."""
    return isinstance(claim, Equal | Times | Arithmetic | ParameterCount)


def addresses(claim: Claim) -> tuple[str, ...]:
    """The addresses that a claim refers to, in order, each once."""
    return tuple(dict.fromkeys(item for item in claim.operands() if isinstance(item, str)))


class ClaimsFile(SpecModel):
    """`claims.toml`: all claims, as `[[claims]]`."""

    claims: tuple[Claim, ...] = ()

    @model_validator(mode="after")
    def _distinct(self) -> ClaimsFile:
        check_distinct("claims", [claim.id for claim in self.claims], "id")
        return self
