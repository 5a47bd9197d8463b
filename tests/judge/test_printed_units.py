"""Claims about what is printed in several units: equal numbers, multiples, differences, counts."""

from __future__ import annotations

import pytest

from tests.judge.claims import A_AND_B, judged

TIMES = {"number": "e:a:x", "of": "e:b:x"}


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("90 min", "5400 s", "holds"),
        ("2.0M", "2.0K", "fails"),
        ("0.9", "90%", "undecided"),
        ("90%", "90%", "holds"),
        ("2/3", "66.7%", "holds"),
        ("66.7%", "2/3", "holds"),
        ("2/3", "66.8%", "fails"),
        ("2/3", "80%", "fails"),
        ("411K", "0.41M", "holds"),
        ("416K", "0.41M", "fails"),
        ("80 min", "1.3 h", "holds"),
        ("82 min", "1.3 h", "fails"),
        ("80 min ± 6", "1.3 h ± 0.1", "holds"),
        ("80 min ± 6", "1.3 h ± 0.4", "undecided"),
        ("80.0", "80", "holds"),
        ("80.4", "80", "fails"),
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
        ("2.0M", "1.2M", "1.0M", "fails"),
        ("2.0M", "900K", "1.1M", "holds"),
        ("90 min", "1h 20m", "10 min", "holds"),
        ("2000000", "1200000", "0.8M", "holds"),
        ("95.0", "90.0", "5.0%", "holds"),
        ("95.0%", "90.0%", "5.0", "holds"),
        ("95.0", "90.0", "4.0%", "undecided"),
        ("95.0%", "90.0%", "4.0", "undecided"),
        ("95.0%", "90.0%", "5.0 pp", "holds"),
        ("0.95", "0.90", "5.0%", "undecided"),
        ("2000000", "1200000", "0.9M", "undecided"),
        ("2.0M", "1.2M", "800000", "undecided"),
        ("5000 ms", "3000 ms", "2", "undecided"),
        ("2000000", "1200000", "900000", "fails"),
        ("5000 min", "1h 20m", "200", "undecided"),
        ("3 s", "2 s", "1 kg", "undecided"),
    ],
)
def test_a_difference_is_taken_in_the_unit_of_the_printed_one(
    a: str, b: str, printed: str, expected: str
) -> None:
    found = judged({"a": a, "b": b}, "arithmetic", printed=[printed], **A_AND_B)
    assert found.outcome == expected, found.why


def test_a_difference_is_taken_in_the_unit_that_is_declared() -> None:
    asked = {**A_AND_B, "printed": ["5.0%"]}
    found = judged({"a": "0.95", "b": "0.90"}, "arithmetic", declared="fraction", **asked)
    assert found.outcome == "holds"


def test_a_number_of_the_claim_is_not_turned_into_another_unit() -> None:
    asked = {"left": ["e:a:x"], "right": [10.0]}
    outcomes = {
        printed: judged({"a": "90 min"}, "arithmetic", printed=[printed], **asked).outcome
        for printed in ("80 min", "4800 s", "82 min")
    }
    assert outcomes == {"80 min": "holds", "4800 s": "undecided", "82 min": "fails"}


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


@pytest.mark.parametrize(
    ("count", "expected"), [("410.9K", "holds"), ("0.4M", "holds"), ("0.5M", "fails")]
)
def test_a_count_that_is_printed_with_a_letter(count: str, expected: str) -> None:
    found = judged({"a": count}, "parameter_count", printed="411K", count="e:a:x")
    assert found.outcome == expected
