"""What is right, and looks wrong to a rule that is too sure: no finding; beside its wrong twin."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.judge.audit.audit import audit
from harness.judge.audit.quantities import rivals
from harness.judge.audit.unsaid import precision, two_readings
from harness.study.audit import audit_files
from tests.judge.audit.papers import grid, paper, table


def found(folder: Path, source: str) -> list[str]:
    path = folder / ("paper.tex" if "\\" in source else "paper.md")
    path.write_text(source, encoding="utf-8")
    return [finding.rule for finding in audit_files([path], folder).findings]


def tabular(caption: str, head: str, *rows: str) -> str:
    body = " \\\\\n".join((head + r" \\ \hline", *rows)).replace(r"\hline \\", r"\hline")
    shape = "l" + "r" * head.count("&")
    return (
        f"\\begin{{table}}\\caption{{{caption}}}\n\\begin{{tabular}}{{{shape}}}\n{body} \\\\\n"
        "\\end{tabular}\\end{table}\n"
    )


@pytest.mark.parametrize(
    ("formula", "rules"),
    [
        ("0.5 × 128 × 10 = 640", []),
        ("0.5 × 128 × 10 = 840", ["worked-number"]),
        ("C × 3 × 3 = 576", []),
        ("1,000 × 3 × 2 = 6,000", []),
        ("1,000 × 3 × 2 = 6,500", ["worked-number"]),
        ("4 × 1024 = 4K", []),
        ("3 × 400,000 = 1.2 million", []),
        ("0.33 × 3 = 1.00", []),
        ("0.5 × 0.5 = 25%", []),
    ],
)
def test_a_formula_is_read_whole(tmp_path: Path, formula: str, rules: list[str]) -> None:
    assert found(tmp_path, f"It has {formula} in all.\n") == rules


@pytest.mark.parametrize(
    ("caption", "rules"),
    [
        ("Macro scores of three classes.", []),
        ("Scores.", []),
        ("Binary classification, mean over folds.", []),
        ("Binary classification.", ["scores"]),
    ],
)
def test_accuracy_is_bounded_with_two_classes_only(
    tmp_path: Path, caption: str, rules: list[str]
) -> None:
    """The three classes of [[50, 20, 20], [1, 9, 0], [1, 0, 9]] have these macro scores."""
    head = "Model & Accuracy & Sensitivity & Specificity"
    assert found(tmp_path, tabular(caption, head, "A & 0.618 & 0.785 & 0.833")) == rules


def test_scores_of_two_units_are_not_compared(tmp_path: Path) -> None:
    source = tabular("Scores.", r"Model & F1 (\%) & Precision & Recall", "A & 80.1 & 0.79 & 0.82")
    assert found(tmp_path, source) == []


def test_a_change_of_a_share_may_be_negative(tmp_path: Path) -> None:
    rows = ("A & 71.2", "B & 73.4", "C & 72.2", r"$\Delta$ & -1.2")
    assert found(tmp_path, tabular("Results.", "Model & Accuracy", *rows)) == []
    assert found(tmp_path, tabular("Results.", "Model & Accuracy", *rows[:3], "D & -1.2")) == [
        "outside-range"
    ]


@pytest.mark.parametrize("spread", ["sem", "ci95", "iqr", "std"])
def test_only_a_standard_deviation_is_held_against_its_bounds(spread: str) -> None:
    """Two runs over 10 items have no deviation of 11, and a mean of 99 none of 25."""
    reporting = {"spread": spread, "n": 2, "unit": "percent top-1", "items": 10}
    rules = ["granularity"] if spread == "std" else []
    one = paper(grid("one", ["x"], {"A": "50.0±14.1", "B": "45.0±11.0"}, reporting=reporting))
    assert [f.rule for f in audit(one) if f.rule == "granularity"] == rules
    wide = grid("one", ["x"], {"A": "99.0±25.0"}, reporting={**reporting, "items": None})
    assert [f.rule for f in audit(paper(wide)) if f.rule == "impossible-spread"] == [
        "impossible-spread" for _ in rules
    ]


@pytest.mark.parametrize(
    ("sentence", "rules"),
    [
        ("There was no significant correlation (r = 0.10, n = 42).", []),
        ("Size is never significantly related (r = 0.10, n = 42).", []),
        ("The groups differ significantly, but size and age do not (r = 0.10, n = 42).", []),
        ("Size and age are significantly related (r = 0.10, n = 42).", ["significance"]),
    ],
)
def test_what_is_not_called_significant(tmp_path: Path, sentence: str, rules: list[str]) -> None:
    assert found(tmp_path, f"{sentence}\n") == rules


MEASURED = """
| Method | Latency | Accuracy |
|---|---|---|
| Alpha | 30.2 | 71.3 |
| Beta | 20.1 | 73.1 |

