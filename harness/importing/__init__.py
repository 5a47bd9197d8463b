"""Tables of a paper, read out of the sources that its authors have."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from harness.errors import UserError, nearest
from harness.importing.model import Sources

_READERS = {
    ".tex": ("latex", "read_latex"),
    ".md": ("markup", "read_markdown"),
    ".markdown": ("markup", "read_markdown"),
    ".html": ("markup", "read_html"),
    ".htm": ("markup", "read_html"),
    ".csv": ("separated", "read_separated"),
    ".tsv": ("separated", "read_separated"),
}


def read_tables(path: Path) -> Sources:
    """All tables of a LaTeX, Markdown, HTML or CSV file, told apart by the file's ending.

    Raises:
        UserError: the file cannot be read, or is of another kind.
    """
    kind = path.suffix.lower()
    if kind not in _READERS:
        raise UserError(f"{path}: no reader for '{kind}' files; {nearest(kind, _READERS)}")
    module, function = _READERS[kind]
    try:
        reader = getattr(import_module(f"harness.importing.{module}"), function)
    except ModuleNotFoundError as error:
        extra = "pip install 'repro-harness[latex]'"
        raise UserError(f"reading {path} needs '{error.name}', which comes with: {extra}") from None
    found: Sources = reader(path)
    return found
