"""Any text as LaTeX source that prints it: ASCII only, and needing no package."""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise

from harness.render.text import shifted

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "{": r"\{",
    "}": r"\}",
    "%": r"\%",
    "&": r"\&",
    "_": r"\_",
    "#": r"\#",
    "$": r"\$",
    "<": "$<$",
    ">": "$>$",
    "|": "$|$",
    '"': r"\textquotedblright{}",
    "`": "{`}",
    "–": "--",
    "—": "---",
    "‘": "{`}",
    "’": "'",
    "“": r"\textquotedblleft{}",
    "”": r"\textquotedblright{}",
    "…": r"\ldots{}",
    "\u2009": r"\,",
    "\u202f": r"\,",
    "\u00a0": "~",
    "⁄": "/",
    "§": r"\S{}",
    "¶": r"\P{}",
    "ß": r"\ss{}",
    "ø": r"\o{}",
    "Ø": r"\O{}",
    "ł": r"\l{}",
    "Ł": r"\L{}",
    "æ": r"\ae{}",
    "Æ": r"\AE{}",
    "ı": r"\i{}",
}
MATH = {
    "±": r"\pm",
    "×": r"\times",
    "÷": r"\div",
    "·": r"\cdot",
    "•": r"\bullet",
    "−": "-",
    "≤": r"\leq",
    "≥": r"\geq",
    "≈": r"\approx",
    "≠": r"\neq",
    "≡": r"\equiv",
    "∼": r"\sim",
    "∝": r"\propto",
    "→": r"\rightarrow",
    "←": r"\leftarrow",
    "↔": r"\leftrightarrow",
    "↑": r"\uparrow",
    "↓": r"\downarrow",
    "⇒": r"\Rightarrow",
    "⇔": r"\Leftrightarrow",
    "∧": r"\wedge",
    "∨": r"\vee",
    "∘": r"\circ",
    "∞": r"\infty",
    "√": r"\surd",
    "∑": r"\sum",
    "∏": r"\prod",
    "∂": r"\partial",
    "∇": r"\nabla",
    "∈": r"\in",
    "∥": r"\Vert",
    "°": r"^{\circ}",
    "†": r"\dagger",
    "‡": r"\ddagger",
    "⁻": "^{-}",
    "⁺": "^{+}",
}
_NEAREST = {"✓": "√", "✗": "×"}
"""Signs that LaTeX has only by further packages, and those that are set in their place."""
_GREEK = (
    *("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa"),
    *("lambda", "mu", "nu", "xi", "omicron", "pi", "rho", "sigma", "tau", "upsilon", "phi"),
    *("chi", "psi", "omega", "Gamma", "Delta", "Theta", "Lambda", "Xi", "Pi", "Sigma"),
    *("Upsilon", "Phi", "Psi", "Omega"),
)
# Neighbours that TeX would join into a longer dash or a double quote.
_JOINING = (frozenset("-–—"), frozenset("'’"), frozenset("`‘"))
_ACCENTS = {
    "\u0300": "`",
    "\u0301": "'",
    "\u0302": "^",
    "\u0303": "~",
    "\u0304": "=",
    "\u0306": "u",
    "\u0307": ".",
    "\u0308": '"',
    "\u030a": "r",
    "\u030b": "H",
    "\u030c": "v",
    "\u0327": "c",
}


def _greek() -> dict[str, str]:
    letters = {}
    for name in _GREEK:
        case = "CAPITAL" if name[0].isupper() else "SMALL"
        # Unicode spells it "lamda"; TeX has no omicron of its own.
        spelt = name.upper().replace("LAMBDA", "LAMDA")
        letters[unicodedata.lookup(f"GREEK {case} LETTER {spelt}")] = (
            "o" if name == "omicron" else rf"\{name}"
        )
    return letters


MATH |= _greek()


def escape(text: str) -> str:
    """LaTeX source, ASCII, that prints `text`.

    A character without a known spelling prints as its code point, `[U+4E2D]`: it can neither
    break the document nor vanish from it.
    """
    # A hyphen before a number, unless it joins a range or a word, is a minus sign.
    signed = re.sub(r"(?<![\w.)\]])-(?=\d)", "−", text)
    text = unicodedata.normalize("NFC", signed)
    source = "".join(
        _character(char) + ("{}" if any({char, after} <= kin for kin in _JOINING) else "")
        for char, after in pairwise(text + " ")
    )
    # An opening "[" or "*" would be read as an argument of the line break before it.
    return "{}" + source if source.startswith(("[", "*")) else source


def printed(text: str) -> str:
    """The same of a printed cell: what it raises or lowers, as `10^{-3}`, is raised or lowered."""
    styles = {"": "%s", "^": r"\textsuperscript{%s}", "_": r"\textsubscript{%s}"}
    return "".join(styles[sign] % escape(piece) for piece, sign in shifted(text))


def symbol(name: str) -> str:
    """A symbol of an equation by its name, for math mode: `delta` is the Greek letter."""
    return rf"\{name}" if name in _GREEK else escape(name)


def _character(char: str) -> str:
    if char in _SPECIAL:
        return _SPECIAL[char]
    if (sign := _NEAREST.get(char, char)) in MATH:
        return f"${MATH[sign]}$"
    if " " <= char <= "~":
        return char
    return _decomposed(char)


def _decomposed(char: str) -> str:
    """An accented letter, a superscript digit or a compatibility form, from its parts."""
    kind, _, codes = unicodedata.decomposition(char).rpartition(">")
    parts = [chr(int(code, 16)) for code in codes.split()]
    if not kind and len(parts) == 2 and parts[0].isascii() and parts[1] in _ACCENTS:
        # A dotless i needs no special case: the accents of text mode bring their own.
        return rf"\{_ACCENTS[parts[1]]}{{{parts[0]}}}"
    if kind == "<super" and "".join(parts).isascii():
        return "$^{" + "".join(parts) + "}$"
    if kind == "<sub" and "".join(parts).isascii():
        return "$_{" + "".join(parts) + "}$"
    if kind:
        return "".join(_character(part) for part in parts)
    return f"[U+{ord(char):04X}]"
