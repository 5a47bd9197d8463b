"""Every benchmark can be started: what it imports is there; and what became slower is named."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest

from benchmarks.bench import slower

ROOT = Path(__file__).parents[2]
MODULES = sorted((ROOT / "benchmarks").rglob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_what_a_benchmark_imports_of_the_project_is_there(path: Path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.ImportFrom) or node.level or node.module is None:
            continue
        if node.module.partition(".")[0] in ("harness", "benchmarks", "tests"):
            module = importlib.import_module(node.module)
            for name in (alias.name for alias in node.names):
                if not hasattr(module, name):
                    importlib.import_module(f"{node.module}.{name}")


def _found(processor: str = "A", **row: object) -> dict:
    known = {"what": "work", "beside": "", "ours": 1.0, "ratio": None, "lowest": 0.9}
    rows = [known | {"highest": 1.1} | row]
    return {"machine": {"processor": processor, "cores": 2}, "rows": rows}


def test_what_is_slower_than_noise_is_named():
    before = _found()
    assert list(slower(before, _found(ours=1.3, lowest=1.2, highest=1.4))) == [
        "work: 1.3 s, was 1 s"
    ]
    assert not list(slower(before, _found(ours=1.1, lowest=1.05, highest=1.2))), "within noise"
    assert not list(slower(before, _found("B", ours=3.0, lowest=2.9, highest=3.1))), "elsewhere"
    assert not list(slower({}, before)), "never measured before"


def test_a_ratio_to_a_peer_counts_on_any_machine():
    before = _found(beside="peer", ratio=5.0, lowest=4.8, highest=5.2)
    now = _found("B", beside="peer", ours=0.1, ratio=4.0, lowest=3.9, highest=4.1)
    assert list(slower(before, now)) == ["work: 4 times its peer, was 5"]
    assert not list(slower(now, before)), "faster"
