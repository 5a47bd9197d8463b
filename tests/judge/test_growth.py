"""Work on a table grows with its rows, not with their square."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from harness import Study
from harness.judge.audit.audit import audit
from harness.study.new_paper import new_paper

SIZES = (60, 120, 180)


def lines_run(work: Callable[[], object]) -> int:
    """How many lines of the package a piece of work runs; each round of a loop counts."""
    count = 0

    def trace(frame: FrameType, event: str, arg: Any) -> Any:
        nonlocal count
        if "/harness/" not in frame.f_code.co_filename:
            return None
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def write_paper(folder: Path, rows: int) -> None:
    """A paper with a table of so many rows."""
    source = folder / f"{rows}.md"
    table = "".join(
        f"| Net-{row} | {row % 37 + 0.5} | {row % 29 + 0.25} |\n" for row in range(rows)
    )
    source.write_text(
        "# A paper\n\nTable 1: Results.\n\n| Method | A | B |\n|---|---|---|\n" + table
    )
    new_paper(folder / f"paper{rows}", [source])


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nothing is judged yet: tests copy it."""
    folder = tmp_path_factory.mktemp("papers")
    for rows in SIZES:
        write_paper(folder, rows)
    return folder


def _look_up(study: Study) -> None:
    table = study.paper.exhibits["table1"]
    for row in table.row_names:
        assert table.printed(row, "A") is not None


@pytest.mark.parametrize(
    "work",
    [
        lambda study: list(audit(study.paper)),
        lambda study: study.diff("table1"),
        lambda study: str(study.judge("table1")),
        _look_up,
    ],
    ids=["audit", "diff", "show", "printed"],
)
def test_work_grows_with_the_rows(
    papers: Path, tmp_path: Path, work: Callable[[Study], object]
) -> None:
    shutil.copytree(papers, tmp_path, dirs_exist_ok=True)
    studies = [Study.open(tmp_path / f"paper{rows}") for rows in SIZES]
    work(studies[0])  # what is set up once
    small, middle, large = (lines_run(lambda study=study: work(study)) for study in studies)
    assert large - middle <= 1.05 * (middle - small)
