"""Writing exhibits to the build folder of a project."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.errors import UserError
from harness.judge.exhibit import Judgement
from harness.plan.settings import Variation
from harness.render.views import view_of
from harness.study.project import Project


def write_renders(project: Project, judgement: Judgement, variation: Variation) -> list[Path]:
    """Every file that shows one exhibit with what came back."""
    varied = [f"{name}={value}".replace(" ", "") for name, value in variation.items()]
    if judgement.plan.seeds:  # renders of other seeds never stand in the place of the usual ones
        varied.append(f"seeds={judgement.plan.seeds}")
    folder = project.build / "-".join([judgement.plan.profile.id, *varied])
    return view_of(project.paper, judgement.plan.exhibit).write(judgement, folder)


def write_reported(project: Project, names: Sequence[str]) -> list[Path]:
    """Tables as the paper prints them, in LaTeX and Markdown. Nothing is run.

    Args:
        names: exhibits; `all` is every table.

    Raises:
        UserError: an unknown name, or none of a table.
    """
    paper, folder = project.paper, project.build / "reported"
    named = [paper.exhibit(name) for name in names if name != "all"]
    chosen = paper.exhibits.values() if "all" in names else named
    files = [path for each in chosen for path in view_of(paper, each).write_reported(folder)]
    if not files:
        raise UserError(f"{', '.join(names)}: no table; only tables have printed cells")
    return files
