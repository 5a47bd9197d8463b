"""Claims that a gap shrinks whichever side is ahead: |x| is more than |y| by the margin."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ttest_1samp

from harness.judge.decision import ALPHA, place_sizes
from harness.judge.moderated import Difference, Errors, p_larger, p_outside
from harness.judge.sample import Summary
from tests.judge.claims import claim, evaluate

GAP = {"exhibit": "e", "left": "l", "right": "r", "wide": ["w"], "narrow": ["n"]}
CELLS = ("e:l:w", "e:r:w", "e:l:n", "e:r:n")


def shrinks(numbers, source="reported", margin=1.0, size=True, **known):
    asked = claim("gap_shrinks", **GAP, margin=margin, size=size)
    return evaluate(asked, dict(zip(CELLS, numbers, strict=True)).get, source, **known)


def exact(*values):
    return [Summary.exact(value) for value in values]


whole = st.integers(-12, 12)


@given(whole, whole, st.integers(0, 5), st.integers(-50, 50), st.integers(-9, 6))
def test_of_exact_numbers_it_is_the_plain_comparison(x, y, margin, level, power):
    unit = 10.0**power
    cells = [value * unit for value in (level + x, level, level + y, level)]
    found = shrinks(exact(*cells), margin=margin * unit)
    assert (found.outcome == "holds") == (abs(x) > abs(y) + margin)
    assert (found.outcome == "fails") == (abs(y) > abs(x))


@given(st.lists(whole, min_size=4, max_size=4), st.integers(0, 5))
def test_neither_the_side_that_leads_nor_what_is_better_matters(values, margin):
    a, b, c, d = values
    found = shrinks(exact(a, b, c, d), margin=margin).outcome
    assert shrinks(exact(b, a, c, d), margin=margin).outcome == found
    assert shrinks(exact(a, b, d, c), margin=margin).outcome == found
    lower = frozenset(CELLS)
    assert shrinks(exact(a, b, c, d), margin=margin, lower=lower).outcome == found


def test_a_gap_that_the_other_side_leads_shrinks_too():
    """-8.76 and -1.75 with their ±: it is 7 points less wide, and 7 points up by its sign."""
    cells = [Summary(m, 0.3, 5) for m in (13.31, 22.07, 29.39, 31.14)]
    by_size, by_sign = (shrinks(cells, size=size) for size in (True, False))
    assert (by_size.outcome, by_sign.outcome) == ("holds", "fails")
    assert by_size.comparisons[0].difference == pytest.approx(7.01)
    assert "is +7.01, of gaps of -8.76 and -1.75 (95 % interval of their difference" in by_size.why
    grown = shrinks([*cells[2:], *cells[:2]])
    assert grown.outcome == "fails"


def test_within_the_margin_is_undecided_and_said():
    found = shrinks(exact(44.0, 40.0, 43.5, 40.0))
    assert found.outcome == "undecided"
    assert found.why.endswith(
        "is +0.5, of gaps of +4 and +3.5 (no spread given), and is not more than 1"
    )


def test_what_tells_nothing():
    one = [Summary.of([value]) for value in (48.0, 40.0, 41.0, 40.0)]
    assert shrinks(one, "reproduced").outcome == "undecided"
    assert shrinks([*exact(1.0, 2.0, 3.0), None]).outcome == "not run"
    asked = claim("gap_shrinks", **{**GAP, "narrow": ["w"]}, size=True)
    assert evaluate(asked, dict.fromkeys(CELLS, Summary.exact(1.0)).get).outcome == "restated"


def by_scipy(x, y, margin, alpha=ALPHA):
    """Both sums and differences, seed by seed, beyond the margin on one side."""

    def larger(u, v, by):
        for side in (1, -1):
            p = [
                ttest_1samp(side * w, by, alternative="greater").pvalue
                + ttest_1samp(side * w, -by, alternative="greater").pvalue
                for w in (u, v)
            ]
            if max(p) < alpha:
                return True
        return False

    if larger(x - y, x + y, margin):
        return "holds"
    return "fails" if larger(y - x, y + x, 0.0) else "undecided"


@pytest.mark.parametrize("seed", range(40))
def test_runs_that_share_seeds_are_compared_as_pairs(seed):
    draw = np.random.default_rng(seed)
    runs = draw.normal(0, 0.4, (4, 5)) + np.array([[40 + draw.normal(0, 3)], [40], [41], [40]])
    by_seed = {at: dict(enumerate(row.tolist())) for at, row in zip(CELLS, runs, strict=True)}
    cells = [Summary.of(list(each.values())) for each in by_seed.values()]
    found = shrinks(cells, "reproduced", 0.5, by_seed=by_seed)
    assert found.outcome == by_scipy(runs[0] - runs[1], runs[2] - runs[3], 0.5)


@given(st.floats(-4, 4), st.floats(0.1, 3), st.floats(2, 20), st.floats(0, 2))
def test_beside_a_known_gap_of_nothing_it_is_the_test_beyond_the_margin(x, error, df, margin):
    d = Difference(x, error, df)
    errors = Errors(np.array([error**2]), np.array([df]))
    beyond = p_outside(np.array([x]), -margin, margin, errors)[0]
    assert p_larger(d, d, margin) == pytest.approx(beyond)


@pytest.mark.parametrize(
    ("x", "y", "margin", "related"),
    [
        (0.0, 0.0, 0.0, 1.0),
        (0.0, 0.0, 0.0, 0.0),
        (0.0, 0.0, 0.0, -0.9),
        (0.3, 0.0, 0.3, 1.0),
        (1.0, 0.0, 1.0, 0.5),
        (3.0, -2.0, 1.0, 0.0),
        (-9.0, 8.0, 1.0, 0.5),
        (0.0, 0.5, 0.0, 0.0),
        (0.5, 0.5, 0.0, 1.0),
    ],
)
def test_it_is_wrong_no_more_often_than_it_says(x, y, margin, related):
    """The truth is not more, by nothing or not at all; errors are 1, and related as they may be."""
    draw, times = np.random.default_rng(1), 4000
    noise = draw.multivariate_normal([0, 0], [[1, related], [related, 1]], times)
    found = [
        place_sizes(Difference(u, 1.0, np.inf), Difference(v, 1.0, np.inf), margin)
        for u, v in noise + np.array([x - y, x + y])
    ]
    allowed = ALPHA + 3 * (ALPHA * (1 - ALPHA) / times) ** 0.5
    assert found.count("holds") / times < allowed
    if abs(x) >= abs(y):
        assert found.count("fails") / times < allowed
