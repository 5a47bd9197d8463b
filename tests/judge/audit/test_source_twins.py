"""Rules on tables that only sources have: each finds its planted fault, and not its twin."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.study.audit import audit_files
from tests.judge.audit.papers import grid, paper
from tests.judge.audit.test_twins import audit

SCORED = """
| Model | Precision | Recall | F1 |
|---|---|---|---|
| A | 0.80 | 0.60 | {} |
| B | 0.91 | 0.45 | 0.55 |
"""
DIAGNOSED = r"""
\begin{{table}}\caption{{Scores of the binary task.}}
\begin{{tabular}}{{lrrr}}
Model & Sensitivity & Specificity & Accuracy \\ \hline
A & 81.2 & 90.3 & {} \\
B & 70.1 & 88.0 & 79.6 \\
\end{{tabular}}\end{{table}}
"""
COUNTED = """
| Sign | Cases (n = 25) | Controls (n = 40) |
|---|---|---|
| fever | 12 (48%) | 10 (25%) |
| cough | 5 (20%) | 8 (20%) |
| rash | 1 (4%) | {} |
| pain | 20 (80%) | 22 (55%) |
| other | 7/25 (28%) | 13/40 (32.5%) |
"""
ESTIMATED = r"""
\begin{{tabular}}{{lrrrr}}
Term & Estimate & SE & Lower & Upper \\ \hline
a & 1.20 & 0.10 & 1.00 & 1.40 \\
b & 2.31 & 0.25 & 1.82 & 2.80 \\
c & -0.50 & 0.30 & -1.09 & 0.09 \\
d & 3.02 & 0.45 & 2.14 & 3.90 \\
e & 0.77 & {} & {} & 0.92 \\
\end{{tabular}}
"""
TESTED = """
| Term | t | df | p |
|---|---|---|---|
| a | 2.31 | 23 | 0.030 |
| b | 1.02 | 23 | 0.318 |
| c | -3.50 | 40 | {} |
| d | 0.45 | 40 | 0.655 |
"""
STARRED = r"""
\begin{{table}}\caption{{Standard errors in parentheses. * p < 0.10, ** p < 0.05, *** p < 0.01}}
\begin{{tabular}}{{lcc}}
 & (1) & (2) \\ \hline
x & 0.52*** & 0.49** \\
 & (0.10) & (0.20) \\
z & {} & 0.11 \\
 & (0.30) & (0.30) \\
