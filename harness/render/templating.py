"""Jinja templates for LaTeX: `<< value >>`, `<% block %>`, `<# comment #>`."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from harness.render import markdown
from harness.render.formula import as_latex
from harness.render.markup import runs
from harness.render.tex import escape, printed
from harness.render.text import plain

TEMPLATES = Path(__file__).parent / "templates"


def bracketed(**options: Any) -> Environment:
    """Templates of LaTeX and of other files that are full of braces: `<<name>>`, `<% if ... %>`."""
    return Environment(
        block_start_string="<%",
        block_end_string="%>",
        variable_start_string="<<",
        variable_end_string=">>",
        comment_start_string="<#",
        comment_end_string="#>",
        trim_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
        autoescape=False,  # LaTeX is escaped by the filters, not as HTML
        **options,
    )


@cache
def template(name: str, kind: str = "tex") -> Template:
    """The template `NAME.KIND.j2`. Texts pass its filter `tex`, and captions `prose`; in Markdown,
    texts pass `md`.
    """
    environment = bracketed(loader=FileSystemLoader(TEMPLATES), lstrip_blocks=True)
    environment.filters["tex"] = lambda text: as_latex(plain(text))
    environment.filters["printed"] = lambda text: printed(plain(text))
    environment.filters["prose"] = prose
    environment.filters["code"] = code
    environment.filters["md"] = lambda text: markdown.escape(" ".join(plain(text).split()))
    return environment.get_template(f"{name}.{kind}.j2")


def prose(text: str) -> str:
    """LaTeX source of a text with the markup of captions."""
    commands = {"": "%s", "bold": r"\textbf{%s}", "italic": r"\emph{%s}"}
    return "".join(commands[run.style] % escape(run.text) for run in runs(plain(text)))


def code(text: str) -> str:
    """LaTeX source of a name that may break after its hyphens, slashes and colons."""
    pieces = re.split(r"(?<=[-/:])(?=.)", plain(text))
    # A typewriter font has these signs of its own; their commands ask for a shape that it lacks.
    own = {r"\textbackslash{}": r"\char92{}", r"\{": r"\char123{}", r"\}": r"\char125{}"}
    escaped = [escape(piece) for piece in pieces]
    for command, sign in own.items():
        escaped = [piece.replace(command, sign) for piece in escaped]
    return r"\allowbreak{}".join(escaped)
