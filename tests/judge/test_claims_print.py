"""Claims about what is printed: restated numbers, lower that is better, bounds and words."""

from contextlib import nullcontext
from decimal import ROUND_HALF_EVEN, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.judge.sample import Summary
from harness.spec.reading import read_printed
from tests.judge.claims import A_OVER_B, claim, evaluate, outcome


class TestPrint:
    def test_a_printed_multiple(self):
        """ "5x longer (i.e., 50k iterations)" than 10k."""
        numbers = {"f:stated:long": Summary.exact(50), "f:stated:times": Summary.exact(5)}.get
        fields = {"number": "f:stated:long", "factor": "f:stated:times"}
        assert outcome("times", numbers, **fields, of=10.0).outcome == "holds"
        result = outcome("times", numbers, **fields, of=12.0)
        assert result.outcome == "fails"
        assert "50, which is not 5 × 12" in result.why

    def test_the_same_cell_in_two_tables(self):
        same = outcome(
            "equal", left=["table11:Compute-aware:IPC 50"], right=["table7:CAD-Prune:IPC 50"]
        )
        other = outcome("equal", left=["table6:CA2D:HL/IPC 50"], right=["table7:CA2D:IPC 50"])
        assert (same.outcome, other.outcome) == ("holds", "fails")
        assert "41.56" in other.why
        assert "41.72" in other.why

    def test_the_error_is_part_of_the_number(self):
        numbers = {"e:a:x": Summary(40.21, 0.15, 3), "e:b:x": Summary(40.21, 0.16, 3)}.get
        assert outcome("equal", numbers, left=["e:a:x"], right=["e:b:x"]).outcome == "fails"
        assert outcome("equal", numbers, left=["e:a:x"], right=[40.21]).outcome == "holds"

    def test_printed_differences(self):
        """40.21 - 30.95 = 9.26 and 47.40 - 39.94 = 7.46, printed (+ 9.3) and (+ 7.5)."""
        fields = {
            "exhibit": "table11",
            "left": ["Compute-aware"],
            "right": ["Early"],
            "columns": ["IPC 50", "IPC 100"],
        }
        assert outcome("arithmetic", **fields, printed=["9.3", "7.5"]).outcome == "holds"
        assert outcome("arithmetic", **fields, printed=["9.3", "7.4"]).outcome == "fails"
        assert outcome("arithmetic", **fields, printed=["9.30", "7.46"]).outcome == "fails"

    def test_a_printed_range_of_differences(self):
        """ "approximately 8-13 %": 7.68 and 13.14."""
        fields = {"left": ["TM"], "right": ["K-centers"], "columns": ["HL/IPC 10", "HL/IPC 50"]}
        fields["exhibit"] = "table3"
        good = outcome("arithmetic", **fields, smallest="8", largest="13")
        bad = outcome("arithmetic", **fields, smallest="8", largest="14")
        assert (good.outcome, bad.outcome) == ("holds", "fails")

    def test_halves_may_round_either_way(self):
        for printed in ("0.2", "0.3"):
            assert outcome("arithmetic", left=[0.25], right=[0.0], printed=[printed]).outcome == (
                "holds"
            )

    def test_small_numbers_are_rounded_as_large_ones(self):
        small = {"left": [5e-10], "right": [3e-10]}
        assert outcome("arithmetic", **small, printed=["2e-10"]).outcome == "holds"
        assert outcome("arithmetic", **small, printed=["3e-10"]).outcome == "fails"
        near = {"left": [0.1 + 0.2], "right": [0.0], "printed": ["0.300000000000"]}
        assert outcome("arithmetic", **near).outcome == "holds", "no decimal has those last bits"

    def test_a_range_of_rounded_differences(self):
        """5.2 - 4.2 is 0.9 to 1.1 before rounding, and 2.13 - 1.10 is 1.02 to 1.04."""
        values = {"e:a:x": 5.2, "e:b:x": 4.2, "e:a:y": 2.13, "e:b:y": 1.1}
        numbers = {at: Summary.exact(value) for at, value in values.items()}
        halves = {"e:a:x": 0.05, "e:b:x": 0.05, "e:a:y": 0.005, "e:b:y": 0.005}
        cells = {"exhibit": "e", "left": ["a"], "right": ["b"], "columns": ["x", "y"]}
        for smallest, largest, expected in (
            ("0.90", "1.10", "holds"),
            ("1.04", "1.10", "holds"),
            ("0.90", "1.02", "holds"),
            ("0.89", "1.10", "fails"),
            ("1.05", "1.10", "fails"),
            ("0.90", "1.11", "fails"),
            ("0.90", "1.01", "fails"),
        ):
            asked = claim("arithmetic", **cells, smallest=smallest, largest=largest)
            assert evaluate(asked, numbers.get, half_units=halves).outcome == expected

    @pytest.mark.parametrize(
        ("smallest", "largest", "refused"),
        [
            ("1.04", "1.02", True),
            ("90 min", "80 min", True),
            ("1.0", "0.95", False),
            ("1.0", "1.0", False),
            ("90 min", "2 h", False),
        ],
    )
    def test_a_range_ends_above_where_it_begins(self, smallest, largest, refused):
        """1.0 and 0.95 may both be 0.953."""
        ends = {"left": ["e:a:x"], "right": ["e:b:x"], "smallest": smallest, "largest": largest}
        with pytest.raises(ValueError, match="is above 'largest'") if refused else nullcontext():
            claim("arithmetic", **ends)

    @pytest.mark.parametrize(
        ("printed", "count", "expected"),
        [
            ("411K", 410_984, "holds"),
            ("411K", 411_501, "fails"),
            ("11M", 11_227_812, "holds"),
            ("60M", 58_348_708, "holds"),
            ("60M", 54_900_000, "fails"),
            ("60.0M", 58_348_708, "fails"),
            ("10", 16, "fails"),
            ("11.2M", 11_227_812, "holds"),
        ],
    )
    def test_parameter_counts(self, printed, count, expected):
        numbers = {"m:stated:count": Summary.exact(count)}.get
        result = outcome("parameter_count", numbers, printed=printed, count="m:stated:count")
        assert result.outcome == expected


