"""Tables of real papers, judged by the results that were published beside them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from harness import Study
from harness.study.evidence import _toml
from harness.study.new_paper import new_paper
from tests.toy.paper import Workplace, new_workplace

PAPERS = Path(__file__).parents[3] / "shared" / "data" / "papers"
pytestmark = [
    pytest.mark.realdata,
    pytest.mark.skipif(not PAPERS.is_dir(), reason="../shared/data/papers is not here"),
]


def spec(cells: list[dict[str, Any]], n: int, digits: str) -> str:
    """A table's spec with these cells, given by row, column, value and error."""
    rows = dict.fromkeys(cell["row"][-1] for cell in cells)
    columns = dict.fromkeys(cell["column"][-1] for cell in cells)
    lines = [
        'id = "table9"\nkind = "table"\nlabel = "Table 9"\ntitle = "T"\nsection = "1"',
        f'caption = "C"\n[reporting]\nspread = "std"\nn = {n}\nmargin = {digits}',
        '[measure]\nvalue = "accuracy"',
        *(f"[[columns]]\nname = {json.dumps(c)}\nlabel = {json.dumps(c)}" for c in columns),
    ]
    for row in rows:
        text = {c["column"][-1]: f"{c['value']} ± {c['std']}" for c in cells if c["row"][-1] == row}
        pairs = ", ".join(f"{json.dumps(k)} = {json.dumps(v)}" for k, v in text.items())
        lines.append(
            f"[[rows]]\nname = {json.dumps(row)}\nlabel = {json.dumps(row)}\ncells = {{ {pairs} }}"
        )
    return "\n".join(lines) + "\n"


def judged(root: Path, raw: Path, table: str, *add: str) -> tuple[Workplace, list[dict[str, Any]]]:
    place = new_workplace(root)
    place.add("tables/table9.toml", table)
    shutil.copytree(raw, root / "raw")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        done = place.repro("evidence", "add", "table9", *add)
    assert done.code == 0, done.err
    cells: list[dict[str, Any]] = place.repro("show", "table9", "--json").json["cells"]
    return place, cells


def test_a_table_that_agrees_with_its_results_comes_back_whole(tmp_path: Path) -> None:
    folder = PAPERS / "dl4tsc"
    held = json.loads((folder / "cells.json").read_text())
    (table,) = [each for each in held if each["file"].endswith("mts.md")]
    names = {"Time-CNN": "cnn", "t-LeNet": "tlenet"}
    cells = [
        {"row": c["row"], "column": [names.get(c["column"][-1], c["column"][-1])],
         "value": f"{c['value']:.1f}", "std": f"{c['error']['value']:.1f}"}
        for c in table["cells"] if c["error"]
    ]  # fmt: skip
    _, shown = judged(
        tmp_path, folder / "raw", spec(cells, 10, '"1 digits"'), "raw/results-mts.csv",
        "--scale", "100",
    )  # fmt: skip
    assert len(shown) == 108
    for cell in shown:
        ours, theirs = cell["reproduced"], cell["reported"]
        assert ours["n"] == 10, cell
        assert abs(ours["mean"] - float(theirs["mean"])) < 0.0501, cell
        assert abs(ours["std"] - float(theirs["error"])) < 0.0501, cell


def test_one_json_a_run_and_a_folder_of_another_run_of_the_same_name(tmp_path: Path) -> None:
    rows = ["naive_sequential", "joint_training", "ewc", "experience_replay"]
    columns = {"AP": "Average Performance (AP)", "REM": "Remembering (REM)"}
    cells = [
        {"row": [row], "column": [column], "value": "0.000", "std": "0.001"}
        for row in rows for column in columns
    ]  # fmt: skip
    _, shown = judged(
        tmp_path, PAPERS / "mcgl" / "raw", spec(cells, 5, "0.01"),
        "raw/results_run3/{baseline}_TransE_seed{seed}.json", "--row", "baseline",
        "--value", "AP=results.0.Average Performance (AP)",
        "--value", "REM=results.0.Remembering (REM)",
    )  # fmt: skip
    found = {(c["row"], c["column"]): c["reproduced"] for c in shown}
    assert found["joint_training", "AP"]["mean"] == pytest.approx(0.01748, abs=5e-6)
    assert found["ewc", "REM"]["mean"] == pytest.approx(0.98345, abs=5e-6)
    assert {each["n"] for each in found.values()} == {5}
    assert found["ewc", "AP"]["seeds"] == [42, 123, 456, 789, 1024]


