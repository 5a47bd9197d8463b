"""Formulas in labels: `$\\lambda_1$` set as one in LaTeX, and in plain signs everywhere else.

Only a formula of known commands, whose braces and scripts LaTeX accepts, is taken for one. Labels
come from papers of others, so anything else stays the text that it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from harness.render.tex import MATH, escape

_BETWEEN_DOLLARS = re.compile(r"\$(?=\S)([^$]{1,200})(?<=\S)\$(?!\d)")
_SIGNS = {source: sign for sign, source in MATH.items() if re.fullmatch(r"\\[A-Za-z]+", source)}
_NAMES = (
    *("ell", "ldots", "cdots", "top", "mid", "ast", "star", "odot", "otimes", "oplus", "log"),
    *("exp", "max", "min", "sup", "inf", "int", "forall", "exists", "subset", "cup", "cap"),
)
_SYMBOLS = {*_SIGNS, *(rf"\{name}" for name in _NAMES)}
_STYLES = r"\\(?:hat|bar|tilde|vec|dot|mathrm|mathbf|mathcal|mathit|mathsf|sqrt) ?\{\}"
_ATOM = rf"(?:[A-Za-z0-9+\-*/=<>()|,.:;!]|\[|\]|\{{\}}|\\frac\{{\}}\{{\}}|{_STYLES}|@)"
_SCRIPT = r"(?:[A-Za-z0-9+\-*@]|\{\})"
_ACCEPTED = re.compile(rf"(?: |{_ATOM}(?:_{_SCRIPT}(?:\^{_SCRIPT})?|\^{_SCRIPT}(?:_{_SCRIPT})?)?)*")
"""Where `{}` stands for a group that was accepted, and `@` for a symbol's command."""
_COMMAND = re.compile(r"\\[A-Za-z]+")
_GROUP = re.compile(r"\{([^{}]+)\}")
_DEEPEST = 8
_FRACTION = re.compile(r"\\frac\{([^{}]*)\}\{([^{}]*)\}")
_RAISED = dict(zip("0123456789+-=()in", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁱⁿ", strict=True))
_LOWERED = dict(
    zip("0123456789+-=()aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ", strict=True)
)
_ABROAD = re.compile(r"[^\x00-\x7f]")
_SHIFTED = re.compile(r"([_^])(?:\{([^{}\\]+)\}|([A-Za-z0-9+-]))")


def pieces(text: str) -> Iterator[tuple[str, bool]]:
    """A text and the formulas between its dollars, in order, and whether each is a formula."""
    at = 0
    for found in _BETWEEN_DOLLARS.finditer(text):
        yield from ((text[at : found.start()], False), (found[1], True))
        at = found.end()
    yield text[at:], False


def as_latex(text: str) -> str:
    """LaTeX source of a label, with its formulas as they are and all else escaped."""
    found = (
        (f"${each}$", _accepted(each)) if dollars else (each, False)
        for each, dollars in pieces(text)
    )
    return "".join(each if is_formula else escape(each) for each, is_formula in found)


def as_signs(text: str) -> str:
    """The same in plain signs: `$\\lambda_1$` is λ₁."""
    return _BETWEEN_DOLLARS.sub(
        lambda found: _in_signs(found[1]) if _accepted(_ABROAD.sub("x", found[1])) else found[0],
        text,
    )


@cache
def _accepted(formula: str) -> bool:
    """Whether LaTeX sets it without further packages, and it does nothing but be set."""
    if "@" in formula or "{}" in formula:
        return False
    reduced = _COMMAND.sub(lambda found: "@" if found[0] in _SYMBOLS else found[0], formula)
    for _ in range(_DEEPEST):
        inner = _GROUP.findall(reduced)
        if not all(map(_ACCEPTED.fullmatch, inner)):
            return False
        if not inner:
            break
        reduced = _GROUP.sub("{}", reduced)
    return _ACCEPTED.fullmatch(reduced) is not None


@cache
def _in_signs(formula: str) -> str:
    signs = _COMMAND.sub(lambda found: _SIGNS.get(found[0], found[0]), formula)
    scripted = _SHIFTED.sub(_shifted, _FRACTION.sub(_divided, signs))
    if not set(scripted) & set("\\{}"):
        return scripted
    return str(_unicode().latex_to_text(f"${scripted}$"))


def _divided(found: re.Match[str]) -> str:
    return "/".join(part if len(part) == 1 else f"({part})" for part in found.groups())


def _shifted(found: re.Match[str]) -> str:
    signs = _RAISED if found[1] == "^" else _LOWERED
    inner = found[2] or found[3]
    return "".join(map(signs.__getitem__, inner)) if set(inner) <= set(signs) else found[0]


@cache
def _unicode() -> Any:
    from pylatexenc.latex2text import LatexNodes2Text

    return LatexNodes2Text(math_mode="text")
