"""Formulas in labels are set as formulas in LaTeX, and stand in plain signs everywhere else."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.media import console
from harness.render import latex, markdown, terminal
from harness.render.formula import as_latex, as_signs
from harness.render.tex import escape
from tests.render.sample import TABLE

KNOWN = {
    r"\lambda_1": "λ₁",
    r"T^-": "T⁻",
    r"10^{-3}": "10⁻³",
    r"\hat{x}_{ij}": "x̂ᵢⱼ",
    r"\frac{a}{b+1}": "a/(b+1)",
    r"\rho \sim 0.5": "ρ ∼ 0.5",
    r"L_\theta": "L_θ",
}
HOSTILE = (
    *(r"\input{/etc/passwd}", r"\write18{id}", r"\def\x{y}", r"\frac{a}", r"\text{a}"),
    *(r"\begin{x}", r"x\\y", r"\catcode`\@=0", "x^2^3", "x^", "{", "}{", "a & b", "100%"),
    *("#1", "~", "^^41", "x_{}"),
)


@pytest.mark.parametrize(("formula", "signs"), KNOWN.items())
def test_a_formula_is_set_in_latex_and_spelt_elsewhere(formula: str, signs: str) -> None:
    label = f"Ours, ${formula}$ & more"
    assert as_latex(label) == rf"Ours, ${formula}$ \& more"
    assert as_signs(label) == f"Ours, {signs} & more"
    table = replace(
        TABLE,
        rows=tuple(replace(row, label=label) for row in TABLE.rows),
        columns=tuple(replace(column, label=f"${formula}$") for column in TABLE.columns),
    )
    assert latex.render(table, "both").count(f"${formula}$") == len(TABLE.rows) + len(TABLE.columns)
    shown = console(record=True, width=200)
    terminal.show(table, "both", shown)
    for text in (markdown.render(table, "both").replace("\\", ""), shown.export_text()):
        assert f"Ours, {signs} & more" in text
        assert f"${formula}$" not in text


@pytest.mark.parametrize("formula", HOSTILE)
def test_what_is_no_known_formula_stays_text(formula: str) -> None:
    label = f"a ${formula}$ b"
    assert as_latex(label) == escape(label)
    assert as_signs(label) == label


def test_prices_are_no_formulas() -> None:
    assert as_signs("from $5 to $6") == "from $5 to $6"


@given(st.text(st.sampled_from("$\\{}^_ab1@ ,"), max_size=30))
def test_only_known_commands_and_closed_braces_come_through(text: str) -> None:
    source = as_latex(text)
    assert source.count("{") - source.count(r"\{") == source.count("}") - source.count(r"\}")
    assert source.count("$") % 2 == source.count(r"\$") % 2
    assert not any(double in source for double in ("^^", "__", "^_", "_^"))
