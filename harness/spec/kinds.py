"""The kinds of exhibit: one entry for each says how it is read, planned and shown.

Those that are not tables of results stand here too: tables of settings, figures, fits and lemmas.

Nothing else asks for the kind of an exhibit. A further kind is one more entry: by `register`, or
as an entry point of the group `repro.kinds` of an installed distribution, which names an
`ExhibitKind`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, model_validator

from harness.errors import UserError
from harness.registry import Registry
from harness.spec.base import (
    AddressPart,
    Bound,
    Label,
    Misplaced,
    Name,
    SpecModel,
    check_distinct,
    check_known,
)
from harness.spec.bindings import check_panels
from harness.spec.exhibit import Exhibit, Readings, Table
from harness.spec.parts import Setting, Written
from harness.spec.runs import Counterpart, Panel
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
    check_known("panel", ours.panel, found, *keys, "panel")
    panel = found[ours.panel]
    known = [value.name for value in panel.values]
    if ours.value:
        check_known("value", ours.value, known, *keys, "value")
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
            check_known("parameter", name, self.parameters, *keys)
        return self


class Lemma(Panelled):
    """A derivation, step by step."""

    kind: Literal["lemma"]
    assumption: str
    statement: str
    steps: Mapping[str, str]
    """Name of the step -> its LaTeX."""


@dataclass(frozen=True)
class ExhibitKind:
    """How exhibits of one kind are read, planned and shown."""

    name: str
    """The `kind` that the TOML says."""
    folder: str
    """Folder of the specs, beside `paper.toml`."""
    model: type[Exhibit]
    items: str = ""
    """`package.module:function` that takes the exhibit and a `plan.exhibit.Planner` and gives the
    items of its plan. Empty: nothing is ever run for it."""
    view: str = ""
    """`package.module:Class`, an `ExhibitView` that shows it. Empty: its caption and the numbers
    that the paper states are shown."""


_CELLS = "harness.plan.items:cell_items"
_PANELS = "harness.plan.items:panel_items"
_VIEWS = "harness.render.views"
_BUILT_IN = (
    ExhibitKind("table", "tables", Table, _CELLS, f"{_VIEWS}.table:TableView"),
    ExhibitKind("settings", "tables", SettingsTable, view=f"{_VIEWS}.settings:SettingsView"),
    ExhibitKind("figure", "figures", Figure, _PANELS, f"{_VIEWS}.panels:FigureView"),
    ExhibitKind("fit", "fits", Fit, _PANELS, f"{_VIEWS}.panels:FitView"),
    ExhibitKind("lemma", "lemmas", Lemma, _PANELS, f"{_VIEWS}.panels:LemmaView"),
)
_KINDS = Registry("repro.kinds", _BUILT_IN)
register, kinds, find_kind = _KINDS.register, _KINDS.known, _KINDS.find
