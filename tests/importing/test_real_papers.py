"""Tables of real papers, which are read where they are."""

from __future__ import annotations

import csv
import json
from collections import Counter, defaultdict
from pathlib import Path
from statistics import mean, stdev

import pytest

from benchmarks.bench import RESULTS
from benchmarks.importing import HELD_OUT, PAPERS, TUNED, Score, count, read_all, score_folder
from harness import Study
from harness.errors import UserError
from harness.importing import read_tables
from harness.render import latex
from harness.render.views.table import TableView
from harness.study.new_paper import new_paper
from harness.study.sync import sync_tables

pytestmark = [
    pytest.mark.realdata,
    pytest.mark.skipif(not PAPERS.is_dir(), reason="../shared/data/papers is not here"),
]

FOLDERS = [path for path in sorted(PAPERS.glob("*")) if (path / "tables").is_dir()]


@pytest.mark.parametrize("names", [TUNED, HELD_OUT], ids=["tuned", "held out"])
def test_numeric_cells_are_read_exactly_and_none_wrongly(names: tuple[str, ...]) -> None:
    pooled = Score()
    for name in names:
        for each in score_folder(PAPERS / name).values():
            pooled += each

    assert pooled.cells > 200
    assert pooled.counts["exact"] >= 0.98 * pooled.cells
    assert pooled.counts["wrong"] == 0


def test_every_file_is_read_as_the_kept_results_say() -> None:
    kept = json.loads((RESULTS / "importing.json").read_text(encoding="utf-8"))["files"]

    found = {str(path.relative_to(PAPERS)): count(path, read) for path, read in read_all(FOLDERS)}

    assert found == kept


def test_a_table_of_means_equals_the_runs_that_it_was_made_from() -> None:
    runs: dict[tuple[str, str], list[float]] = defaultdict(list)
    for part in (1, 2):
        path = PAPERS / "dl4tsc" / "raw" / f"results-uea.part{part}.csv"
        with path.open(encoding="utf-8", newline="") as file:
            for run in csv.DictReader(file):
                runs[run["dataset_name"], run["classifier_name"]].append(float(run["accuracy"]))
    named = {"t-lenet": "tlenet", "time-cnn": "cnn"}
    (table,) = read_tables(PAPERS / "dl4tsc" / "tables" / "ucr.md").tables

    compared = 0
    for row, column, entry in table.entries():
        classifier = column[0].lower()
        values = runs.get((row[0], named.get(classifier, classifier)))
        printed = entry.printed
        if values is not None:
            assert printed.value is not None
            assert printed.error is not None
            # Half a unit of the last printed digit, and what binary fractions are off by.
            assert abs(100 * mean(values) - float(printed.value)) < 0.0501, (row, column)
            assert abs(100 * stdev(values) - float(printed.error.plus)) < 0.0501, (row, column)
            compared += 1

    assert compared == 765


def test_every_table_becomes_a_spec_that_prints_it_to_the_letter(tmp_path: Path) -> None:
    """As specs that load, and as LaTeX that is read again; formulae are spelt otherwise there."""
    counts = Counter[str]()
    for number, (path, read) in enumerate(read_all(FOLDERS)):
        if isinstance(read, UserError) or not read.tables:
            continue
        folder = tmp_path / str(number)
        begun = new_paper(folder, [path])
        paper = Study.open(folder).paper
        assert not sync_tables(Study.open(folder).project, [path]).changes, path
        for name, table in zip(begun.tables, read.tables, strict=True):
            shown = TableView(paper, paper.exhibits[name]).table(None)  # type: ignore[arg-type]
            printed = [[e.printed for e in row.entries] for row in table.rows]
            assert [[(cell.reported or "", cell.bold, cell.underline) for cell in row.cells]
                    for row in shown.rows] == [
                [(p.text, p.bold, p.underline) for p in row] for row in printed
            ], path  # fmt: skip
            rendered = tmp_path / "rendered.tex"
            rendered.write_text(latex.render(shown, "reported"), encoding="utf-8")
            again = read_tables(rendered).tables
            flat = [e.printed for each in again for row in each.rows for e in row.entries]
            numbers = [p for row in printed for p in row if p.kind == "number"]
            counts["numbers"] += len(numbers)
            # A wide table is set in parts, one below the other, so that the order is another.
            same = Counter(map(repr, numbers)) == Counter(
                repr(p) for p in flat if p.kind == "number"
            )
            counts["again"] += same and len(numbers)
            counts["tables"] += 1

    assert counts["tables"] == 111
    assert counts["numbers"] == counts["again"] > 6000
