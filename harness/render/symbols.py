"""The short signs that stand for verdicts and marks, the same ones in every render."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from harness.judge.model import OutcomeName


@dataclass(frozen=True, slots=True)
class Symbol:
    """A sign and what its legend says."""

    glyph: str
    """For Markdown and terminals."""
    tex: str
    """For a LaTeX superscript, in math mode, needing no package."""
    meaning: str


VERDICTS: Mapping[str, Symbol] = MappingProxyType(
    {
        "reproduced": Symbol("✓", r"\mathrm{r}", "reproduced"),
        "deviates": Symbol("✗", r"\mathrm{d}", "deviates"),
        "inconclusive": Symbol("?", r"\mathrm{i}", "inconclusive"),
        "not comparable": Symbol("≠", r"\mathrm{c}", "not comparable"),
        "not run": Symbol("–", r"\mathrm{n}", "not run"),
        "paper-inconsistent": Symbol("!", r"\mathrm{p}", "paper-inconsistent"),
    }
)

STANDINGS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "reproduced": ("✓", "reproduced"),
        "deviates": ("✗", "deviate"),
        "differs": ("Δ", "differ, size open"),
        "open": ("?", "open"),
        "not comparable": ("≠", "not comparable"),
        "paper-inconsistent": ("!", "contradicted by another printed number"),
        "not run": ("–", "not run"),
    }
)
"""Verdicts with what is inconclusive parted in two: the sign, and the words after a count."""

OUTCOMES: Mapping[OutcomeName, str] = MappingProxyType(
    {
        "holds": "✓",
        "fails": "✗",
        "undecided": "?",
        "not applicable": "∅",
        "restated": "=",
        "not run": "–",
        "printed only": "·",
    }
)
"""Signs of the outcomes of claims."""

MEANINGS: Mapping[str, str] = MappingProxyType(
    {"flips": "verdict flips if the paper's number is read as one run or as five"}
)
"""Legend texts of known marks; any other mark is its own legend."""

_MARK_SIGNS = (("†", r"\dagger"), ("‡", r"\ddagger"), ("§", r"\S"), ("¶", r"\P"))


def mark_symbol(mark: str, order: int) -> Symbol:
    """Sign of the mark that is number `order` (from 0) in its table; signs double after four."""
    glyph, tex = _MARK_SIGNS[order % len(_MARK_SIGNS)]
    times = order // len(_MARK_SIGNS) + 1
    return Symbol(glyph * times, tex * times, MEANINGS.get(mark, mark))
