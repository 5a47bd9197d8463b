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

from harness.judge.claims import Evaluation, evaluate
from harness.judge.model import Source
from harness.judge.outcomes import on_reported
from harness.judge.sample import ReportedNumber, Summary
from harness.spec.reading import read_printed
from harness.spec.reporting import Reporting
from harness.spec.units import Unit
from tests.judge.claims import A_OVER_B, claim
from tests.toy.paper import new_workplace

A_AND_B = {"left": ["e:a:x"], "right": ["e:b:x"]}
SLOWER = {"slow": "e:a:x", "fast": "e:b:x"}
TIMES = {"number": "e:a:x", "of": "e:b:x"}
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


def judged(
    texts: Mapping[str, str],
    kind: str,
    *,
    declared: str = "",
    source: Source = "reported",
    by_seed: Mapping[str, Mapping[int, float]] | None = None,
    **fields: Any,
) -> Evaluation:
    """A claim on `e:a:x`, `e:b:x`, ..., where a text is printed for each letter."""
    printed = {f"e:{row}:x": read_printed(text) for row, text in texts.items()}
    numbers = {
        at: ReportedNumber.read(number, Reporting()).summary()
        for at, number in printed.items()
        if number.is_number
    }
    return evaluate(
        claim(kind, **fields),
        numbers.get,
        source,
        by_seed=by_seed,
        without={at: number for at, number in printed.items() if at not in numbers},
        units={at: Unit.of(number, declared) for at, number in printed.items()},
    )


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
    ("margin", "expected"),
    # 600 s are 10 min: less than 5 of neither, more than 700 of both.
    [(5.0, "fails"), (700.0, "holds"), (60.0, "undecided")],
)
def test_a_margin_is_in_any_of_the_units(margin: float, expected: str) -> None:
    found = judged({"a": "90 min", "b": "1h 20m"}, "on_par", margin=margin, **A_AND_B)
    assert found.outcome == expected
    said = "min, s, and nothing says in which of them the claim is"
    assert (said in found.why) == (expected == "undecided")


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ({"a": "2.0M", "b": "1.8M"}, "holds"),
        ({"a": "2.0M", "b": "1800K"}, "undecided"),
        ({"a": "2.0M", "b": "9.0M"}, "fails"),
        ({"a": "2.0K", "b": "9.0M"}, "fails"),
        ({"a": "2.0M", "b": "1.8"}, "undecided"),
    ],
)
def test_bounds_are_in_the_one_unit_of_the_numbers(texts: Mapping[str, str], expected: str) -> None:
    cells = [f"e:{row}:x" for row in texts]
    assert judged(texts, "within", cells=cells, low=1.5, high=2.5).outcome == expected


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


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("90 min", "5400 s", "holds"),
        ("2.0M", "2.0K", "fails"),
        ("0.9", "90%", "undecided"),
        ("90%", "90%", "holds"),
    ],
)
def test_equal_numbers_are_so_in_one_unit(a: str, b: str, expected: str) -> None:
    assert judged({"a": a, "b": b}, "equal", **A_AND_B).outcome == expected


@pytest.mark.parametrize(
    ("a", "b", "factor", "expected"),
    [
        ("1.6M", "800K", "2", "holds"),
        ("1.6M", "800M", "2×", "fails"),
        ("90 min", "30", "180 s", "holds"),
        ("45%", "90%", "50%", "undecided"),
        ("50K", "10K", "5×", "holds"),
    ],
)
def test_a_multiple_has_the_unit_of_one_of_its_parts(
    a: str, b: str, factor: str, expected: str
) -> None:
    texts = {"a": a, "b": b, "f": factor}
    assert judged(texts, "times", factor="e:f:x", **TIMES).outcome == expected


@pytest.mark.parametrize(
    ("a", "b", "printed", "expected"),
    [
        ("2.0M", "1.2M", "0.8M", "holds"),
        ("2.0M", "1.2M", "800K", "holds"),
        ("2.0M", "1.2M", "0.9M", "fails"),
        ("2.0M", "900K", "1.1M", "holds"),
        ("90 min", "1h 20m", "10 min", "holds"),
        ("2000000", "1200000", "0.8M", "holds"),
        ("95.0", "90.0", "5.0%", "holds"),
        ("95.0%", "90.0%", "5.0", "holds"),
        ("0.95", "0.90", "5.0%", "undecided"),
        ("3 s", "2 s", "1 kg", "undecided"),
    ],
)
def test_a_difference_is_taken_in_the_unit_of_the_printed_one(
    a: str, b: str, printed: str, expected: str
) -> None:
    found = judged({"a": a, "b": b}, "arithmetic", printed=[printed], **A_AND_B)
    assert found.outcome == expected, found.why


@pytest.mark.parametrize(
    ("ends", "expected"), [(("1.1M", "1100K"), "holds"), (("1M", "1K"), "fails")]
)
def test_a_range_of_differences_has_units_too(ends: tuple[str, str], expected: str) -> None:
    smallest, largest = ends
    texts = {"a": "2.0M", "b": "900K"}
    found = judged(texts, "arithmetic", smallest=smallest, largest=largest, **A_AND_B)
    assert found.outcome == expected


@pytest.mark.parametrize(
    ("printed", "count", "expected"),
    [("411k", 410_984, "holds"), ("411k", 411_501, "fails"), ("1.2T", 1_230_000_000_000, "holds")],
)
def test_every_letter_counts(printed: str, count: int, expected: str) -> None:
    assert judged({}, "parameter_count", printed=printed, count=count).outcome == expected


@pytest.mark.parametrize(("count", "expected"), [("410.9K", "holds"), ("0.4M", "fails")])
def test_a_count_that_is_printed_with_a_letter(count: str, expected: str) -> None:
    found = judged({"a": count}, "parameter_count", printed="411K", count="e:a:x")
    assert found.outcome == expected


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


@pytest.mark.parametrize(
    ("a", "b", "declared", "expected"),
    [
        ("1h 20m", "90 min", "", "holds"),
        ("90 min", "1h 20m", "", "fails"),
        ("90", "1h 20m", "min", "fails"),
    ],
)
def test_a_table_is_compared_in_one_unit(
    tmp_path: Path, a: str, b: str, declared: str, expected: str
) -> None:
    place = new_workplace(tmp_path)
    text = TABLE.format(a=a, b=b, declared=declared)
    (place.specs / "tables/costs.toml").write_text(text, encoding="utf-8")
    asked = claim("greater", better=["costs:a:x"], worse=["costs:b:x"])
    assert on_reported(place.paper, asked).outcome == expected
