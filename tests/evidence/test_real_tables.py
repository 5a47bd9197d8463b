"""Tables of real papers, judged by the results that were published beside them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

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
