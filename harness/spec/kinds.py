"""The kinds of exhibit: one entry for each says how it is read, planned and shown.

Nothing else asks for the kind of an exhibit. A further kind is one more entry: by `register`, or
as an entry point of the group `repro.kinds` of an installed distribution, which names an
`ExhibitKind`.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.registry import Registry
from harness.spec.exhibit import Exhibit, Table
from harness.spec.others import Figure, Fit, Lemma, SettingsTable


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
