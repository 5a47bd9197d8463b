"""`repro new-paper`: a project to begin with, of one example or of a paper's own sources."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from harness.errors import UserError
from harness.formats.crate import CITATION, citation
from harness.importing import read_prose, read_tables
from harness.importing.write import quoted, short, telling, write_sentences, write_spec
from harness.render.templating import bracketed
from harness.spec.paper import FORMAT, PaperFile
from harness.spec.schema import files
from harness.spec.toml import read_spec
from harness.study.trust import trust

SKELETON = Path(__file__).parents[1] / "skeleton"
_HIDDEN = {"gitignore": ".gitignore", "github": ".github", "pyproject": "pyproject.toml"}
"""Files and folders that would be heeded here if they had their own names."""
_FILLED = ("README.md", "pyproject.toml", ".github/workflows/repro.yml", "paper/main.tex")
"""Templates, in which `<<name>>` and `<% if example %>` stand for what is known of the paper."""
_EXAMPLE = ("specs", "experiment", "tests")
"""Folders of the skeleton that hold its example."""
_PROFILE = "specs/profiles/paper.toml"
_CLAIMS = """\
# What the text says of these numbers, as [[claims]] that `repro verify` checks; docs/reference has
# their kinds. coverage.toml lists the sentences that wait for them.
"""


@dataclass(frozen=True)
class Begun:
    """A project that was written."""

    folder: Path
    tables: Sequence[str] = ()
    """The ids of the tables that were read from the paper's sources."""
    sentences: int = 0
    """Sentences with a number or a comparison that wait for claims."""
    unread: Sequence[str] = ()
    """What could not be read, with its place; nothing was guessed for it."""


def new_paper(folder: Path, sources: Sequence[Path] = ()) -> Begun:
    """Write a new project, and the schemas by which editors complete and check its specs.

    Args:
        sources: LaTeX, Markdown, HTML or CSV files whose tables and sentences become its specs;
            without any, it has an example that runs.

    Raises:
        UserError: the folder is not empty, a source cannot be read, or none holds a table.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"{folder}: not empty; name a new folder")
    name = re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.lower()).strip("-") or "my-paper"
    begun, specs = _read(folder, name, sources) if sources else (Begun(folder), {})
    unwanted = shutil.ignore_patterns("__pycache__", *(_EXAMPLE if sources else ()))
    shutil.copytree(SKELETON, folder, dirs_exist_ok=True, ignore=unwanted)
    for plain, hidden in _HIDDEN.items():
        (folder / plain).rename(folder / hidden)
    for path, text in {**files(), **specs}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    about = folder / "specs" / "paper.toml"
    about.write_text(
        about.read_text(encoding="utf-8").replace('"my-paper"', f'"{name}"'), encoding="utf-8"
    )
    cited = citation(read_spec(about, PaperFile))
    (folder / CITATION).write_text(cited, encoding="utf-8")
    _fill(folder, name, begun.tables)
    trust(folder.resolve())  # all of its code is the skeleton's, so far
    return begun


def _fill(folder: Path, name: str, tables: Sequence[str]) -> None:
    """Write what others need to run the project again; without tables it is the example."""
    environment = bracketed()
    facts = {
        "name": name,
        "version": version("repro-harness"),
        "example": not tables,
        "tables": tables or ["table1"],
    }
    for path in _FILLED:
        template = environment.from_string((folder / path).read_text(encoding="utf-8"))
        (folder / path).write_text(template.render(facts), encoding="utf-8")


def _read(folder: Path, name: str, sources: Sequence[Path]) -> tuple[Begun, dict[str, str]]:
    """The specs that a paper's sources give: path in the folder -> text."""
    read = [read_tables(path) for path in sources]
    prose = [read_prose(path) for path in sources]
    tables = [table for each in read for table in each.tables]
    unread = [str(missed) for each in read for missed in each.unread]
    if not tables:
        why = "; ".join(unread[:3]) or "there is none"
        raise UserError(f"{', '.join(map(str, sources))}: no table was read ({why})")
    sentences = [sentence for each in prose for sentence in each.sentences]
    title = next((each.title for each in prose if each.title), sources[0].stem)
    authors = next((each.authors for each in prose if each.authors), ())
    ids = [f"table{n}" for n in range(1, len(tables) + 1)]
    specs = {
        "specs/paper.toml": _about(name, title, authors, sources),
        "specs/claims.toml": _CLAIMS,
        "specs/coverage.toml": write_sentences(sentences),
        _PROFILE: (SKELETON / _PROFILE).read_text(encoding="utf-8"),
    }
    for number, table in enumerate(tables, 1):
        specs[f"specs/tables/table{number}.toml"] = write_spec(table, number)
    return Begun(folder, ids, len(telling(sentences)), unread), specs


def _about(name: str, title: str, authors: Sequence[str], sources: Sequence[Path]) -> str:
    unread = "" if authors else "  # not read from the sources; write them here, each as a string"
    return f"""\
format = {FORMAT}
id = {json.dumps(name)}
title = {quoted(short(title))}
authors = [{", ".join(quoted(short(author)) for author in authors)}]{unread}
venue = ""
source = {quoted(", ".join(path.name for path in sources))}
default_profile = "paper"
paper_profile = "paper"            # the profile that does exactly what the paper says

# What tables may bind, and what each of it names: a spec in the folder of that kind, or a plain
# value ("value").
[variables]
method = "method"
recipe = "recipe"
dataset = "dataset"
"""
