"""Tables and sentences of a paper, read out of the sources that its authors have."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from harness.errors import UserError
from harness.importing.model import Prose, Sources

_READERS = {
    ".tex": ("latex", "read_latex"),
    ".md": ("markup", "read_markdown"),
    ".markdown": ("markup", "read_markdown"),
    ".html": ("markup", "read_html"),
    ".htm": ("markup", "read_html"),
    ".csv": ("separated", "read_separated"),
    ".tsv": ("separated", "read_separated"),
}


_PROSE = {
    ".tex": ("prose", "latex_prose"),
    ".md": ("prose", "markdown_prose"),
    ".markdown": ("prose", "markdown_prose"),
    ".html": ("markup", "html_prose"),
    ".htm": ("markup", "html_prose"),
}


def read_tables(path: Path) -> Sources:
    """All tables of a LaTeX, Markdown, HTML or CSV file, told apart by the file's ending.

    Raises:
        UserError: the file cannot be read, or is of another kind.
    """
    kind = path.suffix.lower()
    if kind not in _READERS:
        raise UserError(f"{path}: no reader for '{kind}' files, only for {', '.join(_READERS)}")
    found: Sources = _read(path, *_READERS[kind])
    return found


def read_prose(path: Path) -> Prose:
    """The sentences of a LaTeX, Markdown or HTML file, and what cites what; none of other kinds.

    Raises:
        UserError: the file cannot be read.
    """
    how = _PROSE.get(path.suffix.lower())
    found: Prose = Prose(()) if how is None else _read(path, *how)
    return found


def _read(path: Path, module: str, function: str) -> Any:
    try:
        reader = getattr(import_module(f"harness.importing.{module}"), function)
    except ModuleNotFoundError as error:
        extra = "pip install 'repro-harness[latex]'"
        raise UserError(f"reading {path} needs '{error.name}', which comes with: {extra}") from None
    try:
        return reader(path)
    except RecursionError:
        raise UserError(f"{path}: braces or tags are nested too deep to be read") from None
