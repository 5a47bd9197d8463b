"""Exhibits that are not tables of results: tables of settings, figures, fits and lemmas."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import model_validator

from harness.errors import nearest
from harness.spec.base import AddressPart, Label, Misplaced, Name, Scalar, SpecModel
from harness.spec.exhibit import Exhibit


class SettingsColumn(SpecModel):
    """A column of a table of settings: one recipe or method."""

    name: AddressPart
    label: Label
    group: str = ""
    owner: Name
    """The recipe or method whose settings it prints."""


class SettingsRow(SpecModel):
    """A row of a table of settings: one hyperparameter."""

    name: AddressPart
    label: Label
    setting: str


class SettingsTable(Exhibit):
    """A table of hyperparameters, rendered from the very recipes that the runs use."""

    kind: Literal["settings"]
    stub: str = ""
    transposed: bool = False
    columns: tuple[SettingsColumn, ...]
    rows: tuple[SettingsRow, ...]


class Panel(SpecModel):
    """One plot of a figure."""

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
    """What the paper does not say about it."""


class Figure(Exhibit):
    """A figure: what it plots, and the numbers that its caption or the text give."""

    kind: Literal["figure"]
    panels: tuple[Panel, ...]


class Grid(SpecModel):
    """An evenly spaced search grid that a value may have been read from."""

    low: float
    high: float
    points: int
    origin: str


class Relation(SpecModel):
    """How an equation gives one parameter by another.

    `half_life`: (1/2)^(1/other), the share that is left of something after one unit of time if
    half of it is left after `other` units.
    """

    kind: Literal["half_life"]
    of: str
    """The other parameter."""


class Parameter(SpecModel):
    """A symbol of an equation, and where its values can lie."""

    meaning: str
    low: float | None = None
    high: float | None = None
    """Open bounds, as the equation itself gives them."""
    derivation: str = ""
    """How the equation gives the bounds."""
    sign: Literal["positive", "negative", "any"] = "any"
    grids: tuple[Grid, ...] = ()
    relation: Relation | None = None


class Fit(Exhibit):
    """A law that is fitted to measurements."""

    kind: Literal["fit"]
    equations: Mapping[str, str]
    """Number of the equation -> its LaTeX."""
    parameters: Mapping[str, Parameter]
    bind: Mapping[str, Scalar] = {}

    @model_validator(mode="after")
    def _known_parameters(self) -> Fit:
        named = [(i.parameter, ("stated", key)) for key, i in self.stated.items() if i.parameter]
        for key, item in self.parameters.items():
            if item.relation:
                named.append((item.relation.of, ("parameters", key)))
        for name, keys in named:
            if name not in self.parameters:
                message = f"unknown parameter '{name}'; {nearest(name, self.parameters)}"
                raise Misplaced(message, *keys)
        return self


class Lemma(Exhibit):
    """A derivation, step by step."""

    kind: Literal["lemma"]
    assumption: str
    statement: str
    steps: Mapping[str, str]
    """Name of the step -> its LaTeX."""
