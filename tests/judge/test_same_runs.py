"""A profile may map several cells to the same runs: they are one piece of evidence, not several."""

from __future__ import annotations

from pydantic import TypeAdapter
from scipy.stats import ttest_ind

from harness.judge.claims import Evaluation
from harness.judge.sample import Summary
from harness.spec.claims import Claim
from tests.judge.claims import evaluate

LOW, HIGH = [39.0, 40.2, 39.8], [40.3, 40.9, 41.4]
COLUMNS = ("x", "y", "z")
VALUES = {f"e:a:{column}": LOW for column in COLUMNS} | {f"e:b:{c}": HIGH for c in COLUMNS}
ONE_RUN = {address: f"{address[:4]}x" for address in VALUES}


def greater(better: list[str], worse: list[str], runs: dict[str, str] | None) -> Evaluation:
    fields = {"id": "c", "text": "a sentence", "where": "Table 9", "kind": "greater"}
    claim = TypeAdapter(Claim).validate_python({**fields, "better": better, "worse": worse})
    return evaluate(claim, lambda a: Summary.of(VALUES[a]), "reproduced", runs or {})


def test_three_columns_of_the_same_runs_are_one_comparison() -> None:
    p = ttest_ind(LOW, HIGH, equal_var=False, alternative="less").pvalue
    assert 0.05 / 3 < p < 0.05
    better, worse = [f"e:a:{c}" for c in COLUMNS], [f"e:b:{c}" for c in COLUMNS]
    apart = greater(better, worse, None)
    same = greater(better, worse, ONE_RUN)
    assert (len(apart.comparisons), apart.outcome) == (3, "undecided")
    assert (len(same.comparisons), same.outcome) == (1, "fails")


def test_runs_are_not_compared_with_themselves() -> None:
    outcome = greater(["e:b:x"], ["e:b:y"], ONE_RUN)
    assert outcome.outcome == "undecided"
    assert "the same runs" in outcome.why
