"""Text from outside, made harmless where it is written: a function for each medium.

Labels, messages of failed steps and names come from papers and programs of others. Whatever writes
them has them pass here; LaTeX, Markdown and HTML have their own in `harness.render`.
"""

from __future__ import annotations

import codecs
import csv
import json
import math
import re
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

SPELT = "repro-spelt"
"""Name of the handler of signs that a stream has no code for; see `spell`."""
_ASCII = {
    "✓": "+",
    "✗": "x",
    "≠": "#",
    "∅": "o",
    "–": "-",
    "—": "-",
    "−": "-",
    "±": "+-",
    "×": "x",
    "·": "*",
    "†": "*",
    "‡": "**",
    "…": "...",
    "≤": "<=",
    "≥": ">=",
    "→": "->",
    "“": '"',
    "”": '"',
    "‘": "'",
    "’": "'",
    "└": "'",
    "∼": "~",
    "≈": "~",
}
_NUMBER = re.compile(r"[+-] ?[\d.,]+(?:e[+-]?\d+)? ?%?(?: ?± ?[\d.,]+ ?%?)?", re.ASCII)
_STARTS = ("=", "+", "-", "@")
"""Signs with which a spreadsheet's formula may begin."""


def terminal(text: str) -> str:
    """Text that a terminal prints and never obeys; lines stay lines."""
    return _shown(text, "\n", lambda sign: "?")


def workflow(text: str) -> str:
    """The same in a workflow command of GitHub, whose syntax it cannot leave."""
    kept = terminal(text.replace("\r", "\n"))
    return kept.replace("%", "%25").replace("\n", "%0A")


def xml(text: str) -> str:
    """The characters that XML 1.0 can hold, and no controls but breaks and tabs."""
    return _shown(text, "\n\t\r", lambda sign: "�")


def json_text(value: Any, indent: int | None = 1) -> str:
    """JSON on ASCII or printable characters; what it has no word for, such as NaN, is null."""
    text = json.dumps(_in_json(value), ensure_ascii=False, indent=indent, allow_nan=False)
    return _shown(text, "\n", _escape)


def write_csv(rows: Iterable[Sequence[str]], file: TextIO) -> None:
    """Rows as CSV in which no spreadsheet finds a formula: text that looks like one is quoted."""
    csv.writer(file, lineterminator="\n").writerows(map(csv_field, row) for row in rows)


def csv_field(text: str) -> str:
    """One field: printable, and behind a `'` where a spreadsheet would take it for a formula."""
    kept = terminal(text)
    formula = kept.lstrip().startswith(_STARTS) and not _NUMBER.fullmatch(kept)
    return f"'{kept}" if formula else kept


def console(file: TextIO | None = None, **options: Any) -> Console:
    """A console that shows texts as they are, and nothing that a terminal would obey.

    Emoji codes and markup are off: `:name:` in the address of a cell is a row, not a picture.
    """
    from rich.console import Console
    from rich.segment import Segment

    class Harmless(Console):
        def render_str(self, text: str, **named: Any) -> Text:
            return super().render_str(spelt(text, self.encoding), **named)

        def render(self, *arguments: Any, **named: Any) -> Iterator[Segment]:
            for segment in super().render(*arguments, **named):
                text, style, control = segment
                yield segment if control else Segment(terminal(text), style)

    return Harmless(file=file, emoji=False, markup=False, highlight=False, **options)


def spelt(text: str, encoding: str) -> str:
    """The text as a stream of this encoding prints it, which may be longer: for widths of columns.

    See `spell`.
    """
    return text.encode(encoding, errors=SPELT).decode(encoding)


def say(message: str, file: TextIO | None = None) -> None:
    """One message of this program, on standard error where no stream is given."""
    print(f"repro: {terminal(message)}", file=file or sys.stderr)


def spell(error: UnicodeError) -> tuple[str, int]:
    """Signs that a stream has no code for, in signs that it has.

    `?` stands for inconclusive, so it stands for nothing else: what has no spelling is shown by its
    code point, `[U+4E2D]`.
    """
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lost = error.object[error.start : error.end]
    return "".join(_ASCII.get(c) or _unaccented(c) for c in lost), error.end


codecs.register_error(SPELT, spell)


def _shown(text: str, kept: str, instead: Callable[[str], str]) -> str:
    """The text with something else for each sign that prints nothing and is not among `kept`."""
    if text.replace("\n", "").isprintable():  # nearly every text, and much faster to tell
        return text
    return "".join(c if c in kept or _visible(c) else instead(c) for c in text)


def _visible(char: str) -> bool:
    return char.isprintable() or unicodedata.category(char) == "Zs"


def _escape(char: str) -> str:
    """A character of a JSON string that is not printable, as JSON escapes it."""
    units = char.encode("utf-16-be", errors="surrogatepass")
    return "".join(f"\\u{units[i : i + 2].hex()}" for i in range(0, len(units), 2))


def _unaccented(char: str) -> str:
    kept = unicodedata.normalize("NFKD", char).encode("ascii", errors="ignore").decode()
    return kept or f"[U+{ord(char):04X}]"


def _in_json(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _in_json(held) for key, held in value.items()}
    return list(map(_in_json, value)) if isinstance(value, list | tuple) else value