digits = st.integers(0, 3)
numbers_in_full = st.decimals(-99, 99, places=5)


def printed_to(places, *values):
    """What a paper prints of numbers, as its cells and with half a unit of each."""
    unit = Decimal(1).scaleb(-places)
    shown = [value.quantize(unit, ROUND_HALF_EVEN) for value in values]
    cells = {f"e:{name}:x": Summary.exact(float(v)) for name, v in zip("abc", shown, strict=False)}
    return shown, cells, dict.fromkeys(cells, float(unit) / 2)


class TestRounding:
    """What was computed before rounding need not come out of the rounded numbers."""

    @pytest.mark.parametrize(("printed", "expected"), [("2.3", "holds"), ("2.2", "fails")])
    def test_of_what_is_subtracted(self, printed, expected):
        """12.45 - 10.14 is 2.31; nothing that prints 12.5 and 10.1 is less than 2.30 apart."""
        numbers = {"e:a:x": Summary.exact(12.5), "e:b:x": Summary.exact(10.1)}
        asked = claim("arithmetic", left=["e:a:x"], right=["e:b:x"], printed=[printed])
        found = evaluate(asked, numbers.get, half_units={"e:a:x": 0.05, "e:b:x": 0.05})
        assert found.outcome == expected
        assert "is 2.4 (2.30 to 2.50 before rounding)" in found.why

    @pytest.mark.parametrize(("product", "expected"), [(10.0, "holds"), (10.1, "fails")])
    def test_of_what_is_multiplied(self, product, expected):
        """3 × 3.335 is 10.005."""
        numbers = {"e:a:x": Summary.exact(product), "e:b:x": Summary.exact(3.33)}
        asked = claim("times", number="e:a:x", of="e:b:x", factor=3.0)
        halves = {"e:a:x": 0.05, "e:b:x": 0.005}
        assert evaluate(asked, numbers.get, half_units=halves).outcome == expected
        assert evaluate(asked, numbers.get).outcome == "fails", "they are not printed"

    @given(numbers_in_full, numbers_in_full, digits, digits)
    def test_what_was_right_before_rounding_never_fails(self, a, b, places, of_result):
        (difference,), _, _ = printed_to(of_result, a - b)
        _, numbers, halves = printed_to(places, a, b)
        asked = claim("arithmetic", left=["e:a:x"], right=["e:b:x"], printed=[f"{difference:f}"])
        assert evaluate(asked, numbers.get, half_units=halves).outcome == "holds"
        _, numbers, halves = printed_to(places, a * b, a, b)
        asked = claim("times", number="e:a:x", of="e:b:x", factor="e:c:x")
        assert evaluate(asked, numbers.get, half_units=halves).outcome == "holds"

    @given(st.integers(-60, 60), st.integers(-60, 60), st.integers(-60, 60))
    def test_what_no_numbers_before_rounding_give_fails(self, a, b, printed):
        """Of numbers in tenths: what may have been subtracted, in steps of half a tenth."""
        before = {(a - b) * 2 + moved for moved in (-2, -1, 0, 1, 2)}
        possible = any(abs(2 * printed - gap) <= 1 for gap in before)
        numbers = {"e:a:x": Summary.exact(a / 10), "e:b:x": Summary.exact(b / 10)}
        text = f"{Decimal(printed).scaleb(-1)}"
        asked = claim("arithmetic", left=["e:a:x"], right=["e:b:x"], printed=[text])
        found = evaluate(asked, numbers.get, half_units=dict.fromkeys(numbers, 0.05))
        assert found.outcome == ("holds" if possible else "fails")


