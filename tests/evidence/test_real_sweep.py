"""A table of a real paper, judged by published runs that are selected from a sweep."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from harness.study.evidence import _toml
from tests.evidence.test_real_tables import PAPERS, pytestmark
from tests.toy.paper import new_workplace

__all__ = ["pytestmark"]
DOMAINS = "CLSV"
BY_VALIDATION = ["98.0 ± 0.2", "64.2 ± 0.8", "74.1 ± 0.4", "77.1 ± 0.2"]
BY_ORACLE = ["96.9 ± 1.0", "65.9 ± 0.5", "71.6 ± 1.3", "76.9 ± 0.3"]
"""ERM on VLCS, as `test_sweep_results.txt` prints it for two ways to select a model."""


def swept(printed: list[str], oracle: bool) -> str:
    """A spec of that table: the best of all settings and steps of each trial counts."""
    printed_cells = _toml(dict(zip(DOMAINS, printed, strict=True)))
    cells = (
        "".join(f'[[columns]]\nname = "{name}"\nlabel = "{name}"\n' for name in DOMAINS)
        + f'[[rows]]\nname = "ERM"\nlabel = "ERM"\ncells = {printed_cells}\n'
    )
    text = (
        'id = "table9"\nkind = "table"\nlabel = "Table 9"\ntitle = "T"\nsection = "1"\n'
        'caption = "C"\nreporting = { spread = "sem", n = 2, unit = "percent accuracy" }\n'
        f'measure = {{ value = "accuracy" }}\n{cells}'
    )
    for test, name in enumerate(DOMAINS):
        others = [f"env{other}_out_acc" for other in range(4) if other != test]
        where: dict[str, Any] = {"args.test_envs": f"[{test}]"}
        entry = {
            "files": ["raw/*/results.jsonl"], "seed": "args.trial_seed", "scale": 100,
            "value": {name: f"env{test}_in_acc"},
            "where": where | ({"step": 1000} if oracle else {}),
            "select": {"by": [f"env{test}_out_acc"] if oracle else others},
        }  # fmt: skip
        text += "\n[[evidence]]\n" + "".join(f"{k} = {_toml(v)}\n" for k, v in entry.items())
    return text


@pytest.mark.parametrize("printed", [BY_VALIDATION, BY_ORACLE])
def test_a_model_that_validation_selects_before_trials_are_averaged(
    tmp_path: Path, printed: list[str]
) -> None:
    place = new_workplace(tmp_path)
    shutil.copytree(PAPERS / "domainbed" / "raw", tmp_path / "raw")
    place.add("tables/table9.toml", swept(printed, printed is BY_ORACLE))
    assert place.repro("evidence", "accept", "table9").code == 0
    cells = place.repro("show", "table9", "--json").json["cells"]
    assert [cell["reproduced"]["n"] for cell in cells] == [2] * 4
    assert [cell["as_printed"] for cell in cells] == [{"mean": True, "error": True}] * 4
