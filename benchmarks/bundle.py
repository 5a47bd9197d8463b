"""How often an audit by a draw meets forged records, and whether an honest bundle passes it.

    python -m benchmarks.bundle [THREADS]

Over Table 7 at digits, from the working store, which `repro make table7 --profile digits` fills:
every record is run again on so many threads, two by default, which changes the order of sums as
another processor does; and three records are forged, and met or missed by 1,000 nonces.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

from harness import Study
from harness.run import computing
from harness.store.exchange import export_records
from harness.store.published import Published
from harness.store.record import Record, content_digest
from harness.study.bundle import TOLERANCE, Audited, audit_bundle, detection, draw
from harness.study.exhibits import Request
from harness.study.records import export

NONCES, FORGED, EACH = 1000, 3, 0.10


def main() -> None:
    study = Study.open(Path(__file__).parents[1])
    threads = int(sys.argv[1]) if len(sys.argv) > 1 else 2
    with tempfile.TemporaryDirectory() as place:
        honest, forged = Path(place) / "honest", Path(place) / "forged"
        export(study.project, honest, ["table7"], Request("digits"))
        with on_threads(threads):
            found = audit_bundle(study.project, honest, "all", 10**6, executor="inline")
        told(found, threads)
        published = Published(honest)
        names = [each.record.identity for each in found.checked]
        planted = set(draw(names, "which are forged", FORGED))
        records = [made_up(r) if i in planted else r for i, r in published.records.items()]
        export_records(records, forged, answers=published.answers)
        caught = audit_bundle(study.project, forged, "all", 10**6, executor="inline")
        wrong = {each.record.identity for each in caught.checked if each.found == "differs"}
        print(
            f"all {len(names)} run again: {len(wrong & planted)} of {FORGED} forged records "
            f"differ, and {len(wrong - planted)} others"
        )
    for drawn in (3, 6, 12, 18, 24):
        met = sum(not planted.isdisjoint(draw(names, str(n), drawn)) for n in range(NONCES))
        bound = detection(len(names), FORGED, drawn)
        print(
            f"{drawn} of {len(names)} drawn: met by {met / NONCES:.3f} of {NONCES} nonces, "
            f"{bound:.3f} by the bound"
        )


def made_up(record: Record) -> Record:
    """The record with ten points more, whole with its digest."""
    values = {**record.values, "accuracy": record.values["accuracy"] + EACH}  # type: ignore[operator]
    return replace(record, values=values, digest=content_digest(values, record.outputs))


def told(found: Audited, threads: int) -> None:
    counts = Counter(each.found for each in found.checked)
    apart = max(
        abs(each.record.values["accuracy"] - each.again["accuracy"])  # type: ignore[operator]
        for each in found.checked
    )
    print(
        f"honest, on {threads} threads: {dict(counts)} within {TOLERANCE:g}; accuracies differ "
        f"by {100 * apart:.2f} points at most"
    )


@contextmanager
def on_threads(count: int) -> Iterator[None]:
    """Let steps compute on so many threads, where they have one otherwise."""
    import torch

    set_threads = torch.set_num_threads
    one = patch.object(torch, "set_num_threads", lambda _: set_threads(count))
    with one, patch.object(computing, "_VARIABLES", ()):
        yield


if __name__ == "__main__":
    main()
