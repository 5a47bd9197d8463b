"""Claims on printed numbers and on samples; the cases are worked out by hand from the paper."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ttest_1samp, ttest_ind, ttest_rel

from harness.judge.model import together
from harness.judge.sample import Summary
from tests.judge.claims import A_OVER_B, claim, evaluate, outcome, table3


class TestOnPar:
    def test_the_papers_soft_label_columns(self):
        """2.90 apart with a standard error of 0.21 is beyond 1 point; 0.02 with 0.19 is within."""
        far = table3("on_par", ["SL/IPC 10"], left=["TM"], right=["K-centers"])
        near = table3("on_par", ["SL/IPC 50"], left=["TM"], right=["K-centers"])
        both = table3("on_par", ["SL/IPC 10", "SL/IPC 50"], left=["TM"], right=["K-centers"])
        assert (far.outcome, near.outcome, both.outcome) == ("fails", "holds", "fails")
        assert far.comparisons[0].difference == pytest.approx(2.90)
        assert "table3:TM:SL/IPC 10" in both.why

    def test_a_narrow_margin_is_undecided(self):
        result = table3("on_par", ["SL/IPC 50"], left=["TM"], right=["K-centers"], margin=0.2)
        assert result.outcome == "undecided"

    def test_without_spread_the_printed_means_decide(self):
        cells = {
            "left": ["table9:CAD-Prune:IPC 50/RN50"],
            "right": ["table9:EL2N-Best:IPC 50/RN50"],
        }
        assert outcome("on_par", **cells).outcome == "holds"
        assert outcome("on_par", **cells, margin=0.25).outcome == "holds", "the bound is within"
        assert outcome("on_par", **cells, margin=0.24).outcome == "fails"

    def test_against_a_number(self):
        assert outcome("on_par", left=["table7:DUAL:IPC 10"], right=[15.5]).outcome == "holds"
        assert outcome("on_par", left=["table7:DUAL:IPC 10"], right=[12.0]).outcome == "fails"


class TestGreater:
    def test_everywhere(self):
        columns = ["HL/IPC 10", "HL/IPC 50", "SL/IPC 10"]
        result = table3("greater", columns, better=["TM"], worse=["K-centers"])
        assert result.outcome == "holds"
        assert len(result.comparisons) == 3

    def test_one_tie_leaves_it_undecided(self):
        columns = ["HL/IPC 10", "SL/IPC 50"]
        result = table3("greater", columns, better=["TM"], worse=["K-centers"])
        assert result.outcome == "undecided"

    def test_one_reversal_makes_it_fail(self):
        result = outcome(
            "greater",
            exhibit="table7",
            better=["CAD-Prune"],
            worse=["DUAL"],
            columns=["IPC 10", "IPC 50"],
        )
        assert result.outcome == "fails"
        assert "1 of 2 comparisons fail" in result.why

    def test_without_spread_the_printed_means_decide(self):
        """41.56 against 38.49 is 3.07 more."""
        cells = {"better": ["table6:CA2D:HL/IPC 50"], "worse": ["table6:RDED:HL/IPC 50"]}
        turned = {"better": cells["worse"], "worse": cells["better"]}
        same = {"better": cells["better"], "worse": cells["better"]}
        assert outcome("greater", **cells).outcome == "holds"
        assert outcome("greater", **cells, margin=3.0).outcome == "holds"
        assert outcome("greater", **cells, margin=3.07).outcome == "undecided"
        assert outcome("greater", **turned).outcome == "fails"
        assert outcome("greater", **same).outcome == "restated"

    @pytest.mark.parametrize(
        ("spread", "runs", "margin", "said"),
        [
            (0.0, 1, 5.0, "and is not more than 5, nor surely less than 0"),
            (0.0, 1, 1.0, "and is not more than 1, nor surely less than 0"),
            (0.1, 5, 5.0, "and is not more than 5, nor surely less than 0"),
            (0.9, 5, 1.5, "and is not surely more than 1.5"),
            (9.0, 5, 0.0, "and is not surely more than 0"),
        ],
    )
    def test_a_lead_within_the_margin_is_told_from_one_that_is_not_sure(
        self, spread, runs, margin, said
    ):
        """1 point ahead: it refutes how the margin reads the sentence, and not the sentence."""
        numbers = {"e:a:x": Summary(91.0, spread, runs), "e:b:x": Summary(90.0, spread, runs)}
        found = outcome("greater", numbers.get, **A_OVER_B, margin=margin)
        assert found.outcome == "undecided"
        assert found.why.endswith(said)

    def test_the_decision_is_the_one_sided_welch_test(self):
        a, b = [40.1, 40.9, 41.4], [39.0, 40.2, 39.8]
        numbers = {"e:a:x": Summary.of(a), "e:b:x": Summary.of(b)}.get
        p = ttest_ind(a, b, equal_var=False, alternative="greater").pvalue
        assert 0.02 < p < 0.1
        expected = "holds" if p < 0.05 else "undecided"
        assert outcome("greater", numbers, better=["e:a:x"], worse=["e:b:x"]).outcome == expected

    def test_failing_is_corrected_for_the_number_of_comparisons(self):
        """One reversal at p = 0.03 refutes a claim about itself, not a claim about ten."""
        a, b = [39.0, 40.2, 39.8], [40.3, 40.9, 41.4]
        p = ttest_ind(a, b, equal_var=False, alternative="less").pvalue
        assert 0.005 < p < 0.05
        numbers = {"e:a:x": Summary.of(a), "e:b:x": Summary.of(b), "e:c:x": Summary.of([1, 2, 1])}
        one = outcome("greater", numbers.get, better=["e:a:x"], worse=["e:b:x"])
        ten = outcome(
            "greater", numbers.get, better=["e:a:x"] * 10, worse=["e:b:x"] + ["e:c:x"] * 9
        )
        assert (one.outcome, ten.outcome) == ("fails", "undecided")

    def test_one_number_stands_against_many(self):
        result = outcome(
            "greater",
            better=["table6:CA2D:HL/IPC 50"],
            worse=["table6:RDED:HL/IPC 50", "table6:FAD-RM:HL/IPC 50"],
        )
        assert (result.outcome, len(result.comparisons)) == ("holds", 2)


class TestMissing:
    def test_a_missing_number_is_not_a_pass(self):
        columns = ["HL/IPC 10", "HL/IPC 100"]
        result = table3("greater", columns, better=["TM"], worse=["K-centers"])
        assert result.outcome == "not run"
        assert "table3:TM:HL/IPC 100, table3:K-centers:HL/IPC 100" in result.why

    def test_unless_the_claim_fails_already(self):
        columns = ["HL/IPC 10", "HL/IPC 100"]
        result = table3("greater", columns, better=["K-centers"], worse=["TM"])
        assert result.outcome == "fails"

    @pytest.mark.parametrize(
        ("kind", "fields"),
        [
            ("equal", {"left": ["e:r:c"], "right": [1.0]}),
            ("within", {"cells": ["e:r:c"], "low": 0.0}),
            ("greater", {"better": ["e:r:c"], "worse": [0.0]}),
            ("on_par", {"left": ["e:r:c"], "right": [0.0]}),
            ("on_par_or_better", {"better": ["e:r:c"], "worse": [0.0]}),
            ("increasing", {"cells": [0.0, "e:r:c"]}),
            ("saturates", {"cells": [0.0, "e:r:c"]}),
            ("slower", {"slow": "e:r:c", "fast": 1.0, "factor": 2.0}),
            ("times", {"number": 4.0, "of": 2.0, "factor": "e:r:c"}),
            ("correlation", {"value": "e:r:c", "low": 0.0}),
            ("correlation", {"value": "e:r:c", "low": 0.0, "points": 10}),
            ("parameter_domain", {"value": "e:r:c", "low": 0.0}),
            ("arithmetic", {"left": ["e:r:c"], "right": [1.0], "printed": ["1.0"]}),
            ("arithmetic", {"left": ["e:r:c"], "right": [1.0], "smallest": "1", "largest": "2"}),
            ("parameter_count", {"printed": "11M", "count": "e:r:c"}),
            (
                "gap_closes",
                {"exhibit": "e", "left": "r", "right": "q", "wide": ["c"], "narrow": ["d"]},
            ),
            (
                "gap_shrinks",
                {"exhibit": "e", "left": "r", "right": "q", "wide": ["d"], "narrow": ["c"]},
            ),
        ],
    )
    def test_every_kind_names_what_is_missing(self, kind, fields):
        result = outcome(kind, lambda address: None, **fields)
        assert result.outcome == "not run"
        assert "e:r:c" in result.why


class TestReproduced:
    def test_single_runs_decide_nothing(self):
        numbers = {"e:a:x": Summary.of([90.0]), "e:b:x": Summary.of([10.0])}.get
        assert outcome("greater", numbers, "reproduced", **A_OVER_B).outcome == "undecided"
        assert outcome("greater", numbers, "reported", **A_OVER_B).outcome == "holds"

    def test_a_single_run_against_a_constant_decides_nothing(self):
        numbers = {"e:a:x": Summary.of([90.0])}.get
        result = outcome("within", numbers, "reproduced", cells=["e:a:x"], low=80.0, high=99.0)
        assert result.outcome == "undecided"

    def test_exact_results_need_no_spread(self):
        numbers = {"e:a:x": Summary.exact(90.0)}.get
        result = outcome("within", numbers, "reproduced", cells=["e:a:x"], low=80.0, high=99.0)
        assert result.outcome == "holds"

    @pytest.mark.parametrize(
        ("kind", "fields"),
        [
            ("equal", {"left": [1.0], "right": [1.0]}),
            ("arithmetic", {"left": [2.0], "right": [1.0], "printed": ["1.0"]}),
            ("parameter_count", {"printed": "10", "count": 10.0}),
            ("times", {"number": 50.0, "of": 10.0, "factor": 5.0}),
        ],
    )
    def test_claims_about_print_are_not_about_results(self, kind, fields):
        assert outcome(kind, **fields).outcome == "holds"
        assert outcome(kind, source="reproduced", **fields).outcome == "printed only"


class TestOnParOrBetter:
    def test_better_counts(self):
        fields = {"exhibit": "table7", "better": ["CAD-Prune"], "worse": ["DUAL"]}
        assert outcome("on_par_or_better", **fields, columns=["IPC 50"]).outcome == "holds"

    def test_three_points_below_does_not(self):
        """12.57 against 15.65."""
        fields = {"exhibit": "table7", "better": ["CAD-Prune"], "worse": ["DUAL"]}
        result = outcome("on_par_or_better", **fields, columns=["IPC 10", "IPC 50"])
        assert result.outcome == "fails"

    def test_a_bare_mean_on_the_bound_is_on_par(self):
        cells = {"better": [40.0], "worse": [41.0]}
        assert outcome("on_par_or_better", **cells).outcome == "holds"
        assert outcome("on_par_or_better", **cells, margin=0.9).outcome == "fails"

    @given(st.integers(-30, 30), st.integers(0, 15))
    def test_what_is_on_par_is_on_par_or_better_whichever_is_better(self, gap, margin):
        """On the bound too: no worse than by the margin."""
        numbers = {"e:a:x": Summary.exact(40 + gap / 10), "e:b:x": Summary.exact(40.0)}.get
        sides = {"left": ["e:a:x"], "right": ["e:b:x"], "margin": margin / 10}
        on_par = outcome("on_par", numbers, **sides).outcome
        either = outcome("on_par_or_better", numbers, **A_OVER_B, margin=margin / 10).outcome
        assert on_par == ("holds" if abs(gap) <= margin else "fails")
        assert either == ("holds" if gap >= -margin else "fails")


class TestSequences:
    def test_increasing_along_columns(self):
        row = {"exhibit": "table7", "rows": ["CAD-Prune"]}
        up = outcome("increasing", **row, columns=["IPC 10", "IPC 50", "IPC 100"])
        down = outcome("increasing", **row, columns=["IPC 100", "IPC 50"])
        assert (up.outcome, down.outcome) == ("holds", "fails")
        assert [round(c.difference, 2) for c in up.comparisons] == [27.64, 7.19]

    def test_increasing_along_rows(self):
        result = outcome(
            "increasing",
            exhibit="table11",
            rows=["Early", "Compute-aware"],
            columns=["IPC 50", "IPC 100"],
            along="rows",
        )
        assert [round(c.difference, 2) for c in result.comparisons] == [9.26, 7.46]

    def test_only_the_last_step_must_be_flat(self):
        assert outcome("saturates", cells=[10.0, 30.0, 30.4]).outcome == "holds"
        assert outcome("saturates", cells=[10.0, 10.2, 30.4]).outcome == "fails"


class TestIntervals:
    def test_within_uses_the_spread(self):
        values = [10.2, 10.6, 10.5]
        numbers = {"e:a:x": Summary.of(values)}.get
        assert ttest_1samp(values, 10.0, alternative="greater").pvalue < 0.05
        for low, high, expected in (
            (10.0, 11.0, "holds"),
            (10.4, 11.0, "undecided"),
            (12.0, 13.0, "fails"),
        ):
            result = outcome("within", numbers, cells=["e:a:x"], low=low, high=high)
            assert result.outcome == expected

    def test_bare_numbers_and_closed_ends(self):
        assert outcome("within", cells=[8.0, 13.0], low=8.0, high=13.0).outcome == "holds"
        assert outcome("within", cells=[7.9, 13.0], low=8.0, high=13.0).outcome == "fails"

    def test_a_parameter_outside_its_domain(self):
        """The printed decay 2.8947 cannot be (1/2)^(1/tau), which lies in (0, 1)."""
        domain = {"low": 0.0, "high": 1.0, "low_open": True, "high_open": True}
        assert outcome("parameter_domain", value=2.8947, **domain).outcome == "fails"
        assert outcome("parameter_domain", value=0.787, **domain).outcome == "holds"
        assert outcome("parameter_domain", value=1.0, **domain).outcome == "fails"
        assert outcome("parameter_domain", value=1.0, low=0.0, high=1.0).outcome == "holds"


class TestSlower:
    def test_stated_times(self):
        assert outcome("slower", slow=200.0, fast=100.0, factor=2.0).outcome == "holds"
        assert outcome("slower", slow=199.0, fast=100.0, factor=2.0).outcome == "fails"

    def test_noisy_times(self):
        numbers = {"e:a:x": Summary(6.0, 0.5, 4), "e:b:x": Summary(2.0, 0.2, 4)}.get
        times = {"slow": "e:a:x", "fast": "e:b:x"}
        assert outcome("slower", numbers, **times, factor=2.0).outcome == "holds"
        assert outcome("slower", numbers, **times, factor=3.0).outcome == "undecided"
        assert outcome("slower", numbers, **times, factor=5.0).outcome == "fails"


class TestPairs:
    """Arms that share seeds: at a correlation of 0.99, pairs see what two samples do not."""

    A = {0: 40.6, 1: 42.1, 2: 41.3}  # noqa: RUF012
    B = {0: 40.1, 1: 41.5, 2: 40.9}  # noqa: RUF012

    def judged(self, kind, by_seed, **fields):
        numbers = {at: Summary.of(list(runs.values())) for at, runs in by_seed.items()}
        paired = evaluate(claim(kind, **fields), numbers.get, "reproduced", by_seed=by_seed)
        return paired, evaluate(claim(kind, **fields), numbers.get, "reproduced")

    def test_greater_is_the_paired_t_test(self):
        paired, apart = self.judged("greater", {"e:a:x": self.A, "e:b:x": self.B}, **A_OVER_B)
        a, b = list(self.A.values()), list(self.B.values())
        assert ttest_rel(a, b, alternative="greater").pvalue < 0.05
        assert ttest_ind(a, b, equal_var=False, alternative="greater").pvalue > 0.05
        assert (paired.outcome, apart.outcome) == ("holds", "undecided")
        interval = ttest_rel(a, b).confidence_interval()
        assert paired.comparisons[0].interval == pytest.approx(tuple(interval))

    def test_gaps_of_four_arms_are_pairs_too(self):
        cells = {"e:l:w": self.A, "e:r:w": self.B, "e:l:n": self.B, "e:r:n": self.B}
        gap = {"exhibit": "e", "left": "l", "right": "r", "wide": ["w"], "narrow": ["n"]}
        paired, apart = self.judged("gap_shrinks", cells, **gap, margin=0.0)
        assert (paired.outcome, apart.outcome) == ("holds", "undecided")

    def test_seeds_that_differ_are_two_samples(self):
        other = {seed + 3: value for seed, value in self.B.items()}
        paired, apart = self.judged("greater", {"e:a:x": self.A, "e:b:x": other}, **A_OVER_B)
        assert paired == apart


@given(st.lists(st.sampled_from(["fails", "not run", "undecided", "holds", "restated"])))
def test_parts_taken_together(outcomes):
    whole = together(outcomes)
    assert (whole == "holds") == (set(outcomes) in ({"holds"}, {"holds", "restated"}))
    assert (whole == "fails") == ("fails" in outcomes)
    assert (whole == "restated") == (set(outcomes) == {"restated"})


values = st.lists(st.floats(0, 100), min_size=2, max_size=5)


@given(values, values)
def test_greater_both_ways_never_both_hold(a, b):
    numbers = {"e:a:x": Summary.of(a), "e:b:x": Summary.of(b)}.get
    there = outcome("greater", numbers, better=["e:a:x"], worse=["e:b:x"]).outcome
    back = outcome("greater", numbers, better=["e:b:x"], worse=["e:a:x"]).outcome
    mirrored = {"holds": "fails", "fails": "holds", "undecided": "undecided"}
    assert back == mirrored[there]


@given(values, values, st.floats(0.1, 5))
def test_on_par_is_symmetric_and_excludes_a_clear_lead(a, b, margin):
    numbers = {"e:a:x": Summary.of(a), "e:b:x": Summary.of(b)}.get
    there = outcome("on_par", numbers, left=["e:a:x"], right=["e:b:x"], margin=margin).outcome
    back = outcome("on_par", numbers, left=["e:b:x"], right=["e:a:x"], margin=margin).outcome
    lead = outcome("greater", numbers, better=["e:a:x"], worse=["e:b:x"], margin=margin).outcome
    assert there == back
    assert not (there == "holds" and lead == "holds")
