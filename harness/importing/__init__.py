"""Tables of a paper, read out of the sources that its authors have."""

from __future__ import annotations

from pathlib import Path

from harness.errors import UserError, nearest
from harness.importing.model import Sources


def read_tables(path: Path) -> Sources:
    """All tables of a LaTeX, Markdown, HTML or CSV file, told apart by the file's ending.

    Raises:
        UserError: the file cannot be read, or is of another kind.
    """
    kind = path.suffix.lower()
    if kind == ".tex":
        from harness.importing.latex import read_latex

        return read_latex(path)
    if kind in (".md", ".markdown"):
        from harness.importing.markup import read_markdown

        return read_markdown(path)
    if kind in (".html", ".htm"):
        from harness.importing.markup import read_html

        return read_html(path)
    if kind in (".csv", ".tsv"):
        from harness.importing.separated import read_separated

        return read_separated(path)
    known = (".tex", ".md", ".html", ".csv", ".tsv")
    raise UserError(f"{path}: no reader for '{kind}' files; {nearest(kind, known)}")
