"""Which code of steps counts as known, and what the digests tell that save asking again."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from harness.plan.identity import source_digest
from harness.plan.step import Share, StepContext, StepResult
from harness.run.fingerprint import fingerprint
from harness.run.probe import update
from harness.run.stale import Codes, sources_of
from harness.store.record import Record
from harness.store.store import Store
from tests.run.graphs import make_step
from tests.toy.functions import draw
from tests.toy.steps import STEPS, DrawParams


def together(params: DrawParams, shares: Sequence[Share], context: StepContext) -> list[StepResult]:
    return [draw(params, share.inputs, share.context) for share in shares]


def made_by(store: Store, function: str) -> Record:
    return store.commit(
        make_step("draw"),
        StepResult({}),
        inputs={},
        code=fingerprint(function),
        environment={},
        seconds=0.0,
        log="",
    )


def test_the_code_that_does_steps_together_is_known_by_the_probe_that_runs_it(
    tmp_path: Path,
) -> None:
    kept, store = tmp_path / "probes.json", Store(tmp_path / "store")
    update(STEPS, kept)
    kind = replace(STEPS[0], fused=lambda params: f"{__name__}:together")
    codes = Codes({step.name: step for step in (kind, *STEPS[1:])}, kept, store)
    record = made_by(store, f"{__name__}:together")
    assert codes.changed([record]).keys() == {"draw"}, "no probe has run it yet"
    assert not codes.confirmed(record)
    assert codes.probe([record]) == ([], [])
    assert codes.changed([record]) == {}
    assert codes.confirmed(record), "so that its runs and those made alone are of one kind"
    assert codes.probe([record]) == ([], [])


@pytest.mark.parametrize("digest", ["source_digest", "sources_of"])
def test_a_module_that_moves_to_another_package_is_another_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, digest: str
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    found = set()
    for name in ("inner", "other"):
        source_digest.cache_clear()
        sources_of.cache_clear()
        place = tmp_path / "moved" / name
        place.mkdir(parents=True)
        for file in (place.parent / "__init__.py", place / "__init__.py"):
            file.write_text("")
        (place / "model.py").write_text("x = 1\n")
        found.add(source_digest(place.parent) if digest == "source_digest" else sources_of("moved"))
        (place / "model.py").unlink()
        (place / "__init__.py").unlink()
        place.rmdir()
    sys.modules.pop("moved", None)
    assert len(found) == 2


def test_a_step_that_lost_its_probe_has_nothing_that_a_probe_could_tell(tmp_path: Path) -> None:
    kept = tmp_path / "probes.json"
    update(STEPS, kept)
    bare = replace(STEPS[0], probe="")
    codes = Codes({bare.name: bare}, kept, Store(tmp_path / "store"))
    assert all("probe" in line for line in codes.check([bare]))
