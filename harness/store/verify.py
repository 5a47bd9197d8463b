"""Checking every record against its digests, and against the identity that it goes by."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from harness.errors import EvidenceError
from harness.plan.identity import is_identity_of
from harness.plan.step import StepType
from harness.store.digest import digest_array
from harness.store.files import read_json
from harness.store.record import (
    RECORD,
    DamagedRecord,
    Record,
    content_digest,
    no_content,
    read_record,
    work_of,
)
from harness.store.store import Store
from harness.store.writer import tensors_digest

PUBLISHED = "published"
"""In the place of an identity, where a file of what is published is damaged."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A record that must not be used."""

    identity: str
    message: str
    work: str | None = None
    """The step and the seed of which it is the record, where it can still be read."""


def verify(store: Store, sha256: bool = False) -> list[Problem]:
    """Hold every record and every link against its digests; the problems, by identity.

    As many records at once as there are cores: digesting large files holds no interpreter lock.

    Args:
        sha256: whether the SHA-256 of files and of what they hold is recomputed too. Without it, a
            file with a quick digest is as it was written, or was forged together with its manifest.
    """
    listed = [(kind, name) for kind in ("records", "links") for name in store.listing(kind)]
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        found = threads.map(lambda one: _problem(store, sha256, *one), sorted(listed))
        return sorted(filter(None, found), key=lambda problem: problem.identity)


def misnamed(store: Store, types: Mapping[str, StepType]) -> tuple[list[Problem], int]:
    """Recompute the identity of every record, every link and all that is published.

    Args:
        types: the steps that are known, by name.

    Returns:
        The records that are not of the work that their identity names, by identity; and how many
        could not be told, since today's code does not know their step, revision or parameters.
    """
    wrong: list[Problem] = []
    untold = 0
    try:
        held = dict(store.published.records) if store.published else {}
    except EvidenceError as error:
        wrong.append(Problem(PUBLISHED, str(error)))
        held = {}
    for record in chain(_readable(store), held.values()):
        told = None
        if kind := types.get(record.step):
            work = (record.revision, record.params, record.seed, record.inputs)
            told = is_identity_of(record.identity, kind, *work)
        untold += told is None
        if told is False:
            message = "its identity is not that of its step, parameters, seed and inputs"
            wrong.append(Problem(record.identity, message, record.work))
    return sorted(wrong, key=lambda problem: problem.identity), untold


def _readable(store: Store) -> Iterator[Record]:
    for kind in ("records", "links"):
        for identity in sorted(store.listing(kind)):
            with suppress(DamagedRecord):
                yield read_record(store.directory(kind, identity))


def _problem(store: Store, sha256: bool, kind: str, identity: str) -> Problem | None:
    directory = store.directory(kind, identity)
    try:
        record = read_record(directory)
        if record.link is None:
            _verify_record(record, sha256)
        else:
            _verify_link(store, record)
    except DamagedRecord as damage:
        return Problem(identity, damage.reason, _work(directory))
    return None


def _work(directory: Path) -> str | None:
    """What a damaged record says that it is of."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        held = read_json(directory / RECORD)
        return work_of(held["step"], held["seed"])
    return None


def _verify_record(record: Record, sha256: bool) -> None:
    record.check_files(sha256)
    for name, output in sorted(record.outputs.items()) if sha256 else ():
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

    path = record.tensors(name)
    try:
        return tensors_digest(load_file(path))
    except Exception as error:  # a forged file decides what goes wrong inside
        raise no_content(record.identity, path, error) from None
