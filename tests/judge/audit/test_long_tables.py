"""The work of auditing a long table grows as its length does, or a wide one as its width."""

from __future__ import annotations

from cProfile import Profile
from pathlib import Path
from pstats import Stats

import pytest

from harness.study.audit import audit_files


def calls(folder: Path, rows: int, columns: int) -> int:
    """Function calls for a table whose numbers follow no relation; no clock, so no noise."""
    lines = [",".join(["id", *(f"c{c}" for c in range(columns))])]
    for r in range(rows):
        cells = [f"{(r * 7919 + c * 104729) % 9973 / 100:.2f}" for c in range(columns)]
        lines.append(",".join([f"r{r}", *cells]))
    path = folder / f"{rows}x{columns}.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with Profile() as profile:
        audit_files([path], folder)
    return int(Stats(profile).total_calls)  # type: ignore[attr-defined]


@pytest.mark.parametrize(("rows", "columns"), [(200, 5), (5, 200)])
def test_work_grows_as_the_length_does(tmp_path: Path, rows: int, columns: int) -> None:
    calls(tmp_path, 20, 5)  # what is imported and compiled once
    short = calls(tmp_path, rows, columns)
    long = calls(tmp_path, *((4 * rows, columns) if rows > columns else (rows, 4 * columns)))
    assert long < 6 * short
