"""A paper's sources without specs: each planted fault is found, and the mended paper is silent."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.study.audit import Audited, audit_files

PAPER = r"""
\documentclass{article}
\newcommand{\ours}{DeepSea}
\begin{document}
\begin{abstract}
We present \ours. Our \ours{} reaches 83.5\% on Ponds.
It uses $3 \times 4 = 12$ parts, of which 12 of 25 (48\%) are new.
\end{abstract}
\section{Results}
As Table~\ref{tab:main} shows, \ours{} has 83.5 on Ponds and 71.2 on Lakes~\cite{found}.
On Ponds, Wide and Big have 70.2 and 70.4. There, \ours{} gains 13.3 points over Wide.
\ours{} has the highest accuracy on Ponds. Wide outperforms Big on Lakes.
In earlier work, Wide reached 75.5 on Ponds. Wide uses batches of 128 on Ponds.
The groups differ ($t(23) = 2.31$, $p = .03$; $F(2, 45) = 4.10$, $p < .05$;
$\chi^2(1, N = 90) = 3.2$, $p = .07$; $r(30) = .45$, $p = .01$; $z = 1.96$, $p = .05$).
\begin{table}
\caption{Accuracy.}\label{tab:main}
\begin{tabular}{lrrr}
\toprule
Method & Ponds & Lakes & Avg. \\
\midrule
Shallow & 80.1 & 70.0 & 75.1 \\
\ours & \textbf{83.5} & \textbf{71.2} & \textbf{77.4} \\
Wide & 70.2 & 66.6 & 68.4 \\
Big & 70.4 & 61.2 & 65.8 \\
\bottomrule
\end{tabular}
\end{table}
\begin{thebibliography}{9}
\bibitem{found} A.
\end{thebibliography}
\end{document}
"""


def audited(folder: Path, old: str = "", new: str = "") -> Audited:
    assert PAPER.count(old) == 1 or not old
    path = folder / "paper.tex"
    path.write_text(PAPER.replace(old, new) if old else PAPER, encoding="utf-8")
    return audit_files([path], folder)


def test_a_consistent_paper_has_no_findings(tmp_path: Path) -> None:
    assert audited(tmp_path).findings == ()


@pytest.mark.parametrize(
    ("rule", "old", "new", "line"),
    [
        ("text-cell", "reaches 83.5", "reaches 85.3", 6),
        ("text-cell", "has 83.5 on Ponds and 71.2", "has 71.2 on Ponds and 83.5", 10),
        ("text-cell", "have 70.2 and 70.4", "have 70.2 and 74.0", 11),
        ("ranking", r"\ours{} has the highest", "Wide has the highest", 12),
        ("ranking", "Wide outperforms Big on Lakes", "Big outperforms Wide on Lakes", 12),
        ("ranking", "Wide outperforms Big on Lakes", "Big outperforms Wide everywhere", 12),
        ("worked-number", "= 12$ parts", "= 14$ parts", 7),
        ("worked-number", r"(48\%)", r"(58\%)", 7),
        ("p-value", "$p = .03$", "$p = .003$", 14),
        ("p-value", "$p < .05$", "$p < .01$", 14),
        ("p-value", "$p = .07$", "$p = .02$", 14),
        ("p-value", "$p = .01$", "$p = .10$", 14),
        ("p-value", "z = 1.96", "z = 2.96", 14),
        ("aggregate", "68.4", "64.8", 24),
        ("unresolved", r"\cite{found}", r"\cite{found,lost}", 10),
        ("unresolved", r"\ref{tab:main}", r"\ref{tab:main}--\ref{tab:other}", 10),
        ("uncited", r"\bibitem{found} A.", r"\bibitem{found} A. \bibitem{idle} B.", 30),
        ("unreferenced", r"\label{tab:main}", r"\label{tab:main}\label{tab:more}", 17),
    ],
)
def test_a_planted_fault_is_found_at_its_line(
    tmp_path: Path, rule: str, old: str, new: str, line: int
) -> None:
    found = audited(tmp_path, old, new)
    assert [finding.rule for finding in found.findings] == [rule]
    assert found.place(found.findings[0].addresses[0]) == ("paper.tex", line)


@pytest.mark.parametrize(
    "sentence",
    [
        r"\ours{} reaches 0.835 on Ponds.",
        "Big, not Wide, has the highest accuracy on Lakes.",
        "Among the small ones, Wide has the best accuracy on Ponds.",
        "Big is better than Wide on Ponds and Wide on Lakes.",
        "Wide reaches at least 60.5 on Ponds.",
        "Wide improves from 61.0 on Ponds.",
        "Wide and Ponds have 68.4.",
        "Wide needs 3.5 hours on Ponds and 61.2 elsewhere.",
        "Wide, a mean of 68.40, is on Ponds.",
        r"Wide ($t(23) = 1.80$, $p = .04$, one-sided) is better on Ponds.",
        r"The correlation ($r(30) = .45$, Bonferroni-corrected $p = .04$) holds.",
    ],
)
def test_a_number_that_may_be_another_is_let_stand(tmp_path: Path, sentence: str) -> None:
    told = audited(tmp_path, "We present \\ours.", f"We present \\ours. {sentence}")
    assert told.findings == ()


def test_addresses_last_when_lines_move(tmp_path: Path) -> None:
    before = audited(tmp_path, "68.4", "64.8").findings
    path = tmp_path / "paper.tex"
    path.write_text(f"\n\n{path.read_text(encoding='utf-8')}", encoding="utf-8")
    after = audit_files([path], tmp_path)
    assert [finding.addresses for finding in after.findings] == [f.addresses for f in before]
    assert after.place(before[0].addresses[0]) == ("paper.tex", 26)


def test_a_markdown_file_is_audited_too(tmp_path: Path) -> None:
    path = tmp_path / "paper.md"
    table = (
        "| Method | Ponds | Lakes |\n|---|---|---|\n| Wide | 70.2 | 66.6 |\n| Big | 70.4 | 61.2 |\n"
    )
    path.write_text(f"# Paper\n\n{table}\n**Wide** reaches 72.0 on Ponds.\n", encoding="utf-8")
    found = audit_files([path], tmp_path)
    assert [finding.rule for finding in found.findings] == ["text-cell"]
    assert found.place(found.findings[0].addresses[0]) == ("paper.md", 8)
