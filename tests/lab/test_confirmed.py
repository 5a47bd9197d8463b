"""The code of published records is known to make the numbers of today's steps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import harness.lab.steps
from harness.run.fingerprint import fingerprint
from harness.run.probe import Confirmed
from harness.store.published import Published

KINDS = {step.name: step for step in harness.lab.steps.STEPS}
CONFIRMED = Confirmed(Path(harness.lab.steps.__file__).with_name("probes.json"))
RECORDS = Published(Path(__file__).parents[2] / "store" / "published").records.values()


def test_every_published_record_was_made_by_confirmed_code() -> None:
    assert RECORDS
    unknown = [(r.step, r.code) for r in RECORDS if not CONFIRMED(KINDS[r.step], r)]
    assert unknown == []


def test_code_that_no_probe_saw_and_other_revisions_are_not_confirmed() -> None:
    for record in RECORDS:
        kind = KINDS[record.step]
        assert not CONFIRMED(kind, replace(record, code="0" * 64))
        assert not CONFIRMED(kind, replace(record, revision=record.revision + 1))
        assert not CONFIRMED(replace(kind, revision=kind.revision + 1), record)


def test_the_present_code_is_confirmed_alone_and_together(tmp_path: Path) -> None:
    nothing = Confirmed(tmp_path / "probes.json")
    student, record = KINDS["student"], next(r for r in RECORDS if r.step == "student")
    fused = student.fused(student.params.model_validate(dict(record.params)))
    for function in (student.function, fused):
        assert nothing(student, replace(record, code=fingerprint(function)))
    assert not nothing(student, replace(record, code=fingerprint(KINDS["teacher"].function)))