\end{{tabular}}\end{{table}}
"""
CLASSIFIED = r"""
\begin{{table}}\caption{{Scores on 31 positives and 69 negatives.}}
\begin{{tabular}}{{lccc}}
Model & Accuracy & Sensitivity & F1 \\ \hline
A & 0.84 & {} & 0.758 \\
\end{{tabular}}\end{{table}}
"""
DESCRIBED = """
| Variable | N | Mean | SD | Min | Max |
|---|---|---|---|---|---|
| Age in years | 41 | 33.17 | 9.02 | 19 | 61 |
| Left-handed (dummy) | 41 | 0.24 | {} | 0 | 1 |
| Answers (7-point Likert) | 25 | {} | 1.31 | 1 | 7 |
"""
UNDERLINED = r"""
\begin{{tabular}}{{lccc}}
Model & X $\uparrow$ & Y $\uparrow$ & Z $\uparrow$ \\ \hline
A & \textbf{{30.1}} & \underline{{20.2}} & {} \\
B & \underline{{25.3}} & \textbf{{24.4}} & {} \\
C & 11.5 & 12.6 & \textbf{{44.2}} \\
\end{{tabular}}
"""
RELATED = """
Size and speed are significantly related ($r = {}$, $n = 42$).
There is no correlation between size and colour (rho = {}, n = 60).
Age and speed are not significantly related (r = 0.10, n = 42).
"""
ANSWERED = """
In all, {}% of the 28 participants agreed, and 12.5% of 48 items were left out.
Their answers on a 7-point scale (M = {}, n = 28) were high.
"""


@pytest.mark.parametrize(
    ("rule", "source", "wrong", "right"),
    [
        ("scores", SCORED, ("0.74",), ("0.70",)),
        ("scores", DIAGNOSED, ("92.1",), ("88.0",)),
        ("count-share", COUNTED, ("14 (45%)",), ("18 (45%)",)),
        ("count-share", COUNTED.replace("7/25 (28%)", "7/25 (38%)"), ("18 (45%)",), ()),
        ("interval-width", ESTIMATED, ("0.80", "0.62"), ("0.08", "0.62")),
        ("interval-centre", ESTIMATED, ("0.08", "0.26"), ("0.08", "0.62")),
        ("p-value", TESTED, ("0.011",), ("0.001",)),
        ("stars-level", STARRED, ("0.31***",), ("0.31",)),
        ("scores", CLASSIFIED, ("0.84",), ("0.806",)),
        ("impossible-spread", DESCRIBED, ("0.34", "4.28"), ("0.43", "4.28")),
        ("impossible-spread", DESCRIBED, ("0.61", "4.28"), ("0.43", "4.28")),
        ("significance", RELATED, ("0.13", "0.05"), ("0.41", "0.05")),
        ("significance", RELATED, ("0.41", "-0.45"), ("0.41", "0.05")),
        ("granularity", DESCRIBED, ("0.43", "4.30"), ("0.43", "4.32")),
        ("underline", UNDERLINED, (r"\underline{38.7}", "41.9"), ("38.7", r"\underline{41.9}")),
        ("granularity", ANSWERED, ("62.5", "5.36"), ("64.3", "5.36")),
        ("granularity", ANSWERED, ("64.3", "5.35"), ("64.3", "5.36")),
    ],
)
def test_a_planted_fault_is_found_and_its_twin_is_not(
    tmp_path: Path, rule: str, source: str, wrong: tuple[str, ...], right: tuple[str, ...]
) -> None:
    path = tmp_path / ("paper.tex" if "tabular" in source else "paper.md")
    path.write_text(source.format(*wrong), encoding="utf-8")
    assert [f.rule for f in audit_files([path], tmp_path).findings] == [rule]
    if right:
        path.write_text(source.format(*right), encoding="utf-8")
        assert audit_files([path], tmp_path).findings == ()


@pytest.mark.parametrize(("last", "rules"), [("15.11", []), ("155.12", ["digits"])])
def test_numbers_may_be_rounded_by_their_size(tmp_path: Path, last: str, rules: list[str]) -> None:
    """189.8 and 11.11 keep four digits each; 155.12 among them does not."""
    rows = ["| a | 189.8 | 728.5 |", "| b | 146.3 | 754.1 |", "| c | 11.11 | 387.3 |"]
    rows += [f"| d | {last} | 840.2 |", "| e | 133.8 | 941.4 |", "| f | 177.2 | 12.34 |"]
    rows += ["| g | 144.4 | 14.22 |", "| h | 162.7 | 555.3 |", "| i | 171.9 | 630.1 |"]
    rows += ["| j | 181.2 | 10.95 |", "| k | 191.3 | 707.7 |", "| l | 12.99 | 818.4 |"]
    path = tmp_path / "paper.md"
    path.write_text("\n".join(["| | x | y |", "|---|---|---|", *rows]), encoding="utf-8")
    assert [f.rule for f in audit_files([path], tmp_path).findings] == rules


@pytest.mark.parametrize("label", ["Median", "Odds ratio"])
def test_what_is_skewed_need_not_lie_in_the_middle(tmp_path: Path, label: str) -> None:
    rows = [("1.20", 1.0, 1.4), ("2.30", 1.8, 2.8), ("0.50", 0.1, 0.9), ("3.00", 2.1, 3.9)]
    lines = [f"| {n} | {x} ({a}, {b}) |" for n, (x, a, b) in enumerate([*rows, ("2.00", 1.5, 3.5)])]
    path = tmp_path / "paper.md"
    for heading, found in (("Effect", ["interval-centre"]), (label, [])):
        table = "\n".join([f"| study | {heading} |", "|---|---|", *lines])
        path.write_text(table.replace("| 0 |", "| zero |"), encoding="utf-8")
        assert [f.rule for f in audit_files([path], tmp_path).findings] == found


def test_one_column_may_have_a_unit_of_its_own() -> None:
    """101.0 seconds beside percentages is no percentage out of range."""

    def told(unit: str) -> list[str]:
        columns = [
            {"name": "x", "label": "x", "bind": {"size": 1}},
            {"name": "y", "label": "y", "bind": {"size": 2}, "reporting": {"unit": unit}},
        ]
        reporting = {"spread": "std", "n": 3, "unit": "percent top-1"}
        one = grid("one", ["x", "y"], {"A": "51.0 101.0", "B": "48.2 55.1"}, columns=columns,
                   reporting=reporting)  # fmt: skip
        return [f.rule for f in audit(paper(one)) if f.severity == "severe"]

    assert told("percent top-1") == ["outside-range"]
    assert told("seconds") == []
