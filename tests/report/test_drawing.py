"""Formulas of a page: outlines that a reader without eyes is told, or the source itself."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from harness.render.report.drawing import formula, with_formulas
from tests.report.sites import EVIL


@pytest.mark.parametrize(
    "source",
    [r"y_k = a \cdot n_1^{b_1} \prod_{j=2}^k \left(\frac{n_j}{n_{j-1}} \right)^{b_j} + d", "a<b"],
)
def test_a_formula_is_drawn_inside_its_frame_and_says_its_source(source: str) -> None:
    image = ElementTree.fromstring(formula(source))
    assert image.get("aria-label") == source
    left, top, width, height = map(float, image.get("viewBox", "").split())
    title, path = image
    assert title.text == source
    ends = [
        tuple(map(float, p.split(","))) for p in re.findall(r"[ML]([^MLQCZ]+)", path.get("d", ""))
    ]
    assert len(ends) > 20
    slack = 0.02  # of rounding
    for x, y in ends:
        assert left - slack <= x <= left + width + slack
        assert top - slack <= -y <= top + height + slack


def test_formulas_in_a_text_are_between_dollars() -> None:
    text = with_formulas("For all $k$, <b>and</b> for $c > 0$.")
    assert re.sub(r"<svg.*?</svg>", "@", text) == "For all @, &lt;b&gt;and&lt;/b&gt; for @."
    for plain in ("no formula here", "5 $ a run & more", "costs 5 $ or 6 $ a run", ""):
        assert with_formulas(plain) == plain.replace("&", "&amp;")


@pytest.mark.parametrize(
    "source", [r"\nothing{x}", "x^{", "σ_1 中", "x\\", "{" * 3000, "~", r"\,", EVIL]
)
def test_what_cannot_be_set_stays_text(source: str) -> None:
    said = formula(source)
    assert "<script" not in said
    assert "<img" not in said
    if source != EVIL:
        assert said == f"<code>{source}</code>"
