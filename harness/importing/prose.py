"""Sentences of a paper's sources with the lines where they begin, and what cites what."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from harness.importing.latex import GRIDS
from harness.importing.model import Place, Prose, Sentence
from harness.importing.sources import (
    Definitions,
    LatexText,
    closing,
    read_latex_text,
    read_text,
    take_definitions,
)
from harness.importing.typeset import Typesetter, Unparsable

_DISPLAYED = (
    "equation", "align", "gather", "multline", "eqnarray", "displaymath", "thebibliography",
    "tikzpicture", "algorithm", "algorithmic",
)  # fmt: skip
_BLANKED = re.compile(
    r"\\begin\{(" + "|".join(map(re.escape, (*GRIDS, *_DISPLAYED))) + r")\*?\}.*?\\end\{\1\*?\}"
    r"|\$\$.*?\$\$|\\\[.*?\\\]",
    re.DOTALL,
)
_BREAK = re.compile(
    r"\n[ \t%]*\n|\\(?:sub)*(?:section|paragraph)\*?\s*\{[^{}]*\}|\\(?:item|par|maketitle)\b"
    r"|\\(?:begin|end)\s*\{[^{}]*\}(?:\[[^\]]*\])?|\\(?:table)?caption\*?\s*(?:\[[^\]]*\])?\s*\{"
)
_CITATION = re.compile(
    r"\\(?:nocite|[cC]ite(?:[tp]|alt|alp|author|year|yearpar|num|title|date|url|s)?"
    r"|(?:[pP]aren|[tT]ext|[aA]uto|[sS]mart|[fF]oot|super)cites?|footcitetext|fullcite|footfullcite"
    r"|[nN]otecite|onlinecite)\*?\s*(?:\[[^\]]*\]\s*){0,2}\{([^{}]*)\}"
)
"""The commands of natbib, biblatex and REVTeX; `citestyle` and its like cite nothing."""
_REFERENCE = re.compile(r"\\(?:[cC]|auto|page|eq|name|v)?(?:ref|refrange)\*?\s*\{([^{}]*)\}")
_ALSO_REFERENCE = re.compile(
    r"\\hyperref\s*\[(?=([^\]]*)\])|\\(?!href\b)[A-Za-z]*ref\*?\s*\{(?=([^{}]*)\})"
)
"""Commands of other packages and of the paper's own; they may add to the name."""
_LABEL = re.compile(r"\\label\s*\{([^{}]*)\}")
_LABEL_OPTION = re.compile(r"[\[{,]\s*label\s*=\s*\{?([^{},\]\s]+)")
_IN_DEFINITION = re.compile(r"\\(?!href\b)(?:[A-Za-z]*ref|label)\*?\s*\{|\\hyperref\s*\[")
_BIBITEM = re.compile(r"\\bibitem\s*(?:\[[^\]]*\])?\s*\{([^{}]*)\}")
_TITLE = re.compile(r"\\title\s*(?:\[[^\]]*\])?\s*(?=\{)")
_AUTHOR = re.compile(r"\\author\s*(?:\[[^\]]*\])?\s*(?=\{)")
_NEXT_AUTHOR = re.compile(r"\\(?:and|And|AND)(?![A-Za-z])")
_PLAIN_AND = re.compile(r"\sand\s")
_BESIDE_AUTHOR = re.compile(
    r"\\\\.*|\\(?:thanks|footnote|inst|textsuperscript|orcid(?:ID|link)?)\s*\{[^{}]*\}"
    r"|\\footnotemark(?:\[[^\]]*\])?|\$\s*\^.*?\$",
    re.DOTALL,
)
"""Lines under a name, notes and marks."""
_BETWEEN = re.compile(r"\\(?:q?quad|enspace|hspace|hfill|par)(?![A-Za-z])|&|\n[ \t]*\n")
"""What parts an author from another, or from an institution."""
_NAME = re.compile(
    r"(?i:(?!(?:anonymous|(?:paper )?under (?:double-blind )?review)\b))"
    r"[^\W\d_]+(?:[ .'’-]+[^\W\d_]+)*\.?"
)
_BIBLIOGRAPHY = re.compile(r"\\(?:bibliography|addbibresource)\s*\{([^{}]*)\}")
_ENTRY = re.compile(r"^\s*@(?!comment|string|preamble)\w+\s*[{(]\s*([^,\s]+)\s*,", re.M | re.I)
_END = re.compile(r"[.!?][)”’\"']?(?=\s+[A-Z(\\$“])")
_SHORT = re.compile(
    r"(?:\b(?:Tab|Tabs|Fig|Figs|Eq|Sec|vs|resp|cf|al|etc|No|approx)|[a-z]\.[a-z])\.$"
)


def latex_prose(path: Path) -> Prose:
    """The running text of a LaTeX file and of the files that it inputs.

    Raises:
        UserError: the file cannot be read.
    """
    source, missing = read_latex_text(path)
    source, definitions, _ = take_definitions(source)
    text = source.text
    setter = Typesetter(definitions.at(len(text)))

    def plain(piece: str) -> str | None:
        piece = _LABEL.sub("", _CITATION.sub("", _REFERENCE.sub("??", piece)))
        try:
            return setter.print(setter.nodes(piece)).text.replace("\u2009", " ")
        except Unparsable:
            return None

    begin = text.find(r"\begin{document}")
    start = begin + len(r"\begin{document}") if begin >= 0 else 0
    known, listed = _bibliography(source, path)
    referred, labels = _references(source, definitions)
    return Prose(
        tuple(_sentences(source, _BLANKED.sub(_blank, text), start, plain)),
        cited=_places(source, _CITATION),
        referred=referred,
        labels=labels,
        listed=listed,
        # A part of a paper has its labels and entries elsewhere.
        known=known if begin >= 0 and not missing else None,
        title=_title(text, plain),
        authors=_authors(text, plain),
    )


