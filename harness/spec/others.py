"""Exhibits that are not tables of results: tables of settings, figures, fits and lemmas."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, model_validator

from harness.errors import UserError, nearest
from harness.spec.base import (
    AddressPart,
    Bound,
    Label,
    Misplaced,
    Name,
    SpecModel,
    check_distinct,
)
from harness.spec.bindings import check_panels
from harness.spec.exhibit import Exhibit, Readings
from harness.spec.runs import Counterpart, Panel
from harness.spec.setting import Setting, Written
from harness.spec.toml import located

if TYPE_CHECKING:
    from harness.spec.paper import Paper


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

    def check(self, paper: Paper, path: Path) -> None:
        for index, column in enumerate(self.columns):
            try:
                paper.owner(column.owner)
            except UserError as error:
                raise located(path, ["columns", index, "owner"], str(error)) from None


class Panelled(Exhibit):
    """An exhibit made of panels, each with what is run and drawn for it."""

    settings: Mapping[str, Written] = {}
    """Its own choices: what is measured, on how many subsets, how it is judged."""
    panels: tuple[Panel, ...] = ()

    @model_validator(mode="after")
    def _one_of_each(self) -> Panelled:
        check_distinct("panels", [panel.name for panel in self.panels])
        for key, item in self.stated.items():
            if item.ours:
                _check_ours(item.ours, self.panels, "stated", key, "ours")
        for key, ours in self.unprinted.items():
            _check_ours(ours, self.panels, "unprinted", key)
        return self

    @property
    def runnable(self) -> bool:
        return any(panel.runs for panel in self.panels)

    @property
    def own_settings(self) -> Mapping[str, Setting]:
        return self.settings

    def readings(self, row: str, column: str = "") -> Readings:
        panel = next(panel for panel in self.panels if panel.name == row)
        return Readings(panel.values, panel.plots, panel.gallery)

    def check(self, paper: Paper, path: Path) -> None:
        check_panels(paper, path, self)


def _check_ours(ours: Counterpart, panels: tuple[Panel, ...], *keys: str) -> None:
    """A stated number may only stand beside what its panel gives."""
    found = {panel.name: panel for panel in panels}
    if ours.panel not in found:
        message = f"unknown panel '{ours.panel}'; {nearest(ours.panel, found)}"
        raise Misplaced(message, *keys, "panel")
    panel = found[ours.panel]
    known = [value.name for value in panel.values]
    if ours.value and ours.value not in known:
        raise Misplaced(
            f"unknown value '{ours.value}'; {nearest(ours.value, known)}", *keys, "value"
        )
    if ours.correlation and not any(plot.correlation for plot in panel.plots):
        message = f"no plot of panel '{ours.panel}' has a correlation"
        raise Misplaced(message, *keys, "correlation")


class Figure(Panelled):
    """A figure: what it plots, and the numbers that its caption or the text give."""

    kind: Literal["figure"]
    panels: Annotated[tuple[Panel, ...], Field(min_length=1)]


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


class Fit(Panelled):
    """A law that is fitted to measurements."""

    kind: Literal["fit"]
    equations: Mapping[str, str]
    """Number of the equation -> its LaTeX."""
    parameters: Mapping[str, Parameter]
    bind: Mapping[str, Bound] = {}

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


class Lemma(Panelled):
    """A derivation, step by step."""

    kind: Literal["lemma"]
    assumption: str
    statement: str
    steps: Mapping[str, str]
    """Name of the step -> its LaTeX."""
