"""Claims that a gap between two methods closes or shrinks; worked out by hand from the paper."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.judge.sample import ReportedNumber, Summary
from tests.judge.claims import TM_LEAD, TM_LEAD_LOW_IPC, claim, outcome


class TestGapCloses:
    def test_it_closes_at_high_ipc_only(self):
        """HL 7.68 -> SL 0.02 at IPC 50; HL 13.14 -> SL 2.90 at IPC 10."""
        high = outcome("gap_closes", **TM_LEAD, wide=["HL/IPC 50"], narrow=["SL/IPC 50"])
        low = outcome("gap_closes", **TM_LEAD, wide=["HL/IPC 10"], narrow=["SL/IPC 10"])
        assert (high.outcome, low.outcome) == ("holds", "fails")

    def test_a_gap_that_never_was_wide_cannot_close(self):
        """0.02 in print; or turned round, 12.44 against 14.41 without any ±."""
        result = outcome("gap_closes", **TM_LEAD, wide=["SL/IPC 50"], narrow=["SL/IPC 50"])
        assert result.outcome == "not applicable"
        assert "no gap to close" in result.why
        gap = {"exhibit": "e", "left": "l", "right": "r", "wide": ["w"], "narrow": ["n"]}
        values = {"e:l:w": 12.44, "e:r:w": 14.41, "e:l:n": 15.69, "e:r:n": 22.99}
        printed = {key: ReportedNumber(value).summary() for key, value in values.items()}
        assert outcome("gap_closes", printed.get, **gap).outcome == "not applicable"

    def test_single_runs_do_not_show_that_there_is_no_gap(self):
        gap = {"exhibit": "e", "left": "l", "right": "r", "wide": ["w"], "narrow": ["n"]}
        single = {f"e:{cell}": Summary.of([1.0]) for cell in ("l:w", "r:w", "l:n", "r:n")}
        assert outcome("gap_closes", single.get, "reproduced", **gap).outcome == "undecided"

    def test_only_columns_with_a_gap_count(self):
        """SL/IPC 50 has none; HL/IPC 50 closes, and HL/IPC 10 does not."""
        wide, narrow = ["SL/IPC 50", "HL/IPC 50"], ["SL/IPC 50", "SL/IPC 50"]
        result = outcome("gap_closes", **TM_LEAD, wide=wide, narrow=narrow)
        assert (result.outcome, len(result.comparisons)) == ("holds", 2)
        wide, narrow = ["SL/IPC 50", "HL/IPC 10"], ["SL/IPC 50", "SL/IPC 10"]
        result = outcome("gap_closes", **TM_LEAD, wide=wide, narrow=narrow)
        assert result.outcome == "fails"


class TestGapShrinks:
    def test_the_papers_lead_shrinks_without_closing(self):
        """13.14 - 2.90 = 10.24. Four samples of 3: variance (0.42² + 0.30² + 0.25² + 0.27²) / 3 =
        0.1339, Satterthwaite's df 0.4018² / (0.04844 / 2) = 6.67, t = 2.388, so ± 0.874.
        """
        result = outcome("gap_shrinks", **TM_LEAD_LOW_IPC)
        assert result.outcome == "holds"
        assert result.comparisons[0].difference == pytest.approx(10.24)
        assert result.comparisons[0].interval == pytest.approx((9.366, 11.114), abs=2e-3)

    @pytest.mark.parametrize(
        ("margin", "expected"), [(9.0, "holds"), (10.0, "undecided"), (11.0, "undecided")]
    )
    def test_by_more_than_the_margin(self, margin, expected):
        assert outcome("gap_shrinks", **TM_LEAD_LOW_IPC, margin=margin).outcome == expected

    def test_a_gap_that_grows_fails(self):
        turned = {**TM_LEAD, "wide": ["SL/IPC 10"], "narrow": ["HL/IPC 10"]}
        assert outcome("gap_shrinks", **turned).outcome == "fails"

    def test_columns_are_taken_in_pairs(self):
        """IPC 50 shrinks from 7.68 to 0.02."""
        both = {
            **TM_LEAD,
            "wide": ["HL/IPC 10", "HL/IPC 50"],
            "narrow": ["SL/IPC 10", "SL/IPC 50"],
        }
        result = outcome("gap_shrinks", **both)
        assert [round(c.difference, 2) for c in result.comparisons] == [10.24, 7.66]
        with pytest.raises(ValueError, match="cannot match"):
            claim("gap_shrinks", **{**both, "narrow": ["SL/IPC 10"]})

    @given(
        st.lists(st.integers(0, 10**6).map(lambda n: n / 10**4), min_size=3, max_size=5),
        st.lists(st.integers(0, 10**6).map(lambda n: n / 10**4), min_size=3, max_size=5),
    )
    def test_from_a_known_gap_of_nothing_it_is_welchs_test(self, a, b):
        """With constants in the narrow columns, only the wide gap is uncertain."""
        numbers = {"e:l:w": Summary.of(a), "e:r:w": Summary.of(b)}
        numbers |= {"e:l:n": Summary.exact(5.0), "e:r:n": Summary.exact(5.0)}
        gap = {"exhibit": "e", "left": "l", "right": "r", "wide": ["w"], "narrow": ["n"]}
        result = outcome("gap_shrinks", numbers.get, **gap, margin=0.0)
        alone = outcome("greater", numbers.get, better=["e:l:w"], worse=["e:r:w"])
        assert result.outcome == alone.outcome
        assert result.comparisons[0].interval == pytest.approx(alone.comparisons[0].interval)

    def test_without_any_spread(self):
        """Printed means decide; single runs of ours do not."""
        values = {"e:l:w": 15.62, "e:r:w": 10.39, "e:l:n": 23.64, "e:r:n": 20.36}
        gap = {"exhibit": "e", "left": "l", "right": "r", "wide": ["w"], "narrow": ["n"]}
        printed = {key: ReportedNumber(value).summary() for key, value in values.items()}
        single = {key: Summary.of([value]) for key, value in values.items()}
        assert outcome("gap_shrinks", printed.get, **gap).outcome == "holds"
        assert outcome("gap_shrinks", printed.get, **gap, margin=2.0).outcome == "undecided"
        assert outcome("gap_shrinks", single.get, "reproduced", **gap).outcome == "undecided"
