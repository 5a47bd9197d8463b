"""A table as LaTeX that compiles wherever booktabs is loaded."""

from __future__ import annotations

import re
from collections.abc import Callable

from harness.render.fitting import LABEL, Fit, fitted, in_column, is_prose
from harness.render.formula import as_latex
from harness.render.layout import (
    NUMBER,
    CellText,
    Heading,
    Line,
    TableLayout,
    View,
    lay_out,
    lead_width,
    lead_widths,
    spans,
)
from harness.render.markup import captioned
from harness.render.symbols import Symbol
from harness.render.table import TableData
from harness.render.templating import template
from harness.render.tex import escape, printed


def render(table: TableData, view: View) -> str:
    """A `table` environment for each page: caption, label, tabulars, and at last legend and notes.

    It is `table*`, across both columns of a document that has two, where one of them is too small.

    The printed number is kept (Table 7 stays Table 7 wherever it is put), and a table that has none
    goes by its label alone, not by LaTeX's count. `fitting` says what becomes of a table that is
    wider or higher than a page; one that nothing helps is left as wide as it is, so that LaTeX
    warns of it.
    """
    layout = lay_out(table, view, formulas=True)
    fit, pages = fitted(layout)
    number = re.fullmatch(r"Table ([A-Za-z0-9.]+)", layout.label)
    return template("table").render(
        layout=layout,
        size=fit.size,
        gap=fit.between(layout),
        environment="table" if in_column(pages, fit) else "table*",
        pages=[[_part(part, fit) for part in page] for page in pages],
        number=number[1] if number else "",
        caption=captioned(layout.title, layout.caption),
        anchor=re.sub(r"[^A-Za-z0-9:.-]", "-", table.id),
        legend=[(_superscript((symbol,)), symbol.meaning) for symbol in layout.legend],
    )


def _part(layout: TableLayout, fit: Fit) -> dict[str, object]:
    """One tabular."""
    return {
        "columns": _columns(layout, fit),
        "headers": layout.headers,
        "spanners": spans(layout.groups) if any(layout.groups) else (),
        "body": _body(layout, fit),
    }


def _body(layout: TableLayout, fit: Fit) -> list[dict[str, object]]:
    """The rows as the template wants them: a kind, and source that is already escaped."""
    number = _number_setter(layout, fit)
    rows: list[dict[str, object]] = []
    for item in layout.body:
        if isinstance(item, Heading):
            rows.append({"kind": "heading", "text": as_latex(item.text)})
            continue
        entries = [_entry(entry, at, number, fit) for at, entry in enumerate(item.entries)]
        rows.append(
            {
                "kind": "below" if item.below else "line",
                "label": _label(item),
                "entries": entries,
            }
        )
    return rows


def _label(line: Line) -> str:
    label = _prose(line.label, LABEL)
    indent = r"\quad " * (line.grouped + line.below)
    return indent + (rf"\textit{{{label}}}" if line.below else label)


def _entry(entry: CellText, at: int, number: Callable[[CellText, int], str], fit: Fit) -> str:
    if NUMBER.fullmatch(entry.text):
        return number(entry, at)
    plain = " ".join(filter(None, (entry.text, entry.derived)))
    source = _paragraph(_shown(entry), len(plain), fit.prose)
    return (source or "--") + _superscript(entry.signs) if entry.signs else source


def _shown(entry: CellText) -> str:
    text = printed(entry.text)
    text = rf"\underline{{{text}}}" if entry.underline else text
    text = rf"\textbf{{{text}}}" if entry.bold else text
    return " ".join(filter(None, (text, escape(entry.derived))))


def _number_setter(layout: TableLayout, fit: Fit) -> Callable[[CellText, int], str]:
    """Set numbers in centred columns with invisible padding, so that their points align."""
    leads = list(lead_widths(layout))
    tails = [
        max((_tail(line.entries[at]) for line in layout.lines), key=len, default="")
        for at in range(len(layout.headers))
    ]
    for at in range(len(layout.headers)):
        if is_prose(layout, at, fit):
            leads[at], tails[at] = 0, ""  # numbers begin where the texts do

    def number(entry: CellText, at: int) -> str:
        lead = "0" * (leads[at] - lead_width(entry.text))
        missing = tails[at][len(_tail(entry)) :]
        # A sign hangs in the gap, so that the number stays in line with those that have none.
        sign = rf"\rlap{{{_superscript(entry.signs)}}}" if entry.signs else ""
        return _phantom(lead) + _shown(entry) + sign + _phantom(escape(missing))

    return number


def _tail(entry: CellText) -> str:
    """The part of a number after its mean: spread and printed difference."""
    match = NUMBER.fullmatch(entry.text)
    parts = ((match["spread"] or "").strip(), entry.derived) if match else ()
    return "".join(f" {part}" for part in parts if part)


def _phantom(source: str) -> str:
    return rf"\phantom{{{source}}}" if source else ""


def _superscript(signs: tuple[Symbol, ...]) -> str:
    return "$^{" + "".join(sign.tex for sign in signs) + "}$"


def _prose(text: str, limit: int) -> str:
    """Text on one line up to `limit` characters, above that as a paragraph of that width."""
    return _paragraph(as_latex(text), len(text), limit)


def _paragraph(source: str, length: int, limit: int) -> str:
    if length <= limit:
        return source
    return rf"\parbox[t]{{{limit / 2:g}em}}{{\raggedright {source}\strut}}"


def _columns(layout: TableLayout, fit: Fit) -> str:
    """Column types: centred, but to the left where a text is set as a paragraph."""
    kinds = ("l" if is_prose(layout, at, fit) else "c" for at in range(len(layout.headers)))
    # Signs hang to the right of the last column; without any, the rules end with the numbers.
    return "@{}l" + "".join(kinds) + ("" if layout.legend else "@{}")
