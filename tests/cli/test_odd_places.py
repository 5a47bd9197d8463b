"""Stores in odd places: over quota, behind a link, moved; and records that are of other days."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from harness.run.lease import lease_file
from harness.store.owner import Owner
from harness.store.record import Record
from harness.store.writer import write_provenance
from tests.cli.conftest import INLINE
from tests.cli.test_forged import forge
from tests.toy.paper import Workplace

CELL = "verdicts:Faithful:Small"
MAKE = ("make", CELL, "--seeds", "2", *INLINE)


def digests(place: Workplace) -> dict[str, str]:
    return {record.identity: record.digest for record in place.store.iterate()}


@pytest.mark.parametrize("after", [0, 3, 8, 14])
def test_over_quota_is_one_message_and_nothing_is_half_there(
    place: Workplace, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    pushes, push = [0], os.fsync

    def refuse(descriptor: int) -> None:
        pushes[0] += 1
        if pushes[0] > after:
            raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))
        push(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", refuse)
        ended = place.repro(*MAKE)
    assert ended.code == 3
    assert "quota" in ended.err.lower()
    assert "Traceback" not in ended.err
    assert place.repro("store", "verify").code == 0
    assert place.repro(*MAKE).code == 0
    assert list((place.root / "store" / "tmp").iterdir()) == []


def test_a_store_behind_a_link_and_moved_is_the_same(place: Workplace, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    store = place.root / "store"
    store.symlink_to(elsewhere)
    assert place.repro(*MAKE).code == 0
    made, starts = digests(place), place.starts()
    store.unlink()
    elsewhere.rename(store)
    again = place.repro(*MAKE)
    assert again.code == 0
    assert (digests(place), place.starts()) == (made, starts)
    assert place.repro("store", "verify").code == 0


def test_a_link_that_leads_nowhere_is_one_message(place: Workplace, tmp_path: Path) -> None:
    (place.root / "store").symlink_to(tmp_path / "gone" / "far")
    ended = place.repro(*MAKE)
    assert ended.code in (2, 3)
    assert len(ended.err.splitlines()) == 1
    assert not (tmp_path / "gone").exists()


def test_a_newer_revision_beside_ours_changes_nothing(copied: Workplace) -> None:
    """Another version of the paper's code, with a revision more, shares the store."""
    record = next(r for r in copied.store.iterate() if r.step == "measure" and r.link is None)
    shown = {field.name: getattr(record, field.name) for field in fields(Record)}
    before = copied.repro("show", "verdicts", "--json").json
    later = Record(**{**shown, "identity": "f" * 64, "revision": record.revision + 1})
    draft = copied.store.draft()
    for output in record.outputs.values():
        (draft / output["file"]).write_bytes((record.directory / output["file"]).read_bytes())
    write_provenance(draft, replace(later, directory=draft), "later")
    copied.store.place(draft, later.identity)
    assert copied.repro("show", "verdicts", "--json").json == before
    assert copied.repro("plan", "verdicts").code == 0
    assert copied.repro("runs").code == 0
    found = copied.repro("store", "verify", "--json")
    assert (found.code, found.json["not_identified"]) == (0, 1)
    assert copied.repro("make", "verdicts", *INLINE).code == 0
    assert later.identity in copied.store.identities()


@pytest.mark.parametrize("themselves", [True, False])
def test_inputs_that_go_in_a_circle_end(copied: Workplace, themselves: bool) -> None:
    """A record that names itself, or what is made of it, among its inputs."""
    measured = [r.identity for r in copied.store.iterate() if r.step == "measure"]
    forge(copied, inputs={"images": measured[0] if themselves else measured[-1]})
    for words in (["runs"], ["plan", "verdicts"], ["show", "verdicts"], ["store", "verify"]):
        assert copied.repro(*words).code in (0, 1), words
    assert copied.repro("why", CELL).code == 0
    assert copied.repro("make", "verdicts", *INLINE).code == 0


def test_links_that_go_in_a_circle_end(copied: Workplace) -> None:
    record = next(r for r in copied.store.iterate() if r.step == "measure" and r.link is None)
    shown: dict[str, Any] = {f.name: getattr(record, f.name) for f in fields(Record)}
    other = "e" * 64
    for identity, target in ((record.identity, other), (other, record.identity)):
        draft = copied.store.draft()
        write_provenance(draft, Record(**{**shown, "identity": identity, "link": target}), "")
        place = copied.store.directory("links", identity)
        place.parent.mkdir(parents=True, exist_ok=True)
        draft.rename(place)
    kept = copied.store.directory("records", record.identity)
    (kept / "record.json").write_text("{}")
    for words in (["show", "verdicts"], ["plan", "verdicts"], ["store", "verify"], ["runs"]):
        ended = copied.repro(*words)
        assert ended.code in (0, 1), (words, ended.err)
    assert copied.repro("make", "verdicts", *INLINE).code == 0


def test_a_name_twice_in_a_record_is_damage_or_one_of_both(copied: Workplace) -> None:
    """Whoever writes a name twice has changed the file, whose digest tells."""
    record = next(r for r in copied.store.iterate() if r.step == "measure" and r.link is None)
    path = record.directory / "record.json"
    path.write_text(path.read_text()[:-1] + ',"seed":99}')
    assert json.loads(path.read_text())["seed"] == 99
    assert copied.store.get(record.identity) is None


@pytest.fixture
def layered(copied: Workplace, tmp_path: Path) -> Iterator[Workplace]:
    """What was made lies in the lower layer of an overlay, as in the image of a container."""
    store, lower = copied.root / "store", tmp_path / "lower"
    for identity in copied.store.identities():  # as if its last owner had been killed
        lease_file(copied.store, identity).parent.mkdir(exist_ok=True)
        lease_file(copied.store, identity).write_text(replace(Owner.current(), started="1").token)
    store.rename(lower)
    for name in ("upper", "work"):
        (tmp_path / name).mkdir()
    store.mkdir()
    layers = f"lowerdir={lower},upperdir={tmp_path}/upper,workdir={tmp_path}/work"
    command = ["mount", "-t", "overlay", "-o", layers, "overlay", str(store)]
    if not shutil.which("mount") or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("an overlay may not be mounted here, which takes root")
    try:
        yield copied
    finally:
        subprocess.run(["umount", "--lazy", str(store)], check=True)


def test_a_store_in_the_layers_of_an_overlay(layered: Workplace, tmp_path: Path) -> None:
    """Folders of the lower layer cannot be renamed, and files of it change their inode."""
    make = ("make", "verdicts", *INLINE)
    made, starts = digests(layered), layered.starts()
    below = {path: path.stat().st_mtime_ns for path in (tmp_path / "lower").rglob("*")}
    measured = [r for r in layered.store.iterate() if r.step == "measure" and r.link is None]
    (measured[0].directory / "record.json").write_text("{}")
    assert layered.repro("store", "drop", measured[1].identity, "--yes").code == 0
    assert measured[1].identity not in layered.store.identities()
    assert layered.repro(*make).code == 0
    assert layered.starts() == starts + 2
    assert digests(layered) == made
    taken = [e for e in layered.store.events.read() if e["event"] == "takeover"]
    assert {e["identity"] for e in taken} == {record.identity for record in measured[:2]}
    for words in (["runs"], ["store", "verify"], ["show", "verdicts"]):
        ended = layered.repro(*words)
        assert ended.code == 0, (words, ended.err)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "lower").rglob("*")} == below
