"""Long tables are audited in a time that grows like their length."""

from __future__ import annotations

from pathlib import Path
from time import process_time

import pytest

from harness.study.audit import audit_files


def seconds(folder: Path, rows: int, columns: int) -> float:
    """Processor time for a table whose numbers follow no relation."""
    lines = [",".join(["id", *(f"c{c}" for c in range(columns))])]
    for r in range(rows):
        cells = [f"{(r * 7919 + c * 104729) % 9973 / 100:.2f}" for c in range(columns)]
        lines.append(",".join([f"r{r}", *cells]))
    path = folder / f"{rows}x{columns}.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    begun = process_time()
    audit_files([path], folder)
    return process_time() - begun


@pytest.mark.parametrize(("rows", "columns"), [(200, 5), (5, 200)])
def test_time_grows_like_the_length(tmp_path: Path, rows: int, columns: int) -> None:
    seconds(tmp_path, 20, 5)  # what is imported and compiled once
    short = seconds(tmp_path, rows, columns)
    long = seconds(tmp_path, *((4 * rows, columns) if rows > columns else (rows, 4 * columns)))
    assert long < 8 * short + 0.2
