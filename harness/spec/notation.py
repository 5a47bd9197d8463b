"""One spelling for the many in which LaTeX, Markdown and Unicode write the signs of a number."""

from __future__ import annotations

import re
from typing import NamedTuple


class Canonical(NamedTuple):
    """Text in plain signs: `-`, `±`, `×`, raised text as `^{...}`, lowered as `_{...}`."""

    text: str
    bold: bool
    underline: bool


_BOLD = re.compile(
    r"\\(?:textbf|mathbf|boldsymbol|bm|bfseries|bf)(?![A-Za-z])|\*\*(?=[^*\s])[^*]*[^*\s]\*\*|<(?:b|strong)>"
)
_UNDERLINE = re.compile(r"\\(?:underline|uline)(?![A-Za-z])|<u>")
_WRAPPER = re.compile(
    r"\\(?:textbf|mathbf|boldsymbol|bm|underline|uline|textit|emph|mathrm|text|mathit|ensuremath"
    r"|num|tablenum|sym|textsuperscript)(?![A-Za-z])"
)
_SWITCH = re.compile(
    r"\\(?:bfseries|bf|itshape|it|left|right|displaystyle|scriptsize|footnotesize|small|tiny)"
    r"(?![A-Za-z]) ?"
)
_MARKDOWN = re.compile(r"\*\*((?=[^*\s])[^*]*[^*\s])\*\*|</?(?:b|strong|u|sup|sub)>")
_WORDS = {
    r"\pm": "±",
    r"\times": "×",
    r"\cdot": "·",
    r"\leq": "≤",
    r"\geq": "≥",
    r"\le": "≤",
    r"\ge": "≥",
    r"\approx": "≈",
    r"\sim": "∼",
    r"\ll": "<",
    r"\gg": ">",
    r"\dagger": "†",
    r"\ddagger": "‡",
    r"\dag": "†",
    r"\ddag": "‡",
    r"\ast": "*",
    r"\star": "*",
    r"\uparrow": "↑",
    r"\downarrow": "↓",
    r"\textendash": "–",
    r"\textemdash": "—",
}
_WORD = re.compile("(?:" + "|".join(map(re.escape, _WORDS)) + r")(?![A-Za-z]) ?")
_SIGNS = (
    ("{,}", ","),
    ("\\%", "%"),
    ("\\&", "&"),
    ("\\#", "#"),
    ("\\$", "\ue000"),
    ("---", "—"),
    ("--", "–"),
    ("+/-", "±"),
    ("+/−", "±"),
    ("+-", "±"),
    ("\u2212", "-"),
    ("∗", "*"),
    ("＋", "+"),
    ("⋅", "·"),
    ("∙", "·"),
)
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ᵃᵇᶜᵈᵉ", "0123456789+-abcde")
_RAISED_RUN = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ᵃᵇᶜᵈᵉ]+")
_LOOSE_THIN = re.compile("[\u2009\u202f\u00a0](?![0-9])|(?<![0-9])[\u2009\u202f\u00a0]")
"""Thin spaces that do not stand between digits."""
_THIN = re.compile(r"\\[,;:!]|\\thinspace(?![A-Za-z]) ?")


def canonical(text: str) -> Canonical:
    """The text with one spelling for each sign, and whether it is bold or underlined."""
    bold, underline = bool(_BOLD.search(text)), bool(_UNDERLINE.search(text))
    plain = _MARKDOWN.sub(lambda m: m[1] or "", text)
    plain = _WRAPPER.sub(lambda m: "^" if m[0] in (r"\sym", r"\textsuperscript") else "", plain)
    plain = _SWITCH.sub("", plain)
    plain = _WORD.sub(lambda m: _WORDS[m[0].rstrip()], plain)
    for sign, one in _SIGNS:
        plain = plain.replace(sign, one)
    plain = _THIN.sub("\u2009", plain)
    plain = plain.replace("\\(", "").replace("\\)", "").replace("$", "").replace("\ue000", "$")
    plain = _RAISED_RUN.sub(lambda m: f"^{{{m[0].translate(_RAISED)}}}", plain)
    plain = re.sub(r"([\^_])([^\s{])", r"\1{\2}", plain)
    plain = re.sub(r"(?<![\^_])\{([^{}]*)\}", r"\1", plain)
    plain = re.sub(r"[_^]\{ ?(±[^{}]*)\}", r" \1", plain)
    plain = re.sub(r"^([<≤>≥≈∼]? ?)[–](?= ?[\d.])", r"\1-", plain.strip())
    plain = re.sub(r"[_^]\{ ?(\([^{}()]*\)) ?\}", r" \1", plain)
    plain = _LOOSE_THIN.sub(" ", plain)
    return Canonical(re.sub(r"[ \t\r\n~]+", " ", plain).strip(), bold, underline)
