"""Claims on numbers in several units: `90 min` beside `1h 20m`, `2.0M` beside `900K`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.judge.outcomes import on_reported
from harness.judge.sample import Summary
from harness.spec.paper import Paper
from harness.spec.reading import read_printed
from harness.spec.units import Unit
from tests.judge.audit.papers import paper, table
from tests.judge.claims import A_AND_B, A_OVER_B, claim, evaluate, judged
from tests.toy.paper import new_workplace

SLOWER = {"slow": "e:a:x", "fast": "e:b:x"}
TABLE = """
id = "costs"
kind = "table"
label = "Table 9"
title = "Costs"
section = "1"
caption = "Of two methods."
reporting = {{ n = 1, unit = "{declared}" }}
measure = {{ value = "cost", better = "lower" }}
columns = [{{ name = "x", label = "Cost" }}]
rows = [
    {{ name = "a", label = "A", cells = {{ x = "{a}" }} }},
    {{ name = "b", label = "B", cells = {{ x = "{b}" }} }},
]
"""


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("90 min", "1h 20m", "holds"),
        ("1h 20m", "90 min", "fails"),
        ("2.0M", "900K", "holds"),
        ("900K", "2.0M", "fails"),
        ("3/178", "2/3", "fails"),
        ("3/178", "1.6%", "holds"),
        ("< 900K", "2.0M", "fails"),
        ("1.2 GFLOPs", "900 MFLOPs", "holds"),
        ("2.5×", "2.0", "holds"),
        ("90.0%", "0.95", "undecided"),
        ("2.0", "900K", "undecided"),
        ("3 s", "2 kg", "undecided"),
        ("1 GB", "900 MB", "undecided"),
    ],
)
def test_numbers_are_compared_in_one_unit(a: str, b: str, expected: str) -> None:
    found = judged({"a": a, "b": b}, "greater", **A_OVER_B)
    assert found.outcome == expected, found.why
    assert ("printed in different units: " in found.why) == (expected == "undecided")


@pytest.mark.parametrize(("a", "b"), [("2 h", "120 min"), ("7%", "7/100"), ("0.3M", "300K")])
def test_equal_amounts_are_equal_in_any_unit(a: str, b: str) -> None:
    assert judged({"a": a, "b": b}, "equal", **A_AND_B).outcome == "holds"
    assert judged({"a": a, "b": b}, "on_par", margin=0, **A_AND_B).outcome == "holds"
    assert "is +0 " in judged({"a": a, "b": b}, "greater", **A_OVER_B).why


@pytest.mark.parametrize(
    ("declared", "a", "expected"),
    [
        ("percent top-1", "90.0%", "fails"),
        ("percent top-1", "96.0%", "holds"),
        ("accuracy in %", "96.0%", "holds"),
        ("fraction", "96.0%", "fails"),
        ("minutes", "2 h", "holds"),
        ("", "96.0%", "undecided"),
    ],
)
def test_what_is_declared_counts_where_none_is_printed(
    declared: str, a: str, expected: str
) -> None:
    found = judged({"a": a, "b": "95.0"}, "greater", declared=declared, **A_OVER_B)
    assert found.outcome == expected, found.why


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (("1.5", "hours"), ("80", "minutes"), "holds"),
        (("90.0", "percent"), ("0.95", "fraction"), "fails"),
        (("80", "percent accuracy"), ("70", "percent top-1"), "holds"),
        (("80", "BLEU"), ("70", "ROUGE"), "holds"),
        (("1.5", "hours"), ("80", ""), "fails"),
    ],
)
def test_bare_numbers_may_be_declared_in_two_units(
    a: tuple[str, str], b: tuple[str, str], expected: str
) -> None:
    declared = {"a": a[1], "b": b[1]}
    found = judged({"a": a[0], "b": b[0]}, "greater", declared=declared, **A_OVER_B)
    assert found.outcome == expected, found.why


def test_the_unit_that_is_declared_is_named() -> None:
    found = judged({"a": "90", "b": "1h 20m"}, "greater", declared="min", **A_OVER_B)
    assert found.why.endswith("(in min)")


@pytest.mark.parametrize(
    ("factor", "expected"), [(1.0, "holds"), (1.125, "holds"), (1.126, "fails"), (2.0, "fails")]
)
def test_a_time_is_a_multiple_of_another(factor: float, expected: str) -> None:
    """5400 s are 1.125 times 4800 s."""
    found = judged({"a": "90 min", "b": "1h 20m"}, "slower", factor=factor, **SLOWER)
    assert found.outcome == expected


@given(
    times=st.tuples(*[st.tuples(st.integers(1, 400), st.sampled_from("smhd"))] * 2),
    ours=st.booleans(),
)
def test_times_are_ordered_as_their_lengths(times: Any, ours: bool) -> None:
    names = {
        "s": ("s", "seconds"),
        "m": ("min", "minutes"),
        "h": ("h", "hours"),
        "d": ("d", "days"),
    }
    texts = [f"{amount} {names[unit][0]}" for amount, unit in times]
    a, b = (timedelta(**{names[unit][1]: amount}) for amount, unit in times)
    by_seed = {
        f"e:{row}:x": dict.fromkeys(range(3), float(amount)) | {0: amount * (1 - 1e-9)}
        for row, (amount, _) in zip("ab", times, strict=True)
    }
    found = judged(
        dict(zip("ab", texts, strict=True)),
        "greater",
        source="reproduced" if ours else "reported",
        by_seed=by_seed if ours else None,
        **A_OVER_B,
    )
    if a != b:
        assert found.outcome == ("holds" if a > b else "fails"), found.why


@given(
    values=st.tuples(*[st.integers(1, 99)] * 2),
    unit=st.sampled_from(["", " min", "K", "%", "/178", " kg"]),
    margin=st.integers(0, 50),
    kind=st.sampled_from(["greater", "on_par", "on_par_or_better", "equal"]),
)
def test_numbers_of_one_unit_are_compared_as_they_stand(
    values: tuple[int, int], unit: str, margin: int, kind: str
) -> None:
    fields = A_OVER_B if kind in ("greater", "on_par_or_better") else A_AND_B
    asked = {**fields, **({} if kind == "equal" else {"margin": margin})}
    found = judged({row: f"{v}{unit}" for row, v in zip("ab", values, strict=True)}, kind, **asked)
    plain = judged({row: str(v) for row, v in zip("ab", values, strict=True)}, kind, **asked)
    assert found == plain


@pytest.mark.parametrize(
    ("b", "margin", "expected"),
    [
        ("1h 20m", 5.0, "undecided"),
        ("1h 20m", 700.0, "undecided"),
        ("1h 20m", 0.0, "fails"),
        ("80 mins", 5.0, "fails"),
        ("80 mins", 10.0, "holds"),
    ],
)
def test_a_margin_is_in_the_one_unit_of_the_numbers(b: str, margin: float, expected: str) -> None:
    found = judged({"a": "90 min", "b": b}, "on_par", margin=margin, **A_AND_B)
    assert found.outcome == expected
    said = "min, s, and nothing says in which of them the claim is"
    assert (said in found.why) == (expected == "undecided")


def test_a_margin_is_in_the_unit_of_every_pair() -> None:
    asked = {"better": ["e:a:x", "e:c:x"], "worse": ["e:b:x", "e:d:x"]}
    texts = {"a": "90 min", "b": "80 min", "c": "9 s", "d": "3 s"}
    assert judged(texts, "greater", margin=5, **asked).outcome == "undecided"
    assert judged(texts, "greater", **asked).outcome == "holds"


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ({"a": "2.0M", "b": "1.8M"}, "holds"),
        ({"a": "2.0M", "b": "1800K"}, "undecided"),
        ({"a": "2.0M", "b": "9.0M"}, "fails"),
        ({"a": "2.0K", "b": "9.0M"}, "undecided"),
        ({"a": "2.0M", "b": "1.8"}, "undecided"),
    ],
)
def test_bounds_are_in_the_one_unit_of_the_numbers(texts: Mapping[str, str], expected: str) -> None:
    cells = [f"e:{row}:x" for row in texts]
    assert judged(texts, "within", cells=cells, low=1.5, high=2.5).outcome == expected


@pytest.mark.parametrize(
    ("low", "expected"), [(0, ["holds", "holds", "not applicable", "holds"]), (1, None)]
)
def test_a_bound_of_0_is_in_any_unit(low: int, expected: list[str] | None) -> None:
    """A word and a number of the claim itself have no unit, which is not an unknown one."""
    cells = ["e:a:x", "e:b:x", "e:c:x", 1.0]
    texts = {"a": "90 min", "b": "1h 2m", "c": "OOM"}
    found = judged(texts, "within", cells=cells, low=low).comparisons
    expected = expected or ["undecided", "undecided", "not applicable", "undecided"]
    assert [made.outcome for made in found] == expected


def test_gaps_are_compared_in_one_unit() -> None:
    """From half an hour to ten minutes."""
    printed = {"a": "90 min", "b": "1 h", "c": "40 min", "d": "1800 s"}
    numbers = {"a": "e:a:w", "b": "e:b:w", "c": "e:a:n", "d": "e:b:n"}
    read = {at: read_printed(printed[row]) for row, at in numbers.items()}
    asked = {"exhibit": "e", "left": "a", "right": "b", "wide": ["w"], "narrow": ["n"]}
    found = evaluate(
        claim("gap_shrinks", margin=0, **asked),
        {at: Summary.exact(float(number.number)) for at, number in read.items()}.get,
        units={at: Unit.of(number) for at, number in read.items()},
    )
    assert found.outcome == "holds"
    assert "is +20 " in found.why
    assert found.why.endswith("(in min)")


@given(
    amounts=st.tuples(*[st.integers(0, 10**6)] * 2),
    units=st.tuples(
        *[st.sampled_from(["s", "min", "h", "ms", "d", "K", "M", "%", "/178", "kg"])] * 2
    ),
)
def test_a_unit_is_so_many_of_another_and_back(
    amounts: tuple[int, int], units: tuple[str, str]
) -> None:
    there, back = Unit(units[0]).per(Unit(units[1])), Unit(units[1]).per(Unit(units[0]))
    assert (there is None) == (back is None)
    if there is not None and back is not None:
        assert abs(Fraction(there) * Fraction(back) - 1) < Fraction(1, 10**12)


def with_costs(folder: Path, a: str, b: str, declared: str = "") -> Paper:
    """A paper with a table of two cells."""
    place = new_workplace(folder)
    text = TABLE.format(a=a, b=b, declared=declared)
    (place.specs / "tables/costs.toml").write_text(text, encoding="utf-8")
    return place.paper


@pytest.mark.parametrize(
    ("a", "b", "declared", "expected"),
    [
        ("1h 20m", "90 min", "", "holds"),
        ("90 min", "1h 20m", "", "fails"),
        ("90", "1h 20m", "min", "fails"),
        ("1.5", "1h 20m", "time in h", "undecided"),
    ],
)
def test_a_table_is_compared_in_one_unit(
    tmp_path: Path, a: str, b: str, declared: str, expected: str
) -> None:
    asked = claim("greater", better=["costs:a:x"], worse=["costs:b:x"])
    assert on_reported(with_costs(tmp_path, a, b, declared), asked).outcome == expected


@pytest.mark.parametrize(("b", "expected"), [("66.7%", "holds"), ("80%", "fails")])
def test_what_a_table_counts_is_not_rounded(tmp_path: Path, b: str, expected: str) -> None:
    asked = claim("equal", left=["costs:a:x"], right=["costs:b:x"])
    assert on_reported(with_costs(tmp_path, "2/3", b), asked).outcome == expected


@pytest.mark.parametrize(
    ("cell", "text", "declared", "expected"),
    [
        ("2.0M", "900,000", "", "undecided"),
        ("85%", "0.90", "", "undecided"),
        ("1h 20m", "1.2", "", "undecided"),
        ("90.1%", "85 ± 0.4%", "", "holds"),
        ("90.1", "85", "percent accuracy", "holds"),
        ("90.1", "85%", "percent, top-1", "holds"),
        ("90", "1 min", "seconds (mean, 95% CI)", "holds"),
    ],
)
def test_a_bare_number_of_a_text_is_in_no_other_ones_unit(
    cell: str, text: str, declared: str, expected: str
) -> None:
    stated = {"x": {"text": text, "where": "S1", "quote": text, "quantity": "q"}}
    told = {"unit": declared} if declared else {}
    made = table("t", {"A": {"cells": {"Small": cell}}}, reporting=told, stated=stated)
    asked = claim("greater", better=["t:A:Small"], worse=["t:stated:x"])
    assert on_reported(paper(made), asked).outcome == expected
