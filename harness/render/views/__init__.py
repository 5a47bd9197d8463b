"""How exhibits are shown: a view for each kind, found through the registry of kinds."""

from __future__ import annotations

from typing import Any

from harness.registry import resolve
from harness.render.views.base import ExhibitView
from harness.spec.exhibit import Exhibit
from harness.spec.kinds import kinds
from harness.spec.paper import Paper


def view_of(paper: Paper, exhibit: Exhibit) -> ExhibitView[Any]:
    """The view that the kind of an exhibit names; the base class where it names none."""
    dotted = kinds()[exhibit.kind].view
    view = resolve(dotted) if dotted else ExhibitView
    return view(paper, exhibit)
