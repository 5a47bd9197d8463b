"""The markup of captions, in every renderer."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from harness.render import latex, markdown
from harness.render.markup import StyledText, captioned, runs, spelt
from tests.render.sample import TABLE


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", [StyledText("plain")]),
        (
            "**Head.** Then *this*.",
            [
                StyledText("Head.", "bold"),
                StyledText(" Then "),
                StyledText("this", "italic"),
                StyledText("."),
            ],
        ),
        ("**a** **b**", [StyledText("a", "bold"), StyledText(" "), StyledText("b", "bold")]),
        ("2 * 3 * 4", [StyledText("2 * 3 * 4")]),
        ("a ** b ** c", [StyledText("a ** b ** c")]),
        ("one *star", [StyledText("one *star")]),
        ("", []),
    ],
)
def test_runs(text: str, expected: list[StyledText]) -> None:
    assert list(runs(text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"of $\rho = 0.41$ (b)", "of ρ = 0.41 (b)"),
        (r"($\rho \sim -0.12$)", "(ρ ∼ -0.12)"),
        (r"perform $5\times$ longer", "perform 5× longer"),
        (r"$b \approx 0.05$ and $\delta = 2.8947$", "b ≈ 0.05 and δ = 2.8947"),
        ("$T^- = 20$, T^+ epochs", "T⁻ = 20, T⁺ epochs"),
        ("about ~ 0.806, ~5", "about ∼ 0.806, ∼5"),
        (r"$\frac{1}{2}$", "1/2"),
        (r"$\input x$", r"$\input x$"),
        (r"$x_1$ costs $5", "x₁ costs $5"),
        ("a~b, 2^-3", "a~b, 2^-3"),
    ],
)
def test_symbols_are_spelt_out_and_all_else_is_left(text: str, expected: str) -> None:
    assert spelt(text) == expected


@given(st.text(st.sampled_from("ab *$.\\")))
def test_nothing_but_marks_is_lost(text: str) -> None:
    kept = "".join(run.text for run in runs(text))
    assert kept.replace("*", "").replace("$", "") == text.replace("*", "").replace("$", "")


def test_a_caption_with_a_heading_of_its_own_keeps_it() -> None:
    assert captioned("Title", "**Head.** Rest") == "**Head.** Rest"
    assert captioned("Title", "Rest") == "**Title.** Rest"
    assert captioned("Title?", "") == "**Title?**"
    assert captioned("", "Rest") == "Rest"


def test_captions_are_set_in_style() -> None:
    table = replace(TABLE, caption=r"**Head & all.** We *find* $\rho$.")
    assert r"\caption{\textbf{Head \& all.} We \emph{find} $\rho$.}" in latex.render(table, "both")
    html = MarkdownIt("commonmark").render(markdown.render(table, "both").split("\n")[0])
    assert "<strong>Head &amp; all.</strong> We <em>find</em> ρ." in html
