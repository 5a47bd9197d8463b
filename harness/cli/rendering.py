"""Writing renders to files, and printing tables and claims."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from harness.cli.exhibits import Judgement
from harness.cli.output import console
from harness.cli.project import Project
from harness.plan.identity import digest, source_digest
from harness.plan.settings import Variation
from harness.render import figure as figure_module
from harness.render import table as render_table
from harness.render.exhibit import figure_of, judged_table, reported_table
from harness.render.settings import settings_table
from harness.spec.exhibit import Table
from harness.spec.others import SettingsTable
from harness.spec.paper import Paper

KINDS = ("tex", "md", "pdf", "png", "csv")


def write_renders(project: Project, judgement: Judgement, variation: Variation) -> list[Path]:
    """LaTeX, Markdown, plot and plotted numbers of one table; written anew only if they changed."""
    from harness.render import latex, markdown

    table, profile = judgement.plan.exhibit, judgement.plan.profile.id
    varied = [f"{name}={value}".replace(" ", "") for name, value in variation.items()]
    folder = project.build / "-".join([profile, *varied])
    model = judged_table(table, judgement.results, judgement.verdicts, profile)
    figure = figure_of(table, judgement.results, profile)
    files = [folder / f"{table.id}.{kind}" for kind in KINDS]
    code = source_digest(Path(figure_module.__file__).parent)
    made_from = digest("render", [code, _plain(asdict(model)), _plain(asdict(figure))])
    stamp = folder / f"{table.id}.digest"
    if _read(stamp) == made_from and all(path.is_file() for path in files):
        return files
    from harness.render import plot

    folder.mkdir(parents=True, exist_ok=True)
    files[0].write_text(latex.render(model, "both"), encoding="utf-8")
    files[1].write_text(markdown.render(model, "both"), encoding="utf-8")
    plot.save(figure, folder)
    stamp.write_text(made_from, encoding="utf-8")
    return files


def printed(paper: Paper, table: Table | SettingsTable) -> render_table.Table:
    """A table as the paper prints it."""
    return reported_table(table) if isinstance(table, Table) else settings_table(paper, table)


def write_reported(project: Project, table: Table | SettingsTable) -> list[Path]:
    """The table as the paper prints it, in LaTeX and Markdown. Nothing is run."""
    from harness.render import latex, markdown

    folder = project.build / "reported"
    folder.mkdir(parents=True, exist_ok=True)
    model = printed(project.paper, table)
    files = [folder / f"{table.id}.{kind}" for kind in ("tex", "md")]
    files[0].write_text(latex.render(model, "reported"), encoding="utf-8")
    files[1].write_text(markdown.render(model, "reported"), encoding="utf-8")
    return files


def print_table(judgement: Judgement) -> None:
    from harness.render import terminal

    plan = judgement.plan
    model = judged_table(plan.exhibit, judgement.results, judgement.verdicts, plan.profile.id)
    terminal.show(model, "both", console())


def print_claims(claims: Sequence[Mapping[str, Any]]) -> None:
    from harness.render.claims import ClaimRow, show

    keys = ("id", "text", "where", "expect", "reported", "reproduced", "profile")
    show([ClaimRow(**{key: claim[key] for key in keys}) for claim in claims], console())


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def _plain(value: Any) -> Any:
    """Tuples as lists, for a digest."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
