"""Claims on medians and on intervals of an unknown kind, against which nothing can be held."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.judge.claims import Evaluation
from harness.judge.outcomes import on_reported
from harness.judge.sample import ReportedNumber
from harness.spec.reading import read_printed
from harness.spec.reporting import Reporting
from tests.judge.claims import A_OVER_B, claim, evaluate
from tests.toy.paper import new_workplace

MEDIAN = "a number with an interquartile range is no mean with a standard deviation"
UNSAID = "it is not said what the interval is (declare its 'spread')"
A_AND_B = {"left": ["e:a:x"], "right": ["e:b:x"]}
TABLE = """
id = "times"
kind = "table"
label = "Table 9"
title = "Times"
section = "1"
caption = "Of two methods."
reporting = { n = 10 }
measure = { value = "time" }
columns = [{ name = "x", label = "Time" }]
rows = [
    { name = "a", label = "A", cells = { x = "6 (IQR 2–10)" } },
    { name = "b", label = "B", cells = { x = "5.0 ± 0.1" } },
]
[stated.median]
text = "7 (IQR 3–9)"
where = "Section 1"
quote = "a median of 7 (IQR 3–9)"
quantity = "median"
"""


def judged(texts: Mapping[str, str], kind: str, **fields: Any) -> Evaluation:
    """A claim on what is printed at addresses, each over ten runs."""
    read = {at: ReportedNumber.read(read_printed(t), Reporting(n=10)) for at, t in texts.items()}
    return evaluate(claim(kind, **fields), {at: each.summary() for at, each in read.items()}.get)


@pytest.mark.parametrize(
    ("a", "b", "why"),
    [
        ("6 (IQR 2–10)", "5.0 ± 0.1", MEDIAN),
        ("5.0 ± 0.1", "6 (IQR 2–10)", MEDIAN),
        ("6 (IQR 2–10)", "5 (IQR 1–9)", MEDIAN),
        ("6 (IQR 2–10)", "5", MEDIAN),
        ("0.6 [0.1, 1.1]", "0.5 [0.0, 1.0]", UNSAID),
    ],
)
def test_nothing_is_held_against_a_number_without_a_spread_over_runs(
    a: str, b: str, why: str
) -> None:
    texts = {"e:a:x": a, "e:b:x": b}
    better = judged(texts, "greater", **A_OVER_B)
    assert better.outcome == "undecided"
    assert why in better.why
    assert judged(texts, "on_par", margin=50, **A_AND_B).outcome == "undecided"
    slower = judged(texts, "slower", slow="e:a:x", fast="e:b:x", factor=0.5)
    assert slower.outcome == "undecided"


def test_a_number_that_is_usable_is_still_decided() -> None:
    for better in ("6.0 ± 0.1", "6.0 (95% CI 5.9–6.1)", "6.0"):
        texts = {"e:a:x": better, "e:b:x": "5.0 ± 0.1"}
        assert judged(texts, "greater", **A_OVER_B).outcome == "holds"


CELLS = ("e:a:w", "e:b:w", "e:a:n", "e:b:n")
GAP = {"exhibit": "e", "left": "a", "right": "b", "wide": ["w"], "narrow": ["n"]}


@given(
    usable=st.tuples(*[st.booleans()] * 4),
    means=st.tuples(*[st.integers(-50, 50)] * 4),
    asked=st.sampled_from(
        [
            ("greater", {"better": CELLS[:2], "worse": CELLS[2:]}),
            ("increasing", {"cells": CELLS}),
            ("saturates", {"cells": CELLS}),
            ("within", {"cells": CELLS, "low": 0}),
            ("gap_closes", GAP),
            ("gap_shrinks", GAP),
        ]
    ),
)
def test_each_comparison_with_such_a_number_is_open(
    usable: tuple[bool, ...], means: tuple[int, ...], asked: tuple[str, dict[str, Any]]
) -> None:
    kind, fields = asked
    errors = ["± 0.1" if good else "(IQR -60 to 60)" for good in usable]
    texts = {at: f"{mean} {error}" for at, mean, error in zip(CELLS, means, errors, strict=True)}
    found = judged(texts, kind, **fields)
    for made in found.comparisons:
        named = [good for at, good in zip(CELLS, usable, strict=True) if at in made.what]
        assert made.outcome == "undecided" or all(named), made.why


@pytest.mark.parametrize(("points", "text"), [(None, "0.6 [0.1, 0.8]"), (40, "0.6 [0.1, 0.8]")])
def test_a_correlation_with_such_an_interval_is_open(points: int | None, text: str) -> None:
    found = judged({"e:a:x": text}, "correlation", value="e:a:x", low=0.0, points=points)
    assert found.outcome == "undecided"
    assert UNSAID in found.why


def test_what_is_asked_of_the_print_alone_stays() -> None:
    texts = {"e:a:x": "6 (IQR 2–10)", "e:b:x": "6 (IQR 1–9)", "e:c:x": "3 (IQR 1–9)"}
    assert judged(texts, "equal", **A_AND_B).outcome == "holds"
    assert judged(texts, "arithmetic", left=["e:a:x"], right=["e:c:x"], printed=["3"]).outcome == (
        "holds"
    )
    assert judged(texts, "times", number="e:a:x", of="e:c:x", factor=2).outcome == "holds"
    assert judged(texts, "parameter_count", printed="6", count="e:a:x").outcome == "holds"


@pytest.mark.parametrize("other", ["times:b:x", "times:stated:median"])
def test_a_median_of_a_table_or_a_sentence_decides_nothing(tmp_path: Path, other: str) -> None:
    place = new_workplace(tmp_path)
    (place.specs / "tables/times.toml").write_text(TABLE, encoding="utf-8")
    asked = claim("greater", better=["times:a:x"], worse=[other])
    assert on_reported(place.paper, asked).outcome == "undecided"
    bound = claim("within", cells=["times:stated:median"], low=0)
    assert MEDIAN in on_reported(place.paper, bound).why


@pytest.mark.parametrize("text", ["95.2", "95.2 ± 3.0", "95.2 ± 0.4%", "95.2 [94.9, 95.5]"])
@pytest.mark.parametrize("cell", ["94.0%", "90.0"])
def test_a_bare_number_in_a_text_is_in_the_unit_that_its_exhibit_declares(
    tmp_path: Path, text: str, cell: str
) -> None:
    place = new_workplace(tmp_path)
    spec = TABLE.replace("n = 10", 'n = 10, unit = "percent accuracy"')
    spec = spec.replace("7 (IQR 3–9)", text).replace("5.0 ± 0.1", cell)
    (place.specs / "tables/times.toml").write_text(spec, encoding="utf-8")
    asked = claim("greater", better=["times:stated:median"], worse=["times:b:x"])
    found = on_reported(place.paper, asked)
    assert found.outcome == "holds", found.why


@pytest.mark.parametrize(
    ("unit", "expected"),
    [("ms", "undecided"), ("percentile", "undecided"), ("accuracy in %", "holds")],
)
def test_an_error_in_percent_says_no_unit_of_its_number(
    tmp_path: Path, unit: str, expected: str
) -> None:
    """`±` is read as it is beside a number in percent, and else is not known."""
    place = new_workplace(tmp_path)
    spec = TABLE.replace("n = 10", f'n = 10, unit = "{unit}"')
    spec = spec.replace("6 (IQR 2–10)", "1250 ± 3%").replace("5.0 ± 0.1", "1000")
    (place.specs / "tables/times.toml").write_text(spec, encoding="utf-8")
    found = on_reported(place.paper, claim("greater", better=["times:a:x"], worse=["times:b:x"]))
    assert found.outcome == expected
    assert ("may be in percent of it" in found.why) == (expected == "undecided")
    assert "printed in different units" not in found.why