MCGL = {
    "AP": "Average Performance (AP)",
    "AF": "Average Forgetting (AF)",
    "BWT": "Backward Transfer (BWT)",
    "REM": "Remembering (REM)",
}
MCGL_NAMES = {
    "naive_sequential": "Naive Sequential",
    "joint_training": "Joint Training",
    "experience_replay": "Experience Replay",
    "ewc": "EWC",
    "lkge": "LKGE",
    "cmkl": "CMKL (ours)",
}


def mcgl(files: str, arrows: dict[str, str]) -> dict[str, Any]:
    value = {f"{key} {arrow}": f"results.0.{MCGL[key]}" for key, arrow in arrows.items()}
    return {"files": [files], "row": "method", "seed": "results.0.seed", "value": value}


ARROWS = {"AP": "↑", "AF": "↓", "BWT": "↑", "REM": "↑"}
TASKS = {"sst2": "SST-2", "cola": "CoLA", "mrpc": "MRPC", "stsb": "STS-B", "qqp": "QQP",
         "mnli": "MNLI", "qnli": "QNLI", "rte": "RTE"}  # fmt: skip
GROUPS = {
    **dict.fromkeys(("sst2", "cola"), "Single Sentence"),
    **dict.fromkeys(("mrpc", "stsb", "qqp"), "Paraphrase and Similarity"),
    **dict.fromkeys(("mnli", "qnli", "rte"), "Natural Language Inference"),
}
VOCAB_NAMES = {
    **{task: f"{GROUPS[task]}/{name}" for task, name in TASKS.items()},
    "NO_PRUNING": "Baseline/ModernBERT (Full)",
    "TRAIN_TOKENS_ONLY": "Vocabulary Pruning/Train Tokens Only",
    "RANDOM": "Vocabulary Pruning/Random Selection",
    "CLUSTERING": "Vocabulary Pruning/Clustering-Based",
    "ATTENTION": "Vocabulary Pruning/Attention-Based",
    "FREQUENCY": "Vocabulary Pruning/Simple Frequency-Based",
    "IMPORTANCE": "Vocabulary Pruning/TF-IDF Based",
    "FREQUENCY_OOV": "Vocabulary Pruning/Simple Frequency + OOV",
    "IMPORTANCE_OOV": "Vocabulary Pruning/TF-IDF + OOV",
}
GLUE = {
    "test_accuracy_score": ["sst2", "mrpc", "qqp", "mnli", "qnli", "rte"],
    "test_matthews_corrcoef": ["cola"],
    "test_pearsonr": ["stsb"],
}
"""The metric of a task -> its tasks."""
CASES: dict[str, tuple[str, list[dict[str, Any]], dict[str, str], str, int]] = {
    "tinysepsis": (
        "tables/multiseed_summary.tex",
        [{"files": ["raw/tables/multiseed_raw.csv"], "row": "model", "seed": "seed",
          "value": {"Test AUROC": "test_auroc", "External AUROC": "external_auroc", "Gap": "gap"}}],
        {"logreg": "Logistic Regression", "tinysepsis": "TinySepsis (ours)"},
        "std", 12,
    ),
    "libertus": (
        "tables/validation_results.tex",
        [{"files": ["raw/system_scores/metrics-{lang}-dev.json"], "row": "lang",
          "value": {"POS tag.": "morphologizer.pos_acc", "Morph. annot.": "morphologizer.morph_acc",
                    "Lemma.": "trainable_lemmatizer.lemma_acc"}}],
        {}, "unknown", 39,
    ),
    "mcgl": (
        "tables/paper_a_benchmark/main_results.tex",
        [{**mcgl("raw/results_run3/{method}_TransE_seed{seed}.json", ARROWS)},
         {**mcgl("raw/results/lkge_TransE_seed{seed}.json", ARROWS), "row": "method"},
         {**mcgl("raw/results/cmkl_DistMult_seed{seed}.json", ARROWS), "row": "method"}],
        MCGL_NAMES, "std", 24,
    ),
    "vocab-pruning": (
        "tables/results.tex",
        [{"files": ["raw/{method}_res.csv", "raw/{method}_RES.csv"],
          "row": "method", "column": "index", "value": value,
          "where": {"index": tasks, "method": [n for n in VOCAB_NAMES if n not in TASKS]}}
         for value, tasks in GLUE.items()],
        VOCAB_NAMES, "unknown", 72,
    ),
}  # fmt: skip
DISAGREE = {
    "tinysepsis": (set(), set()),
    "libertus": (set(), set()),
    "mcgl": (
        {("Naive Sequential", "BWT ↑"), ("Joint Training", "AP ↑"), ("EWC", "REM ↑"),
         ("Experience Replay", "BWT ↑")},
        {("EWC", "AF ↓")},
    ),
}  # fmt: skip
"""The numbers and the errors that the notes beside these papers name as other than their runs."""


