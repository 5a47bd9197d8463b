"""The code of published records is known to make the numbers of today's steps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import harness.lab.steps
from harness.run.fingerprint import fingerprint
from harness.run.stale import Codes, probe_file
from harness.store.published import Published
from harness.store.store import Store

KINDS = {step.name: step for step in harness.lab.steps.STEPS}
PROBES = probe_file("harness.lab.steps")
RECORDS = Published(Path(__file__).parents[2] / "store" / "published").records.values()


def test_every_published_record_was_made_by_confirmed_code(tmp_path: Path) -> None:
    assert RECORDS
    assert Codes(KINDS, PROBES, Store(tmp_path)).changed(RECORDS) == {}


def test_code_that_no_probe_saw_is_told_once_for_a_step(tmp_path: Path) -> None:
    codes = Codes(KINDS, PROBES, Store(tmp_path))
    unseen = [replace(record, code="0" * 64) for record in RECORDS]
    assert codes.changed(unseen).keys() == {record.step for record in RECORDS}
    (line,) = codes.notices("table7", unseen)
    assert "student" in line


def test_the_present_code_needs_no_probe(tmp_path: Path) -> None:
    nothing = Codes(KINDS, tmp_path / "probes.json", Store(tmp_path))
    student, record = KINDS["student"], next(r for r in RECORDS if r.step == "student")
    assert nothing.changed([replace(record, code=fingerprint(student.function))]) == {}
    other = replace(record, code=fingerprint(KINDS["teacher"].function))
    assert nothing.changed([other]).keys() == {"student"}