def _title(text: str, plain: Callable[[str], str | None]) -> str:
    found = _TITLE.search(text)
    end = closing(text, found.end()) if found else None
    return "" if found is None or end is None else plain(text[found.end() + 1 : end]) or ""


def _authors(text: str, plain: Callable[[str], str | None]) -> tuple[str, ...]:
    """The names in all `\\author`; none where one of them holds what may be something else."""
    found = []
    for match in _AUTHOR.finditer(text):
        held = text[match.end() + 1 : closing(text, match.end())]
        for piece in _NEXT_AUTHOR.split(held):
            own = _BESIDE_AUTHOR.sub("", piece).strip()
            for name in _PLAIN_AND.split(own):  # after the lines below, which may say it too
                told = None if _BETWEEN.search(own) else plain(name)
                found.append(" ".join((told or "").split()))
    return tuple(found) if all(map(_NAME.fullmatch, found)) else ()


def _blank(match: re.Match[str]) -> str:
    """Spaces in the place of what is no sentence; a paragraph goes on after a formula."""
    return re.sub(r"[^\n]", " ", match[0]).replace("\n\n", " \n")


def _places(source: LatexText, pattern: re.Pattern[str]) -> dict[str, Place]:
    found: dict[str, Place] = {}
    for match in pattern.finditer(source.text):
        for name in match[match.lastindex or 0].split(","):
            if name.strip() and "#" not in name:
                found.setdefault(name.strip(), source.place(match.start()))
    return found


def _references(
    source: LatexText, definitions: Definitions
) -> tuple[dict[str, Place], dict[str, Place]]:
    """What is referred to, and the labels.

    Neither, where a definition of the paper refers or labels: it may make names of its arguments.
    """
    if any(_IN_DEFINITION.search(macro.body) for _, macro in definitions.found):
        return {}, {}
    labels = {**_places(source, _LABEL_OPTION), **_places(source, _LABEL)}
    also = _places(source, _ALSO_REFERENCE)
    reached = {name: place for name, place in also.items() if name in labels}
    return {**reached, **_places(source, _REFERENCE)}, labels


def _bibliography(source: LatexText, path: Path) -> tuple[frozenset[str] | None, dict[str, Place]]:
    """All keys of the bibliography, and those of entries that are printed cited or not."""
    listed = _places(source, _BIBITEM)
    keys = set(listed)
    for match in _BIBLIOGRAPHY.finditer(source.text):
        for name in match[1].split(","):
            file = path.parent / name.strip()
            file = file if file.suffix == ".bib" else file.with_name(f"{file.name}.bib")
            if not file.is_file():
                return None, listed
            keys |= set(_ENTRY.findall(read_text(file)))
    return (frozenset(keys) if keys else None), listed


def _sentences(
    source: LatexText, text: str, start: int, plain: Callable[[str], str | None]
) -> Iterator[Sentence]:
    at = start
    for stop in [*_BREAK.finditer(text, start), None]:
        end = len(text) if stop is None else stop.start()
        yield from _split(source, text, at, end, plain)
        at = end if stop is None else stop.end()


def _split(
    source: LatexText, text: str, start: int, end: int, plain: Callable[[str], str | None]
) -> Iterator[Sentence]:
    """The sentences of one paragraph."""
    at = start
    ends = [
        m.end() for m in _END.finditer(text, start, end) if not _SHORT.search(text[start : m.end()])
    ]
    for stop in [*ends, end]:
        piece = text[at:stop]
        begin = at + len(piece) - len(piece.lstrip())
        at = stop
        # A caption ends with the brace that its macro opened.
        printed = plain(_balanced(piece)) if re.search(r"[A-Za-z]", piece) else None
        if printed:
            names = tuple(n for m in _REFERENCE.finditer(piece) for n in m[1].split(","))
            yield Sentence(printed, source.place(begin), names)


def _balanced(piece: str) -> str:
    """Without a closing brace that opens before it, and what follows."""
    depth = 0
    for match in re.finditer(r"\\.|[{}]", piece, re.DOTALL):
        depth += {"{": 1, "}": -1}.get(match[0], 0)
        if depth < 0:
            return piece[: match.start()]
    return piece


def markdown_prose(path: Path) -> Prose:
    """The running text of a Markdown file.

    Raises:
        UserError: the file cannot be read.
    """
    lines = read_text(path).splitlines()
    fenced = False
    kept = []
    for line in lines:
        fenced ^= line.lstrip().startswith("```")
        table = line.lstrip().startswith(("|", "#", "```", "<")) or fenced
        kept.append("" if table else line)
    text = re.sub(r"\$\$.*?\$\$", _blank, "\n".join(kept), flags=re.DOTALL)
    source = LatexText(
        text, tuple(Place(path, n) for n in range(1, len(kept) + 1)) or (Place(path, 1),)
    )

    def plain(piece: str) -> str:
        piece = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", piece)
        piece = re.sub(r"\\([%#&_$*])", r"\1", piece)
        return " ".join(re.sub(r"\*\*|[*`$]", "", piece).split())

    titles = (line[2:] for line in lines if line.startswith("# "))
    return Prose(tuple(_sentences(source, text, 0, plain)), title=plain(next(titles, "")))