def test_spreads_are_told_apart_in_any_unit():
    numbers = {"e:a:x": Summary(4e-9, 2e-10, 3), "e:b:x": Summary(4e-9, 3e-10, 3)}
    found = evaluate(claim("equal", left=["e:a:x"], right=["e:b:x"]), numbers.get)
    assert found.outcome == "fails"


class TestRestated:
    """A comparison that could not have come out otherwise is not one that holds."""

    STATED = frozenset({"f:stated:a", "f:stated:b"})

    def restated(self, kind, values, **fields):
        numbers = {key: Summary.exact(value) for key, value in values.items()}
        return evaluate(claim(kind, **fields), numbers.get, quoted=self.STATED).outcome

    @pytest.mark.parametrize(("value", "expected"), [(2, "restated"), (2.5, "holds"), (1, "fails")])
    def test_a_number_against_the_bound_that_it_was_copied_to(self, value, expected):
        cells = {"cells": ["f:stated:a"], "low": 2.0, "high": 3.0}
        assert self.restated("within", {"f:stated:a": value}, **cells) == expected
        slower = {"slow": "f:stated:a", "fast": 1.0, "factor": 2.0}
        assert self.restated("slower", {"f:stated:a": value}, **slower) == expected

    def test_two_numbers_of_one_sentence_are_one_where_they_are_equal(self):
        fields = {"left": ["f:stated:a"], "right": ["f:stated:b"]}
        same, apart = {"f:stated:a": 1, "f:stated:b": 1}, {"f:stated:a": 1, "f:stated:b": 1.5}
        assert self.restated("on_par", same, **fields) == "restated"
        assert self.restated("on_par", apart, **fields) == "holds"

    def test_numbers_that_differ_are_no_copies_in_any_unit(self):
        fields = {"left": ["f:stated:a"], "right": ["f:stated:b"], "margin": 1e-9}
        apart = {"f:stated:a": 3e-10, "f:stated:b": 4e-10}
        assert self.restated("on_par", apart, **fields) == "holds"

    def test_a_number_of_another_place_is_a_test(self):
        numbers = {"e:r:c": 2.0}
        assert self.restated("within", numbers, cells=["e:r:c"], low=2.0) == "holds"

    def test_others_decide_beside_it(self):
        numbers = {"f:stated:a": 2.0, "e:r:c": 2.5, "e:r:d": 1.0}
        both = {"cells": ["f:stated:a", "e:r:c"], "low": 2.0}
        assert self.restated("within", numbers, **both) == "holds"
        both["cells"].append("e:r:d")
        assert self.restated("within", numbers, **both) == "fails"

    @pytest.mark.parametrize(
        ("kind", "fields"),
        [
            ("parameter_domain", {"value": "f:stated:b", "high": 0.0, "high_open": True}),
            ("within", {"cells": ["f:stated:b"], "high": 0.0}),
            ("greater", {"better": [0.0], "worse": ["f:stated:b"]}),
            ("correlation", {"value": "f:stated:b", "high": 0.0}),
        ],
    )
    def test_a_search_that_goes_no_further_shows_nothing(self, kind, fields):
        numbers = {"f:stated:b": Summary.exact(-0.2)}
        for ends, expected in (((-5.0, -0.001), "restated"), ((-5.0, 5.0), "holds")):
            searched = {"f:stated:b": ends}
            found = evaluate(claim(kind, **fields), numbers.get, "reproduced", searched=searched)
            assert found.outcome == expected

    def test_an_open_end_is_not_in_the_domain(self):
        numbers = {"f:stated:b": Summary.exact(-0.2)}.get
        domain = claim("parameter_domain", value="f:stated:b", high=0.0, high_open=True)
        found = evaluate(domain, numbers, "reproduced", searched={"f:stated:b": (-5.0, 0.0)})
        assert found.outcome == "holds"