def of_its_own_results(root: Path, paper: str) -> list[dict[str, Any]]:
    """The cells that have results, of a paper's table as it is read from its source."""
    source, entries, names, spread, count = CASES[paper]
    folder = root / "paper"
    new_paper(folder, [PAPERS / paper / source])
    shutil.copytree(PAPERS / paper / "raw", folder / "raw")
    path = folder / "specs" / "tables" / "table1.toml"
    text = path.read_text(encoding="utf-8").replace('"unknown"', f'"{spread}"', 1)
    for entry in entries:
        keys = {**entry, "names": names} if names else entry
        text += "\n[[evidence]]\n" + "".join(f"{k} = {_toml(v)}\n" for k, v in keys.items())
    path.write_text(text, encoding="utf-8")
    study = Study.open(folder)
    study.accept_evidence("table1")
    shown = study.judge("table1")
    cells = [each for each in shown.view.fields(shown.judgement)["cells"] if each["as_printed"]]
    assert len(cells) == count
    return cells


@pytest.mark.parametrize("paper", DISAGREE)
def test_what_a_table_prints_other_than_its_results_is_named(tmp_path: Path, paper: str) -> None:
    cells = of_its_own_results(tmp_path, paper)
    numbers, errors = (
        {(c["row"], c["column"]) for c in cells if c["as_printed"][what] is False}
        for what in ("mean", "error")
    )
    assert (numbers, errors) == DISAGREE[paper]


def test_a_table_of_single_runs_that_is_partly_of_other_ones(tmp_path: Path) -> None:
    cells = of_its_own_results(tmp_path, "vocab-pruning")
    other = {(c["row"].split("/")[-1], c["column"].split("/")[-1]) for c in cells
             if not c["as_printed"]["mean"]}  # fmt: skip
    assert len(cells) - len(other) == 31
    assert {c for r, c in other if r == "ModernBERT (Full)"} == {"CoLA", "MRPC", "QNLI", "RTE"}
    assert {c for r, c in other if r == "Train Tokens Only"} == {"CoLA", "MRPC", "RTE"}
    assert {c for r, c in other if r == "Clustering-Based"} == set(TASKS.values())
    assert {c for r, c in other if r == "Attention-Based"} == {
        "STS-B", "QQP", "MNLI", "QNLI", "RTE"
    }  # fmt: skip
