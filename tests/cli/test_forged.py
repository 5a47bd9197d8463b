"""A record that is not of the work that its identity names is reported, with all digests right."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from harness.plan.identity import is_identity_of
from harness.store.digest import digest_json
from harness.store.record import Record, content_digest
from harness.store.writer import write_provenance
from harness.study.project import find_project
from harness.study.records import damaged
from tests.cli.conftest import INLINE
from tests.toy.paper import Workplace
from tests.toy.steps import STEPS, DrawParams

ROOT = Path(__file__).resolve().parents[2]


def forge(place: Workplace, **other: Any) -> str:
    """Write a record whole, with all of its digests, in the place of an honest one."""
    record = next(r for r in place.store.iterate() if r.step == "measure" and r.link is None)
    shown = {field.name: getattr(record, field.name) for field in fields(Record)}
    values = {**record.values, "accuracy": 0.99}
    forged = Record(**{**shown, "values": values, **other})
    forged = replace(forged, digest=content_digest(values, forged.outputs))
    write_provenance(record.directory, forged, "honest")
    manifest = json.loads((record.directory / "manifest.json").read_text())
    del manifest["files"]["manifest.json"]  # that of the honest one
    manifest["digest"] = digest_json(manifest["files"])
    (record.directory / "manifest.json").write_text(json.dumps(manifest))
    return record.identity


@pytest.mark.parametrize(
    "other",
    [
        {"seed": 77},
        {"step": "draw", "params": DrawParams().model_dump()},
        {"inputs": {"images": "0" * 64}},
        {"params": {"mean": 0.99, "std": 0.0, "fail": False}},
    ],
)
def test_what_a_record_says_that_it_is_has_its_identity(
    copied: Workplace, other: dict[str, Any]
) -> None:
    assert copied.repro("store", "verify").code == 0
    identity = forge(copied, **other)
    found = copied.repro("store", "verify", "--json")
    assert found.code == 1
    assert [problem["identity"] for problem in found.json["problems"]] == [identity]
    assert found.json["not_identified"] == 0


def test_what_cannot_be_recomputed_is_counted(copied: Workplace) -> None:
    forge(copied, revision=2)
    assert copied.repro("store", "verify", "--json").json["not_identified"] == 1
    blind = copied.repro("store", "verify", "--no-code")
    assert blind.code == 0
    assert "not recomputed: the identities of" in blind.out


def test_a_parameter_of_another_day_is_not_told(copied: Workplace) -> None:
    measure = next(kind for kind in STEPS if kind.name == "measure")
    record = next(r for r in copied.store.iterate() if r.step == "measure")
    odd = {**record.params, "gone": 1}
    assert is_identity_of(record.identity, measure, 1, odd, record.seed, record.inputs) is None


def test_all_that_this_paper_publishes_has_its_identity() -> None:
    assert damaged(find_project(ROOT), set_aside=False) == ([], 0)


@pytest.mark.parametrize(
    "other",
    [
        {"seed": 77},
        {"step": "draw", "params": DrawParams().model_dump()},
        {"inputs": {"images": "0" * 64}},
    ],
)
def test_a_record_of_other_work_is_never_used(copied: Workplace, other: dict[str, Any]) -> None:
    before = copied.repro("show", "verdicts", "--json").json["cells"]
    identity = forge(copied, **other)
    shown = copied.repro("show", "verdicts", "--json").json["cells"]
    gaps = [why for cell in shown for why in cell["gaps"].values()]
    assert gaps
    assert all("other work than its identity names" in why for why in gaps)
    made = copied.repro("make", "verdicts", "averaged", *INLINE)
    assert made.code == 0
    assert f"record {identity[:12]} is not of the step" in made.err
    assert copied.repro("show", "verdicts", "--json").json["cells"] == before
    assert copied.repro("store", "verify").code == 0


def test_a_cut_off_record_is_named_moved_out_of_the_way_and_done_anew(copied: Workplace) -> None:
    record = next(r for r in copied.store.iterate() if r.step == "measure" and r.link is None)
    (record.directory / "record.json").write_bytes(b"")
    found = copied.repro("store", "verify")
    assert (found.code, "--set-aside" in found.out) == (1, True)
    aside = copied.repro("store", "verify", "--set-aside")
    assert (aside.code, "moved to " in aside.out) == (1, True)
    assert [path.name[:64] for path in (copied.root / "store" / "damaged").iterdir()] == [
        record.identity
    ]
    assert copied.repro("make", "verdicts", *INLINE).code == 0
    assert record.identity in copied.store.identities()
    assert copied.repro("store", "verify").code == 0