ERRORS = {"e:a:x": 3.1, "e:b:x": 4.2, "e:c:x": 3.15}


class TestLowerIsBetter:
    """Error rates: a has 3.1, c 3.15 and b 4.2."""

    @pytest.mark.parametrize(
        ("kind", "better", "worse", "margin", "expected"),
        [
            ("greater", "e:a:x", "e:b:x", 0.0, "holds"),
            ("greater", "e:b:x", "e:a:x", 0.0, "fails"),
            ("greater", "e:a:x", "e:c:x", 0.1, "undecided"),
            ("greater", "e:a:x", 4.0, 0.0, "holds"),
            ("on_par_or_better", "e:a:x", "e:b:x", 0.1, "holds"),
            ("on_par_or_better", "e:c:x", "e:a:x", 0.1, "holds"),
            ("on_par_or_better", "e:b:x", "e:a:x", 0.1, "fails"),
        ],
    )
    def test_better_is_lower(self, kind, better, worse, margin, expected):
        asked = claim(kind, better=[better], worse=[worse], margin=margin)
        numbers = {at: Summary.exact(value) for at, value in ERRORS.items()}
        assert evaluate(asked, numbers.get, lower=frozenset(ERRORS)).outcome == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("> 0.001", "undecided"), ("OOM", "not applicable"), ("–", "not applicable")],
)
def test_what_is_printed_instead_of_a_number_decides_what_a_claim_can_say(text, expected):
    asked = claim("greater", **A_OVER_B)
    numbers = {"e:a:x": Summary.exact(1.0)}
    found = evaluate(asked, numbers.get, without={"e:b:x": read_printed(text)})
    assert found.outcome == expected
    assert f"'{text}'" in found.why
    assert evaluate(asked, numbers.get).outcome == "not run"