{}
"""


@pytest.mark.parametrize(
    ("sentence", "rules"),
    [
        ("Alpha exceeds Beta in Latency.", []),
        ("Beta exceeds Alpha in Latency.", ["ranking"]),
        ("Alpha surpasses Beta in Accuracy.", ["ranking"]),
        ("Beta surpasses Alpha in Latency.", []),
    ],
)
def test_what_exceeds_is_higher(tmp_path: Path, sentence: str, rules: list[str]) -> None:
    assert found(tmp_path, MEASURED.format(sentence)) == rules


@pytest.mark.parametrize(
    ("rows", "rules"),
    [
        (("A & 90.1", "B & 91.3", "C & 92.2", "D & 90.8", "Random guess & 10.0"), []),
        (("A & 50000", "B & 50100", "C & 49000", "D & 51000", "E & 5000"), []),
        (("A & 90.1", "B & 91.3", "C & 92.2", "D & 90.8", "E & 9.10"), ["digits", "scale"]),
    ],
)
def test_numbers_that_are_rightly_of_another_size(
    tmp_path: Path, rows: tuple[str, ...], rules: list[str]
) -> None:
    assert sorted(found(tmp_path, tabular("Results.", "Model & Result", *rows))) == rules


@pytest.mark.parametrize(("caption", "rules"), [("Odds ratios", []), ("Effects", ["stars-level"])])
def test_ratios_are_not_tested_against_zero(tmp_path: Path, caption: str, rules: list[str]) -> None:
    note = f"{caption}. Standard errors in parentheses. * p < 0.10, ** p < 0.05"
    rows = ("x & 0.32**", " & (0.25)", "z & 0.70**", " & (0.20)")
    assert found(tmp_path, tabular(note, " & (1)", *rows)) == rules


@pytest.mark.parametrize(
    ("variable", "rules"),
    [("Mean of five items (7-point Likert)", []), ("Answer (7-point Likert)", ["granularity"])],
)
def test_a_mean_of_several_answers_is_no_whole_number(
    tmp_path: Path, variable: str, rules: list[str]
) -> None:
    rows = (f"{variable} & 25 & 4.30 & 1.31",)
    assert found(tmp_path, tabular("Answers.", "Variable & N & Mean & SD", *rows)) == rules


def test_what_one_cell_says_of_its_error_bars_counts() -> None:
    told: dict[str, Any] = {"spread": "std", "n": 3}
    table = grid("one", ["x"], {"A": "1.0±0.1"}, reporting={})
    row = table.rows[0].model_copy(update={"reporting": table.reporting.model_validate(told)})
    assert [f.rule for f in precision(paper(table))] == ["unexplained-error-bars"]
    said = table.model_copy(update={"rows": (row,)})
    assert list(precision(paper(said))) == []
    one, two = (said.model_copy(update={"id": name}) for name in ("one", "two"))
    assert list(two_readings(paper(one, two))) == []
    fewer = row.model_copy(update={"reporting": table.reporting.model_validate({**told, "n": 5})})
    two = two.model_copy(update={"rows": (fewer,)})
    assert [f.rule for f in two_readings(paper(one, two))] == ["runs-differ"]
    told = {"spread": "sem", "n": 3}
    of_means = grid("three", ["x"], {"A": "1.0(SD=0.1)"}, reporting=told)
    assert list(two_readings(paper(one, of_means))) == []


@pytest.mark.parametrize(
    ("first", "second", "reading", "rules"),
    [
        ("84.9 ± 0.6", "84.9 ± 0.2", {"spread": "sem", "n": 9}, ["runs-differ"]),
        ("84.9 ± 0.6", "84.9 (SEM 0.2)", {"spread": "std", "n": 9}, ["runs-differ"]),
        ("84.9 ± 0.6", "84.9 ± 0.7 (n = 3)", {"spread": "std", "n": 9}, ["runs-differ"]),
        ("84.9 ± 0.6", "84.9 ± 0.2", {"spread": "unknown", "n": 9}, []),
        ("84.9 ± 0.6", "84.9 ± 0.2", {"spread": "std", "n": 9}, ["same-quantity"]),
        ("84.9 ± 0.6", "85.9 ± 0.2", {"spread": "sem", "n": 9}, ["runs-differ", "same-quantity"]),
    ],
)
def test_errors_clash_only_where_they_are_of_one_kind(
    first: str, second: str, reading: dict[str, Any], rules: list[str]
) -> None:
    """0.6 over nine runs is a standard error of 0.2."""
    rows = ({"A": {"cells": {"Small": text}}} for text in (first, second))
    how = ({"spread": "std", "n": 9}, reading)
    tables = [
        table(f"t{i}", row, reporting=each)
        for i, (row, each) in enumerate(zip(rows, how, strict=True))
    ]
    about = {finding.rule for finding in audit(paper(*tables))}
    assert sorted(about & {"runs-differ", "same-quantity"}) == rules
    assert bool(rivals(paper(*tables))) == ("same-quantity" in rules)


@pytest.mark.parametrize(
    ("one", "other", "unsaid"),
    [
        ({}, {}, "what ± is"),
        ({"spread": "std"}, {"spread": "std"}, "over how many runs"),
        ({"spread": "std", "n": 5}, {"spread": "std"}, "over how many runs"),
    ],
)
def test_errors_of_which_not_all_is_said_clash_more_mildly(
    one: dict[str, Any], other: dict[str, Any], unsaid: str
) -> None:
    tables = [
        table(name, {"A": {"cells": {"Small": text}}}, reporting=how)
        for name, text, how in (("t0", "84.9 ± 0.6", one), ("t1", "84.9 ± 0.2", other))
    ]
    (finding,) = (each for each in audit(paper(*tables)) if each.rule == "same-quantity")
    assert (finding.severity, finding.confidence) == ("notable", "likely")
    assert f"It is not said {unsaid}" in finding.explanation


REFERRING = r"""
\documentclass{article}
\citestyle{nature}
%s
\begin{document}
It is known \citep[see][]{found}. %s
\begin{table}\caption{Text.}\label{tab:b}\end{table}
\begin{lstlisting}[caption=Code,label=lst:a]
code
\end{lstlisting}
\begin{tblr}[label={tab:c}]{l}x\end{tblr}
\begin{thebibliography}{9}\bibitem{found} A.\end{thebibliography}
\end{document}
"""


@pytest.mark.parametrize(
    ("before", "text", "rules"),
    [
        ("", r"See \ref{tab:b}, \ref{lst:a} and \ref{tab:c}.", []),
        ("", r"See \hyperref[tab:b]{the table} and \zcref{tab:c}.", []),
        ("", r"See \ref{tab:b} and \zcref{tab:c}, or \href{tab.pdf}{this}.", []),
        (r"\newcommand{\tabref}[1]{Table~\ref{tab:#1}}", r"See \tabref{b}.", []),
        ("", r"See \ref{tab:b} and \ref{tab:c}, not \ref{tab:d}.", ["unresolved"]),
        ("", r"See \ref{tab:c}.", ["unreferenced"]),
        ("", r"See \cref{tab:c,tab:b} and \textcite{lost}.", ["unresolved"]),
    ],
)
def test_a_reference_may_be_made_in_many_ways(
    tmp_path: Path, before: str, text: str, rules: list[str]
) -> None:
    assert found(tmp_path, REFERRING % (before, text)) == rules


@pytest.mark.parametrize(
    ("sentence", "rules"),
    [
        ("We saw F(1,58)=7.11, p=.10. t(28) = 1.00, p = .16, one-tailed.", ["p-value"]),
        ("We saw t(28) = 1.00, p = .16, one-tailed. t(28) = 2.20, p = .036.", []),
        ("All were Bonferroni-corrected: F(1,58) = 7.11, p=.10; z = 1.20, p = .02.", []),
    ],
)
def test_a_correction_is_of_the_tests_beside_it(
    tmp_path: Path, sentence: str, rules: list[str]
) -> None:
    assert found(tmp_path, f"{sentence}\n") == rules


@pytest.mark.parametrize(("p", "severity"), [(".01", "notable"), (".20", "notable")])
def test_an_interval_that_holds_the_level_is_on_neither_side_of_it(
    tmp_path: Path, p: str, severity: str
) -> None:
    """z = 1.96 is any of 1.955 to 1.965, whose p is 0.0506 to 0.0494."""
    path = tmp_path / "paper.md"
    path.write_text(f"We saw z = 1.96, p = {p}.\n", encoding="utf-8")
    (finding,) = audit_files([path], tmp_path).findings
    assert (finding.severity, "either side" in finding.explanation) == (severity, False)


def test_only_a_test_of_two_sides_is_called_so(tmp_path: Path) -> None:
    path = tmp_path / "paper.md"
    path.write_text("F(1, 58) = 7.11, p = .10.\n\nt(28) = 2.20, p = .36.\n", encoding="utf-8")
    one, two = sorted(audit_files([path], tmp_path).findings, key=lambda finding: finding.id)
    assert ("both sides" in one.explanation, "both sides" in two.explanation) == (False, True)


def test_p_values_may_have_digits_by_their_size(tmp_path: Path) -> None:
    rows = ("a & <0.001", "b & 0.02", "c & 0.40", "d & 0.003", "e & 0.10", "f & 0.20")
    assert found(tmp_path, tabular("Tests.", "Term & p", *rows)) == []
    assert found(tmp_path, tabular("Tests.", "Term & share", *rows)) == ["digits"]


@pytest.mark.parametrize("cost", ["Params (M)", "FLOPs (G)"])
def test_a_cost_takes_no_direction_from_its_neighbours(tmp_path: Path, cost: str) -> None:
    rows = (
        r"A & 70.1 & 60.2 & 50.9 & \textbf{11.2}",
        r"B & 71.3 & 61.1 & 51.3 & 25.6",
        r"C & \textbf{74.4} & \textbf{65.5} & \textbf{55.7} & 44.5",
    )
    assert found(tmp_path, tabular("Results.", f"Model & x & y & z & {cost}", *rows)) == []
    assert found(tmp_path, tabular("Results.", "Model & x & y & z & w", *rows)) == ["bold"]


def test_a_bold_number_may_round_to_the_best(tmp_path: Path) -> None:
    def rows(best: str) -> tuple[str, ...]:
        return (
            r"A & 70.12 & \textbf{90.18} & 60.11",
            rf"B & \textbf{{71.32}} & {best} & \textbf{{61.54}}",
        )

    head = r"Model & x $\uparrow$ & y $\uparrow$ & z $\uparrow$"
    assert "bold" not in found(tmp_path, tabular("Results.", head, *rows("90.2")))
    assert "bold" in found(tmp_path, tabular("Results.", head, *rows("90.19")))


def test_one_row_in_bold_that_no_heading_bears_out(tmp_path: Path) -> None:
    rows = (r"A & 4.1 & -278.9", r"B & 7.3 & -175.3", r"Ours & \textbf{7.3} & \textbf{-610.4}")
    pointed, bare = r"Model & Time $\downarrow$ & Return $\uparrow$", "Model & x & y"
    assert found(tmp_path, tabular("Results.", pointed, *rows)) == ["bold", "bold"]
    assert "bold" not in found(tmp_path, tabular("Results.", bare, *rows))
