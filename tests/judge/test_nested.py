"""Students within pipelines, against statsmodels' analysis of variance and closed forms."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm

from benchmarks.rule.simulate import nested, rates
from harness.judge.model import CellEvidence
from harness.judge.nested import components, of_one_pipeline
from harness.judge.sample import ReportedNumber, Summary
from harness.judge.verdict import judge_cells

RUNS = [40.0, 42.0, 41.5, 43.0]
STUDENTS = [40.0, 40.4, 39.9]
PRINTED = Summary(41.0, 0.3, 3)


def test_the_components_are_those_of_the_analysis_of_variance():
    rows = [(0, value) for value in STUDENTS] + list(enumerate(RUNS))[1:]
    table = anova_lm(ols("y ~ C(g)", pd.DataFrame(rows, columns=["g", "y"])).fit())
    square, within = table["mean_sq"]
    size = (6 - (9 + 3) / 6) / 3
    found = components(RUNS, STUDENTS, PRINTED)
    assert found is not None
    assert (found.pipelines, found.students) == (4, 3)
    assert found.within**2 == pytest.approx(within)
    assert found.between**2 == pytest.approx((square - within) / size)
    assert found.p == pytest.approx(table["PR(>F)"].iloc[0])
    assert found.df == pytest.approx((square - within) ** 2 / (square**2 / 3 + within**2 / 2))


def test_with_one_student_the_printed_spread_is_that_within():
    found = components(RUNS, RUNS[:1], PRINTED)
    assert found is not None
    assert found.between**2 == pytest.approx(np.var(RUNS, ddof=1) - 0.3**2)
    assert found.p is None
    assert components(RUNS, RUNS[:1], Summary(41.0, None, 3)) is None
    assert components(RUNS[:1], STUDENTS, PRINTED) is None


def test_the_variance_between_enters_the_error_of_one_pipeline():
    found = components(RUNS, STUDENTS, PRINTED)
    assert found is not None
    taken = of_one_pipeline(PRINTED, found)
    own, more = 0.3**2 / 3, found.between**2
    assert taken.std**2 / taken.n == pytest.approx(own + more)
    assert taken.n - 1 <= (own + more) ** 2 / (own**2 / 2 + more**2 / found.df)
    # Pipelines no further apart than students leave the printed number as it is.
    alike = components([40.0, 40.1], [40.0, 44.0], PRINTED)
    assert alike is not None
    assert alike.between == 0
    assert of_one_pipeline(PRINTED, alike) == PRINTED
    assert of_one_pipeline(Summary(41.0, None, 3), None) == Summary(41.0, None, 1)


def test_a_verdict_is_as_unsure_as_pipelines_differ():
    """Ours is beyond what students vary by and well within what pipelines do."""
    printed = ReportedNumber(43.6, 0.3, "std", 3)

    def judged(students):
        cell = CellEvidence("t:r:c", printed, tuple(RUNS), True, "", 1.0, students=students)
        return judge_cells([cell])[0]

    whole, blind = judged(tuple(STUDENTS)), judged(None)
    assert blind.components is None
    assert whole.components == components(RUNS, STUDENTS, PRINTED)
    assert whole.decision.statistics.error > 1.5 * blind.decision.statistics.error
    assert whole.prediction.low < blind.prediction.low
    assert "4 pipelines differ by a standard deviation of" in whole.why


@pytest.mark.parametrize("between", [0.0, 0.4])
def test_errors_keep_to_five_percent_where_the_paper_has_one_pipeline(between):
    """Without the variance between them, these are 10 % where pipelines differ by 0.4."""
    found = rates(*nested(0.3, between, 100))
    assert max(found.false_reproduced.mean(), found.false_deviates.mean()) < 0.05
    assert between or found.reproduced > 0.8
