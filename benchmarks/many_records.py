"""Time and memory for a store of very many records.

    python -m benchmarks.many_records [RECORDS]

Records are written without being pushed to the disk, since it is reading that is measured: the
listing of a store, an index built from nothing, an index that has nothing to do, and what reads
every record. Memory is the peak of the process so far.
"""

from __future__ import annotations

import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from unittest import mock

from harness.plan.identity import digest
from harness.store.index import Index
from harness.store.record import Record, content_digest
from harness.store.store import Store
from harness.store.verify import verify
from harness.store.writer import write_provenance


def main(count: int) -> None:
    """Fill a store, and print a line for each way of reading it."""
    with tempfile.TemporaryDirectory() as place:
        store = Store(Path(place))
        with mock.patch.object(os, "fsync", _no_push):
            _timed(f"write {count:,} records", lambda: _fill(store, count))
        index = Index(store)
        looks: dict[str, Callable[[], object]] = {
            "list the store": store.identities,
            "build the index": index.rebuild,
            "the same again, up to date": index.records,
            "read every record": lambda: sum(1 for _ in store.iterate()),
            "store verify": lambda: verify(store),
        }
        for name, look in looks.items():
            _timed(name, look)


def _fill(store: Store, count: int) -> None:
    environment = {"device": "none", "threads": 1, "packages": {"numpy": "2.0"}}
    for seed in range(count):
        values = {"accuracy": seed / count}
        record = Record(
            identity=digest("many", seed),
            step="many",
            revision=1,
            params={"epochs": 60, "rate": 0.1, "set": f"set {seed % 7}"},
            seed=seed,
            inputs={},
            input_digests={},
            values=values,
            outputs={},
            digest=content_digest(values, {}),
            code="0" * 64,
            environment=environment,
            seconds=1.0,
            flops=1.0,
        )
        draft = store.draft()
        write_provenance(draft, record, "")
        final = store.directory("records", record.identity)
        final.parent.mkdir(parents=True, exist_ok=True)
        draft.rename(final)


def _no_push(descriptor: int) -> None:
    """In the place of `os.fsync`."""


def _timed(name: str, work: Callable[[], object]) -> None:
    began = time.perf_counter()
    work()
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    print(f"{name:32} {seconds:8.1f} s {peak:7,} MiB", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
