"""Checking every record against its digests."""

from __future__ import annotations

from dataclasses import dataclass

from harness.store.digest import digest_array
from harness.store.record import (
    DamagedRecord,
    Record,
    check_file,
    content_digest,
    read_manifest,
    read_record,
)
from harness.store.store import Store
from harness.store.writer import tensors_digest


@dataclass(frozen=True, slots=True)
class Problem:
    """A record that must not be used."""

    identity: str
    message: str


def verify(store: Store) -> list[Problem]:
    """Recompute the digests of every record and every link; the problems, by identity."""
    problems = []
    for kind in ("records", "links"):
        for identity in sorted(store.listing(kind)):
            try:
                record = read_record(store.directory(kind, identity))
                if record.link is None:
                    _verify_record(record)
                else:
                    _verify_link(store, record)
            except DamagedRecord as damage:
                problems.append(Problem(identity, damage.reason))
    return sorted(problems, key=lambda problem: problem.identity)


def _verify_record(record: Record) -> None:
    manifest = read_manifest(record.directory)
    for name in sorted(manifest):
        check_file(record.identity, record.directory / name, manifest)
    for name, output in sorted(record.outputs.items()):
        if _recomputed(record, name) != output["sha256"]:
            raise DamagedRecord(record.identity, f"{output['file']} does not have its digest")
    if content_digest(record.values, record.outputs) != record.digest:
        raise DamagedRecord(record.identity, "its values and outputs do not have its digest")


def _verify_link(store: Store, link: Record) -> None:
    target = read_record(store.directory("records", str(link.link)))
    if target.digest != link.digest:
        raise DamagedRecord(link.identity, f"it links to {link.link}, which holds other content")


def _recomputed(record: Record, name: str) -> str:
    if name in record.arrays:
        return digest_array(record.array(name))
    from safetensors.numpy import load_file

    return tensors_digest(load_file(record.tensors(name)))
