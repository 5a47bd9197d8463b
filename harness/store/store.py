"""The store: records by identity, with what points at them.

    records/ab/<identity>/   record.json, arrays, log.txt, manifest.json
    links/ab/<identity>/     record.json (naming its target), log.txt, manifest.json
    failures/ looks/ memo/ events/ leases/ checkpoints/ slurm/ damaged/ tmp/
    repro.duckdb             the index

Every change is one rename or one append, so a process may die at any moment, and several may
work in one store at once, with no lock over the whole of it.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from harness.plan.step import Json, Step, StepResult
from harness.store.checkpoints import StepCheckpoints, clean_checkpoints
from harness.store.events import Events
from harness.store.failures import Failures
from harness.store.files import clean_temporary, place_directory, temporary
from harness.store.looks import Looks
from harness.store.memo import Memo
from harness.store.owner import Beats
from harness.store.published import Published, PublishedRecord
from harness.store.record import (
    DamagedRecord,
    NewerRecord,
    Record,
    as_link,
    content_digest,
    read_record,
)
from harness.store.writer import check_values, write_outputs, write_provenance

_named = re.compile(r"[0-9a-f]{64}").fullmatch
"""Whether a name is an identity: desktops and network file systems leave files of theirs beside."""
_WORK = "work"
"""Memo kind: what work a record did -> its identity."""


class Store:
    """Records under `root`: made once, never changed, found by identity.

    Results published in another folder are read as if they were here, and never written.
    """

    def __init__(self, root: Path, published: Path | None = None) -> None:
        self.root = root
        self.memo = Memo(root)
        # An export that is looked at by itself is left as it is.
        memo = None if root.parent == published else self.memo
        self.published = Published(published, memo) if published else None
        self.events = Events(root)
        self.failures = Failures(root)
        self.looks = Looks(root, self.published)
        self.beats = Beats()

    @property
    def project(self) -> Path:
        """The folder whose results these are: what is published lies in its `store/published`."""
        return self.published.folder.parents[1] if self.published else Path()

    def get(self, identity: str) -> Record | None:
        """The record of a step, a link followed to its target; None if absent or damaged.

        A published record stands in where there is none of ours.
        """
        return self._own(identity) or (self.published.get(identity) if self.published else None)

    def whole(self, identity: str) -> Record | None:
        """The record of a step if all of its outputs are there, for later steps to read."""
        record = self.get(identity)
        return None if isinstance(record, PublishedRecord) and not record.whole else record

    def _own(self, identity: str) -> Record | None:
        # Most that is asked for is not there, which a look at the folder tells soonest.
        places = (self._place(kind, identity) for kind in ("records", "links"))
        if not any(map(os.path.exists, places)):
            return None
        with suppress(DamagedRecord):
            return read_record(self.directory("records", identity))
        with suppress(DamagedRecord):
            link = read_record(self.directory("links", identity))
            target = read_record(self.directory("records", str(link.link)))
            if target.digest == link.digest:
                return replace(link, directory=target.directory)
        return None

    def unreadable(self, identity: str) -> DamagedRecord | None:
        """What is wrong with a record of ours that is there and cannot be used; None if nothing."""
        for kind in ("records", "links"):
            if not os.path.exists(self._place(kind, identity)):  # noqa: PTH110
                continue
            try:
                target = read_record(self.directory(kind, identity)).link
            except DamagedRecord as damage:
                return damage
            if target and self._own(identity) is None:
                return self.unreadable(target) or DamagedRecord(
                    identity, f"the record {target}, for which it stands, is gone or another one"
                )
        return None

    def has(self, identity: str) -> bool:
        """Whether `get` would find a record."""
        return self.get(identity) is not None

    def identities(self) -> set[str]:
        """Every identity of ours with a record or a link to one, by one look at the directories.

        A damaged record still counts here; `get` and `verify` tell.
        """
        records = self.listing("records")
        return records | {
            identity for identity in self.listing("links") if self._own(identity) is not None
        }

    def listing(self, kind: str) -> set[str]:
        """Names of the directories of one kind: `records` or `links`."""
        names: set[str] = set()
        with suppress(FileNotFoundError):
            for shard in filter(os.DirEntry.is_dir, os.scandir(self.root / kind)):
                names.update(filter(_named, os.listdir(shard.path)))  # noqa: PTH208 (ten times faster)
        return names

    def stamps(self, kind: str) -> Iterator[tuple[str, int]]:
        """When each directory of one kind was put in its place, in nanoseconds."""
        with suppress(FileNotFoundError):
            for shard in filter(os.DirEntry.is_dir, os.scandir(self.root / kind)):
                for entry in filter(lambda entry: _named(entry.name), os.scandir(shard.path)):
                    with suppress(FileNotFoundError):
                        yield entry.name, entry.stat().st_ctime_ns

    def iterate(self) -> Iterator[Record]:
        """Every usable record, links included, by identity."""
        for identity in sorted(self.identities()):
            record = self.get(identity)
            if record is not None:
                yield record

    def commit(
        self,
        step: Step,
        result: StepResult,
        *,
        inputs: Mapping[str, Record],
        code: str,
        environment: Mapping[str, Json],
        seconds: float,
        log: str,
    ) -> Record:
        """Keep a result. When another process was first, its record stands and is returned.

        Raises UserError for values that are not JSON and arrays that would need pickle.
        """
        check_values(step.name, result.values)
        draft = self.draft()
        try:
            outputs = write_outputs(draft, step.name, result)
            record = Record(
                identity=step.identity,
                step=step.name,
                revision=step.revision,
                params=dict(step.params),
                seed=step.seed,
                inputs=dict(step.inputs),
                input_digests={name: held.digest for name, held in inputs.items()},
                values=dict(result.values),
                outputs=outputs,
                digest=content_digest(result.values, outputs),
                code=code,
                environment=environment,
                seconds=seconds,
                flops=step.work.flops,
            )
            write_provenance(draft, record, log)
            # Before the record, so that no record is without it; till then it points at nothing.
            self.remember_work(record)
            return self.place(draft, step.identity)
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def link(self, step: Step, record: Record) -> Record:
        """Let `record` stand for `step`, which would do the same work on equal inputs."""
        draft = self.draft()
        try:
            link = as_link(record, step.identity, step.inputs)
            write_provenance(draft, link, f"linked to {link.link}\n")
            return self.place(draft, step.identity, "links")
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def draft(self) -> Path:
        """A new directory that no reader sees, for a record to be written to."""
        draft = temporary(self.root)
        draft.mkdir()
        return draft

    def place(self, draft: Path, identity: str, kind: str = "records") -> Record:
        """Put a finished draft in its place; what another process placed first stands."""
        final = self.directory(kind, identity)
        if final.exists() and self._own(identity) is None:
            if isinstance(damage := self.unreadable(identity), NewerRecord):
                raise damage
            self.set_aside(identity)
        place_directory(draft, final)
        self.failures.drop(identity)
        placed = self._own(identity)
        if placed is None:
            raise DamagedRecord(identity, "it could not be read back after it was written")
        return placed

    def equivalent(self, step: Step, input_digests: Mapping[str, str]) -> Record | None:
        """A record of the same step, revision, parameters and seed, on inputs of equal content."""
        identity = self.memo.get(_WORK, _work_key(step, step.name, input_digests))
        return self._own(identity) if isinstance(identity, str) else None

    def checkpoints(self, identity: str, made_by: str) -> StepCheckpoints:
        """Where the step keeps how far it has come, for code and machine `made_by`."""
        return StepCheckpoints(self.root, identity, made_by)

    def set_aside(self, identity: str) -> None:
        """Move a damaged record to `damaged/`, so that the step can be done anew."""
        place = self.root / "damaged"
        place.mkdir(parents=True, exist_ok=True)
        for kind in ("records", "links"):
            with suppress(FileNotFoundError):
                aside = place / f"{identity}~{temporary(self.root).name}"
                shutil.move(self.directory(kind, identity), aside)

    def drop(self, identity: str) -> None:
        """Forget what a step left: its record, or its link and the record that it stands for."""
        with suppress(DamagedRecord):
            target = read_record(self.directory("links", identity)).link
            if target:
                self.drop(target)
        for kind in ("links", "records"):
            place = self.directory(kind, identity)
            if place.exists():
                aside = temporary(self.root)
                # At once, so that no reader sees half of it. On an overlay, whose lower layers
                # have folders that cannot be renamed, file by file.
                shutil.move(place, aside)
                shutil.rmtree(aside)
        self.failures.drop(identity)

    def clean(self) -> list[str]:
        """Delete temporary places of dead processes, and what steps with a record need no more.

        Returns the names of the temporary places.
        """
        for identity in sorted(self.failures.identities()):
            if self.has(identity):
                self.failures.drop(identity)
        clean_checkpoints(self.root, self.identities())
        return clean_temporary(self.root)

    def _place(self, kind: str, identity: str) -> str:
        """`directory` as text, for the many that are only looked for."""
        return f"{self.root}/{kind}/{identity[:2]}/{identity}"

    def directory(self, kind: str, identity: str) -> Path:
        """Where a record or a link lies, whether or not it exists."""
        return self.root.joinpath(kind, identity[:2], identity)

    def remember_work(self, record: Record) -> None:
        """Note what work a record did, for steps that would do the same on equal inputs."""
        key = _work_key(record, record.step, record.input_digests)
        known = self.memo.get(_WORK, key)
        if not isinstance(known, str) or self._own(known) is None:
            self.memo.put(_WORK, key, record.identity)


def _work_key(done: Step | Record, name: str, input_digests: Mapping[str, str]) -> Json:
    return {
        "step": name,
        "revision": done.revision,
        "params": dict(done.params),
        "seed": done.seed,
        "inputs": dict(input_digests),
    }
