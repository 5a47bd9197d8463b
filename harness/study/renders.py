"""Writing exhibits to files: LaTeX, Markdown, plots and plotted numbers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from harness.errors import UserError
from harness.plan.identity import digest, source_digest
from harness.plan.settings import Variation
from harness.render import points, templating
from harness.render import table as render_table
from harness.render.exhibit import figure_of, judged_table, reported_table
from harness.render.settings import settings_table
from harness.spec.exhibit import Table
from harness.spec.others import SettingsTable
from harness.spec.paper import Paper
from harness.study.exhibits import Judgement
from harness.study.points import PointsJudgement
from harness.study.project import Project

KINDS = ("tex", "md", "pdf", "png", "csv")
FIGURE_KINDS = ("svg", "pdf", "png", "csv")


def write_renders(
    project: Project, judgement: Judgement | PointsJudgement, variation: Variation
) -> list[Path]:
    """Everything that shows one exhibit with what came back; written anew only if it changed."""
    varied = [f"{name}={value}".replace(" ", "") for name, value in variation.items()]
    folder = project.build / "-".join([judgement.plan.profile.id, *varied])
    if isinstance(judgement, PointsJudgement):
        return _write_points(project, judgement, folder)
    return _write_table(judgement, folder)


def _write_table(judgement: Judgement, folder: Path) -> list[Path]:
    """LaTeX, Markdown, plot and plotted numbers of a table."""
    from harness.render import latex, markdown

    table, profile = judgement.plan.exhibit, judgement.plan.profile.id
    model = judged_table(table, judgement.results, judgement.verdicts, profile)
    figure = figure_of(table, judgement.results, profile)
    files = [folder / f"{table.id}.{kind}" for kind in KINDS]
    with _if_changed(folder / f"{table.id}.digest", files, model, figure) as changed:
        if changed:
            from harness.render.figures import draw

            files[0].write_text(latex.render(model, "both"), encoding="utf-8")
            files[1].write_text(markdown.render(model, "both"), encoding="utf-8")
            draw.save(figure, folder, KINDS[2:])
    return files


def _write_points(project: Project, judgement: PointsJudgement, folder: Path) -> list[Path]:
    """Plots and plotted numbers of a figure, a fit or a lemma; nothing where no point is there."""
    plan = judgement.plan
    figure = points.figure_of(project.paper, plan, judgement.results, judgement.correlated)
    if figure.is_empty:
        return []
    files = [folder / f"{figure.id}.{kind}" for kind in FIGURE_KINDS]
    with _if_changed(folder / f"{figure.id}.digest", files, figure) as changed:
        if changed:
            from harness.render.figures import draw

            draw.save(figure, folder)
    return files


@contextmanager
def _if_changed(stamp: Path, files: Sequence[Path], *models: Any) -> Iterator[bool]:
    """Whether files have to be written, for which the folder is made; then remember them."""
    code = source_digest(Path(templating.__file__).parent)
    made_from = digest("render", [code, *(_plain(asdict(model)) for model in models)])
    changed = _read(stamp) != made_from or not all(path.is_file() for path in files)
    if changed:
        stamp.parent.mkdir(parents=True, exist_ok=True)
    yield changed
    if changed:
        stamp.write_text(made_from, encoding="utf-8")


def printed(paper: Paper, table: Table | SettingsTable) -> render_table.Table:
    """A table as the paper prints it."""
    return reported_table(table) if isinstance(table, Table) else settings_table(paper, table)


def write_reported(project: Project, names: Sequence[str]) -> list[Path]:
    """Tables as the paper prints them, in LaTeX and Markdown. Nothing is run.

    Args:
        names: exhibits; `all` is every table.

    Raises:
        UserError: an unknown name, or none of a table.
    """
    known = project.paper.exhibits
    named = [project.paper.exhibit(name) for name in names if name != "all"]
    chosen = known.values() if "all" in names else named
    tables = [exhibit for exhibit in chosen if isinstance(exhibit, Table | SettingsTable)]
    if not tables:
        raise UserError(f"{', '.join(names)}: no table; only tables have printed cells")
    return [path for table in tables for path in _write_reported(project, table)]


def _write_reported(project: Project, table: Table | SettingsTable) -> list[Path]:
    from harness.render import latex, markdown

    folder = project.build / "reported"
    folder.mkdir(parents=True, exist_ok=True)
    model = printed(project.paper, table)
    files = [folder / f"{table.id}.{kind}" for kind in ("tex", "md")]
    files[0].write_text(latex.render(model, "reported"), encoding="utf-8")
    files[1].write_text(markdown.render(model, "reported"), encoding="utf-8")
    return files


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def _plain(value: Any) -> Any:
    """Tuples as lists, and bytes by their digest, for a digest."""
    if isinstance(value, bytes):
        return hashlib.sha256(value).hexdigest()
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
