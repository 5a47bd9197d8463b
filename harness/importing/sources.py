"""LaTeX sources as one text whose lines know their files: inputs inlined, comments blanked."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from harness.errors import UserError
from harness.importing.model import Place, Unread

_COMMENT = re.compile(r"(?<!\\)((?:\\\\)*)%.*")
_INPUT = re.compile(r"\\(?:input|include|subfile)\s*\{([^{}]*)\}|\\input\s+([^\s{}\\]+)")
_PACKAGES = re.compile(r"\\(?:usepackage|RequirePackage)\s*(?:\[[^\]]*\])?\s*\{([^{}]*)\}")
_HIDDEN = re.compile(
    r"\\begin\{(verbatim|lstlisting|comment|minted)\*?\}.*?\\end\{\1\*?\}"
    r"|\\iffalse(?![A-Za-z]).*?\\fi(?![A-Za-z])|\\end\{document\}.*",
    re.DOTALL,
)
_LISTED = re.compile(
    r"\\begin\{(?:lstlisting|minted)\*?\}\s*\[[^\]]*?\blabel\s*=\s*\{?([^{},\]\s]+)"
)


@dataclass(frozen=True)
class LatexText:
    """The whole text and, for each of its lines, where it came from."""

    text: str
    places: tuple[Place, ...]

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *(match.end() for match in re.finditer("\n", self.text))]

    def place(self, position: int) -> Place:
        return self.places[min(bisect_right(self._starts, position), len(self.places)) - 1]


def read_text(path: Path) -> str:
    """A text file.

    Raises:
        UserError: it is missing, or is no UTF-8 text.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(
            f"{path}: cannot be read as UTF-8 text ({error}); save it as UTF-8"
        ) from None


def read_latex_text(path: Path) -> tuple[LatexText, list[Unread]]:
    """A LaTeX file with all that it inputs, and the inputs that were not found.

    Packages that stand beside it are inputs too; the others come with LaTeX.

    Raises:
        UserError: the file itself cannot be read.
    """
    unread: list[Unread] = []
    lines = _lines(path, path.parent, (), unread)
    text = "\n".join(line for line, _ in lines)
    return LatexText(_HIDDEN.sub(_blank, text), tuple(place for _, place in lines)), unread


def _blank(match: re.Match[str]) -> str:
    """Spaces, and the label that the options of a listing give it."""
    label = _LISTED.match(match[0])
    return (f"\\label{{{label[1]}}}" if label else "") + re.sub(r"[^\n]", " ", match[0])


def _lines(
    path: Path, root: Path, above: tuple[Path, ...], unread: list[Unread]
) -> list[tuple[str, Place]]:
    found: list[tuple[str, Place]] = []
    for number, raw in enumerate(read_text(path).splitlines() or [""], 1):
        place = Place(path, number)
        line = _COMMENT.sub(r"\1%", raw)
        at = 0
        for match in _INPUT.finditer(line):
            inner = _input_path(root, (match[1] or match[2] or "").strip())
            if inner is None or inner in above or inner == path:
                why = "is not there" if inner is None else "is an input of itself"
                unread.append(Unread(place, f"the input '{match[1] or match[2] or ''}' {why}"))
                continue
            found.append((line[at : match.start()], place))
            found += _lines(inner, root, (*above, path), unread)
            at = match.end()
        found.append((line[at:], place))
        for name in ",".join(_PACKAGES.findall(line)).split(","):
            style = root / f"{name.strip()}.sty"
            if style.is_file() and style not in above and style != path:
                found += _lines(style, root, (*above, path), unread)
    return found


def _input_path(root: Path, name: str) -> Path | None:
    options = (root / f"{name}.tex", root / name) if name else ()
    return next((path for path in options if path.is_file()), None)
