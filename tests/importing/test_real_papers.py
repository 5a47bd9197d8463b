"""Tables of real papers, which are read where they are."""

from __future__ import annotations

import json

import pytest

from benchmarks.bench import RESULTS
from benchmarks.importing import HELD_OUT, PAPERS, TUNED, Score, count, read_all, score_folder

pytestmark = [
    pytest.mark.realdata,
    pytest.mark.skipif(not PAPERS.is_dir(), reason="../shared/data/papers is not here"),
]


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
    folders = [path for path in sorted(PAPERS.iterdir()) if (path / "tables").is_dir()]

    found = {str(path.relative_to(PAPERS)): count(path, read) for path, read in read_all(folders)}

    assert found == kept
