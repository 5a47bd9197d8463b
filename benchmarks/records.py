"""10,000 records looked up beside joblib.Memory, and verified beside a read of the same bytes."""

from __future__ import annotations

import gc
import os
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Memory

from benchmarks.bench import compare, keep
from harness.plan.step import Step, StepResult, Work
from harness.store.digest import digest_json
from harness.store.index import Index
from harness.store.store import Store
from harness.store.verify import verify

COUNT, LARGE, BYTES = 10_000, 40, 8 << 20


def main() -> None:
    warnings.simplefilter("ignore")
    gc.set_threshold(100_000)  # as the command does
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        store = Store(folder / "store")
        identities = [commit(store, n, np.zeros(8)) for n in range(COUNT)]
        cached = Memory(folder / "joblib", verbose=0).cache(work)
        for n in range(COUNT):
            cached(n)
        large = Store(folder / "large")
        draws = np.random.default_rng(0)
        for n in range(LARGE):
            commit(large, n, draws.integers(0, 256, BYTES, np.uint8))
        index = Index(store)
        index.rebuild()
        rows = [
            compare(
                f"which of {COUNT:,} records are there",
                "joblib.Memory, check_call_in_cache",
                "10 times",
                lambda: len(store.identities().intersection(identities)),
                lambda: sum(cached.check_call_in_cache(n) for n in range(COUNT)),
            ),
            compare(
                f"what {COUNT:,} records hold, by one question of the index",
                "joblib.Memory, the cached call",
                "10 times",
                lambda: [row["values"]["value"] for row in index.records("work")],
                lambda: [cached(n)["value"] for n in range(COUNT)],
                same=lambda a, b: sorted(a) == b,
                note="each is looked at, whether it is the one that was indexed",
            ),
            compare(
                f"the values of {COUNT:,} records, each checked against its digest",
                "joblib.Memory, the cached call",
                "10 times",
                lambda: [value(store, identity) for identity in identities],
                lambda: [cached(n)["value"] for n in range(COUNT)],
            ),
            compare(
                f"verify {LARGE} records of {BYTES >> 20} MiB",
                "plain read of the same bytes",
                "0.5 of the read rate",
                lambda: len(verify(large)),
                lambda: read(large.root / "records"),
                note="from the page cache",
            ),
            compare(
                f"verify {LARGE} records of {BYTES >> 20} MiB",
                "plain read of the same bytes",
                "0.8 of the read rate",
                lambda: len(verify(forgotten(large))),
                lambda: read(forgotten(large).root / "records"),
                note="from the disk",
            ),
        ]
    keep("records", rows)


def work(number: int) -> dict[str, Any]:
    return {"value": number, "array": np.zeros(8)}


def commit(store: Store, number: int, array: np.ndarray) -> str:
    identity = digest_json(number)
    step = Step("work", 1, {"number": number}, 0, {}, identity, "f", Work(1.0, 1.0))
    store.commit(
        step,
        StepResult({"value": number}, {"array": array}),
        inputs={},
        code="c",
        environment={"device": "d"},
        seconds=1.0,
        log="",
    )
    return identity


def value(store: Store, identity: str) -> Any:
    record = store.get(identity)
    assert record is not None
    return record.values["value"]


def forgotten(store: Store) -> Store:
    """Have the system drop what it holds of the files in memory."""
    for path in store.root.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    return store


def read(folder: Path) -> int:
    """No byte is a problem."""
    return 0 * sum(len(path.read_bytes()) for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    main()
