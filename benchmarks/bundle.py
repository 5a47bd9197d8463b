"""How often an audit by a draw meets forged records, and whether an honest bundle passes it.

    python -m benchmarks.bundle [THREADS [RECORDS]]

Over Table 7 at digits, from the working store, which `repro make table7 --profile digits` fills:
three records are forged, all are run again once, and the three are met or missed by 1,000 nonces.
Then so many records of the honest bundle, all by default, are run again on so many threads, two by
default, which changes the order of sums as another processor does.
"""

from __future__ import annotations

import os
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
from harness.study.bundle import TOLERANCE, Audited, audit_bundle, detection, draw, numbers_of
from harness.study.exhibits import Request
from harness.study.records import export

NONCES, FORGED, EACH = 1000, 3, 0.10
EVERY = 10**6


def main() -> None:
    os.environ["OMP_WAIT_POLICY"] = "PASSIVE"  # else threads that wait keep others from working
    study = Study.open(Path(__file__).parents[1])
    threads, some, *_ = [*map(int, sys.argv[1:]), *(2, EVERY)[len(sys.argv) - 1 :]]
    with tempfile.TemporaryDirectory() as place:
        honest, forged = Path(place) / "honest", Path(place) / "forged"
        export(study.project, honest, ["table7"], Request("digits"))
        published = Published(honest)
        every = numbers_of(study.project, published)[1]
        if len(every) < 24:
            sys.exit("the store lacks runs of Table 7: repro make table7 --profile digits")
        planted = set(draw(every, "which are forged", FORGED))
        records = [made_up(r) if i in planted else r for i, r in published.records.items()]
        export_records(records, forged, answers=published.answers)
        for drawn in (3, 6, 12, 18, 24):
            met = sum(not planted.isdisjoint(draw(every, str(n), drawn)) for n in range(NONCES))
            bound = detection(len(every), FORGED, drawn)
            say(
                f"{drawn} of {len(every)} drawn: {FORGED} forged are met by {met / NONCES:.3f} of "
                f"{NONCES} nonces, {bound:.3f} by the bound"
            )
        found = audit_bundle(study.project, forged, "all", EVERY, 0.0, executor="inline")
        wrong = {each.record.identity for each in found.checked if each.found == "differs"}
        say(
            f"all {len(found.checked)} run again: {len(wrong & planted)} of {FORGED} forged "
            f"differ, and {len(wrong - planted)} others"
        )
        with on_threads(threads):
            told(audit_bundle(study.project, honest, "1", some, executor="inline"), threads)


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
    say(
        f"honest, on {threads} threads: {dict(counts)} within {TOLERANCE:g}; accuracies differ "
        f"by {100 * apart:.2f} points at most"
    )


def say(line: str) -> None:
    print(line, flush=True)


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
