"""The panels of an exhibit: the steps that are run, the values that are read, how they are drawn.

A point stands on the same things as a cell: a method's images, and recipes that start from them.
What measures the images (a loss, a curve, a fit) is a recipe too, so its choices are settings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import prod
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from harness.spec.base import (
    MOST_NUMBERS,
    AddressPart,
    Bound,
    Label,
    Misplaced,
    Name,
    Replicate,
    Seeds,
    SpecModel,
    StepTemplate,
    check_known,
)

Values = Annotated[tuple[Bound, ...], Field(min_length=1)]
Reference = Annotated[str, StringConstraints(pattern=r"^\{[a-z][a-z0-9_]*\}$")]
Adjustment = Literal["plain", "partial", "within"]
"""How a rank correlation takes account of a third variable: not at all, by partial correlation of
ranks, or as the mean of the coefficients within each of its values."""


class Runs(SpecModel):
    """One point for each combination of values, and the steps of each."""

    bind: Mapping[str, Bound] = {}
    """Variables that all points share."""
    over: Mapping[str, Values | Reference] = {}
    """Variable -> the values it takes, or `{setting}` for a setting of the exhibit that lists
    them."""
    images: tuple[StepTemplate, ...] = ()
    """Steps that change the method's images before they are measured; the last one gives the images
    in their place."""
    steps: tuple[StepTemplate, ...] = ()
    """Further steps. Their inputs may name `{images}`, which are those of the variable `method`;
    `{variable}` of a variable that names another method, its images; and of one that names a
    recipe, the last step of that recipe on `{images}`."""
    seeds: Seeds | None = None
    """Student seeds of a point, how many or a list of them, where the profile's are not meant. With
    `--seeds N`, the first N of the list are taken; where it has fewer, the lowest others follow."""
    replicate: Replicate | None = None
    """What is done again for each seed; as the profile says if left out."""

    @model_validator(mode="after")
    def _bounded(self) -> Runs:
        points = prod(len(values) for values in self.over.values() if not isinstance(values, str))
        if points > MOST_NUMBERS:
            message = f"{points} points; expected at most {MOST_NUMBERS}"
            raise Misplaced(f"{message}; split them into panels", "over")
        return self


class Reading(SpecModel):
    """A number or an array that is read from a step's record: offset + scale x value."""

    of: Label
    """Id of one of the further steps, or a variable that names a recipe: its last step."""
    value: Label
    """A value of the record, or an array."""
    column: Annotated[int, Field(ge=0)] | None = None
    """Column of an array with two dimensions."""
    scale: float = 1.0
    offset: float = 0.0
    at: int | None = None
    """Place in the array, from 0, or from its end where negative."""


class Quantity(Reading):
    """A number that is shown of every point."""

    name: AddressPart
    low: str = ""
    high: str = ""
    """Values of the same record that are the ends of its 95 % interval."""
    deterministic: bool = False
    """Whether no run can give another number, so that a single one tells all."""
    searched: Annotated[tuple[float, ...], Field(min_length=2, max_length=2)] | None = None
    """Ends of the search that gives it, which it cannot pass. A claim that holds all over it is not
    tested by the result."""


class Axis(SpecModel):
    label: Label
    log: bool = False


class Series(SpecModel):
    """Drawn for every point: a marker where numbers are read, a line where arrays are."""

    x: Reading
    y: Reading
    label: str = ""
    """In the legend, where a plot has several."""
    style: Literal["solid", "dashed", "markers"] = "solid"


class RankCorrelation(SpecModel):
    """That the points of a plot are judged by a rank correlation."""

    size: Name
    """The variable to account for. Points are resampled within its values."""
    same: tuple[Name, ...] = ()
    """Variables whose values make other points of the same images; those are resampled as one."""
    worst_left_out: float | Reference = 0.0
    """Share of the points of each size that is left out, those of the largest y."""


class Plot(SpecModel):
    """One pair of axes."""

    name: AddressPart
    x: Axis
    y: Axis
    series: Annotated[tuple[Series, ...], Field(min_length=1)]
    colour: str = ""
    """The variable that colours and markers tell apart; without it, the points are."""
    correlation: RankCorrelation | None = None


class Gallery(SpecModel):
    """Pictures to look at: a row for each point, those of a first seed."""

    pictures: Reading
    """An array uint8 (pictures, height, width, 1 or 3)."""
    title: str
    """The title over them; `{setting}` for a setting of the exhibit."""


class Counterpart(SpecModel):
    """One of our numbers: a quantity of points, or a correlation."""

    panel: AddressPart
    value: str = ""
    """A quantity of the panel: its mean over the points."""
    where: Mapping[str, Values] = {}
    """Which points: variable of the paper -> values."""
    correlation: Adjustment | Reference | None = None
    """Or the correlation that the panel's plot is judged by."""

    @model_validator(mode="after")
    def _one(self) -> Counterpart:
        if bool(self.value) == (self.correlation is not None):
            raise ValueError("expected either 'value' or 'correlation'")
        return self


class Ours(Counterpart):
    """Which of our numbers stands beside a stated one."""

    margin: Annotated[float, Field(gt=0)]
    """Differences up to this count as none; declared before any result is seen."""
    at_least: bool = False
    """Whether the paper says 'at least', so that more is no deviation."""


class Panel(SpecModel):
    """One part of a figure, a fit or a lemma: what the paper shows, and what is run for it."""

    name: AddressPart
    shows: str
    x: str = ""
    y: str = ""
    datasets: tuple[Name, ...] = ()
    networks: tuple[Name, ...] = ()
    methods: tuple[Name, ...] = ()
    regimes: tuple[str, ...] = ()
    ipcs: tuple[int, ...] = ()
    epochs: tuple[int, ...] = ()
    points: int | None = None
    """Number of points, where the paper states it."""
    open: tuple[str, ...] = ()
    """Details that the paper leaves open."""
    runs: Runs | None = None
    """Nothing is run for a panel without."""
    values: tuple[Quantity, ...] = ()
    plots: tuple[Plot, ...] = ()
    gallery: Gallery | None = None

    @model_validator(mode="after")
    def _drawn(self) -> Panel:
        if (self.runs is None) != (not self.values and not self.plots and not self.gallery):
            raise ValueError(
                "a panel has 'plots', 'values' or a 'gallery' exactly when it has 'runs'"
            )
        if self.runs is not None:
            for keys, name in self._variables():
                known = {*self.runs.bind, *self.runs.over}
                check_known("variable", name, known, *keys)
        return self

    def _variables(self) -> Iterator[tuple[tuple[int | str, ...], str]]:
        """Variables that plots tell points apart by, with their places."""
        for index, plot in enumerate(self.plots):
            if plot.colour:
                yield ("plots", index, "colour"), plot.colour
            if plot.correlation:
                yield ("plots", index, "correlation", "size"), plot.correlation.size
                for name in plot.correlation.same:
                    yield ("plots", index, "correlation", "same"), name

    @property
    def readings(self) -> Iterator[tuple[tuple[int | str, ...], Reading]]:
        """All that is read from records, with its place in this panel."""
        for index, value in enumerate(self.values):
            yield ("values", index), value
        for at, plot in enumerate(self.plots):
            for index, series in enumerate(plot.series):
                yield ("plots", at, "series", index, "x"), series.x
                yield ("plots", at, "series", index, "y"), series.y
        if self.gallery:
            yield ("gallery", "pictures"), self.gallery.pictures