@pytest.mark.parametrize(
    ("kind", "sides"),
    [
        ("equal", ("left", "right")),
        ("on_par", ("left", "right")),
        ("greater", ("better", "worse")),
        ("on_par_or_better", ("better", "worse")),
    ],
)
def test_a_number_beside_itself_is_restated(kind, sides):
    numbers = {"e:a:x": Summary.exact(1.0)}
    asked = claim(kind, **{side: ["e:a:x"] for side in sides})
    assert evaluate(asked, numbers.get).outcome == "restated"
    assert evaluate(asked, numbers.get, lower=frozenset(numbers)).outcome == "restated"


def test_a_gap_beside_itself_is_restated():
    numbers = {"e:a:x": Summary.exact(5.0), "e:b:x": Summary.exact(1.0)}
    asked = claim("gap_shrinks", exhibit="e", left="a", right="b", wide=["x"], narrow=["x"])
    assert evaluate(asked, numbers.get).outcome == "restated"


@pytest.mark.parametrize(
    ("text", "low", "high", "expected"),
    [
        ("< 0.001", None, 0.05, "holds"),
        ("< 0.05", None, 0.05, "holds"),
        ("< 0.1", None, 0.05, "undecided"),
        ("> 0.1", None, 0.05, "fails"),
        ("> 0.01", None, 0.05, "undecided"),
        ("< 0.001", 0.05, None, "fails"),
        ("< 0.001", -1.0, 0.05, "undecided"),
        ("≥ 95", 90.0, None, "holds"),
        ("≥ 95", 90.0, 100.0, "undecided"),
        ("≥ 95", 0.0, 90.0, "fails"),
    ],
)
def test_a_bound_settles_what_no_number_beyond_it_changes(text, low, high, expected):
    asked = claim("within", cells=["e:p:x"], low=low, high=high)
    found = evaluate(asked, {}.get, without={"e:p:x": read_printed(text)})
    assert found.outcome == expected
    assert f"'{text}'" in found.why


@given(
    bounds=st.tuples(*[st.sampled_from(["", "<", ">"])] * 2).filter(any),
    ends=st.tuples(*[st.integers(-3, 3)] * 2),
    beyond=st.tuples(*[st.integers(1, 9)] * 2),
    kind=st.sampled_from(["greater", "on_par", "on_par_or_better"]),
)
def test_a_settled_claim_has_that_outcome_for_every_number_that_keeps_the_bounds(
    bounds, ends, beyond, kind
):
    names = ("better", "worse") if kind != "on_par" else ("left", "right")
    asked = claim(kind, margin=1.0, **dict(zip(names, (["e:a:x"], ["e:b:x"]), strict=True)))
    known, without, kept = {}, {}, {}
    rows = zip(("e:a:x", "e:b:x"), bounds, ends, beyond, strict=True)
    for at, relation, end, step in rows:
        kept[at] = Summary.exact(end + step * {"": 0, "<": -1, ">": 1}[relation])
        if relation:
            without[at] = read_printed(f"{relation} {end}")
        else:
            known[at] = kept[at]
    found = evaluate(asked, known.get, without=without).outcome
    assert found in ("holds", "fails", "undecided")
    if found != "undecided":
        assert evaluate(asked, kept.get).outcome == found


@pytest.mark.parametrize("kind", ["gap_closes", "gap_shrinks"])
def test_a_gap_is_a_lead_whichever_numbers_are_better(kind):
    accuracies = {"e:a:x": 90.0, "e:b:x": 80.0, "e:a:y": 95.0, "e:b:y": 94.8}
    asked = claim(kind, exhibit="e", left="a", right="b", wide=["x"], narrow=["y"])
    errors = {at: Summary.exact(100.0 - value) for at, value in accuracies.items()}
    found = evaluate(asked, errors.get, lower=frozenset(errors))
    assert found.outcome == "holds"
    # Read as plain differences, the gap would be -10 and grow.
    assert evaluate(asked, errors.get).outcome != "holds"
