"""Random tables, many of whose texts try to break out of the markup."""

from __future__ import annotations

from hypothesis import strategies as st

from harness.render.symbols import VERDICTS
from harness.render.table import CellData, ColumnData, RowData, TableData

HOSTILE = (
    "\\input{secret}",
    "a & b \\\\ c",
    "100% #1 $\\x$ ~ ^ _",
    "[12] first",
    "*star* **bold** `code`",
    "| pipe | --- |",
    "\x1b[31mred\x1b[0m",
    "\x1b]8;;http://x.example\x07link\x1b]8;;\x07",
    "two\nlines\r\n\ttab",
    "right\u200fto\u202eleft\u2066",
    "<b>&amp;</b> &lt;",
    "![img](x) [link](y)",
    "-- --- ``quotes'' ?` !`",
    "[bold]rich[/bold] :smile:",
    "é ñ ß ρ μ × ± – — … ≤ ² 漢字 ½ ﬁ 𝑥",
    "",
)
_pieces = st.sampled_from(
    "\\{}$%&#_^~|<>`'\"-–—*[]()!?+=.:;@/±×ρ−…²é漢\u200f\u202e\x1b\x07\n\t ab1"
)
texts = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(_pieces, max_size=14),
    st.text(st.characters(codec="utf-8", max_codepoint=0x2FFF), max_size=8),
)
numbers = st.builds(
    lambda mean, std, places: (
        f"{mean:.{places}f}" + ("" if std is None else f" ± {std:.{places}f}")
    ),
    st.floats(-5, 100),
    st.none() | st.floats(0, 3),
    st.integers(0, 3),
)
groups = st.none() | st.sampled_from(("G", "H & I", "J|_K")) | texts


def cells(values: st.SearchStrategy[str]) -> st.SearchStrategy[CellData]:
    return st.builds(
        CellData,
        st.none() | values,
        st.none() | st.sampled_from(("(+ 9.3)", "(- 0.1)")),
        st.none() | values,
        st.none() | st.sampled_from(sorted(VERDICTS)),
        st.lists(st.sampled_from(("flips", "own", "x_y")), max_size=2, unique=True).map(tuple),
    )


@st.composite
def tables(
    draw: st.DrawFn,
    values: st.SearchStrategy[str] = numbers | texts,
    labels: st.SearchStrategy[str] = texts,
    headings: st.SearchStrategy[str | None] = groups,
) -> TableData:
    width = draw(st.integers(1, 5))
    columns = [ColumnData(f"c{at}", draw(labels), draw(headings)) for at in range(width)]
    rows = [
        RowData(f"r{at}", draw(labels), tuple(draw(cells(values)) for _ in columns), draw(headings))
        for at in range(draw(st.integers(1, 4)))
    ]
    return TableData(
        id="table1",
        label=draw(st.sampled_from(("Table 1", "Figure 2", "Lemma_3"))),
        title=draw(labels),
        caption=draw(labels),
        stub=draw(labels),
        columns=tuple(columns),
        rows=tuple(rows),
        notes=tuple(draw(st.lists(labels, max_size=2))),
        reproduced_as=draw(labels),
        transposed=draw(st.booleans()),
    )
