"""The kinds of faults, in the order of docs/reliability.md."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from benchmarks.reliability import company, damage, disks, hostile, kills
from benchmarks.reliability.trial import Lab, Tally


@dataclass(frozen=True)
class Row:
    """One kind of fault."""

    fault: str
    inject: Callable[[Lab], Tally]


ROWS: Mapping[str, Row] = {
    "write-points": Row("SIGKILL at every write point", kills.write_points),
    "random-moments": Row("SIGKILL at random moments", kills.random_moments),
    "with-workers": Row("SIGKILL at random moments, two workers", kills.with_workers),
    "full-disk": Row("a disk that is full after a part of the records", disks.full_disk),
    "read-only": Row("a read-only store, every kind of command", disks.read_only),
    "vanished": Row("a folder of the store vanishes, before a run or in it", disks.vanished),
    "truncated": Row("a file of a record cut off", damage.truncated),
    "flipped-bits": Row("a bit of a file of a record flipped", damage.flipped),
    "half-manifests": Row("a half-written manifest", damage.half_manifests),
    "index": Row("DuckDB locked, corrupt, empty, deleted, or older than the records", damage.index),
    "at-once": Row("8 processes make the same exhibit at once", company.at_once),
    "out-of-memory": Row("a worker killed, as where memory runs out", company.killed_workers),
    "hung-workers": Row("a worker that hangs", company.hung_workers),
    "dead-owners": Row("a dead owner's lease on every step", company.dead_owners),
    "clocks": Row("a clock that jumps, before a run or in it", company.clocks),
    "specs": Row(
        "specs mistyped or of anything", hostile.by_tests(*hostile.SPECS, profile="explore")
    ),
    "importers": Row(
        "files for the importers: npy, safetensors, pt, zip, tar, images",
        hostile.by_tests(*hostile.IMPORTERS, profile="explore"),
    ),
    "document": Row(
        "TeX that would read, run or break something, in every text of a document that is compiled",
        hostile.by_tests(*hostile.DOCUMENT, profile="ci"),
    ),
    "released": Row(
        "released sets that are not what they are said to be: scaling, order, soft labels",
        hostile.by_tests(*hostile.RELEASED, profile="ci"),
    ),
    "store-import": Row(
        "Parquet and manifests of anything", hostile.by_tests(*hostile.STORE, profile="explore")
    ),
    "shared": Row(
        "two users of a group, and two containers of one host name, on one store",
        hostile.by_tests(*hostile.SHARED, profile="ci"),
    ),
    "forged": Row(
        "records with another's seed, inputs or parameters; foreign files beside records",
        hostile.by_tests(*hostile.FORGED, profile="ci"),
    ),
    "power-loss": Row(
        "the power goes at any push to the disk, which keeps only what was pushed",
        hostile.by_tests(*hostile.POWER, profile="ci"),
    ),
    "places": Row(
        "a store over quota, behind a link, moved, on an overlay; circles among inputs",
        hostile.by_tests(*hostile.PLACES, profile="ci"),
    ),
    "contents": Row(
        "headers of npy and safetensors that promise anything; names twice in JSON",
        hostile.by_tests(*hostile.CONTENTS, profile="ci"),
    ),
    "bounds": Row(
        "specs without end: seeds, cells, pipes, devices; numbers of another type",
        hostile.by_tests(*hostile.BOUNDS, profile="ci"),
    ),
    "shown": Row(
        "escapes, formulas and markup in every text, in every medium",
        hostile.by_tests(*hostile.SHOWN, profile="ci"),
    ),
    "streams": Row(
        "readers who leave, streams that are closed or full, a storm of Ctrl-C",
        hostile.by_tests(*hostile.STREAMS, profile="ci"),
    ),
    "stopped": Row(
        "SIGTERM, SIGHUP and SIGKILL to a run with a worker at work; waits for other processes",
        hostile.by_tests(*hostile.STOPPED, profile="ci"),
    ),
    "fitting": Row(
        "tables wider and higher than a page, in a real run of TeX; grids on narrow terminals",
        hostile.by_tests(*hostile.FITTING, profile="ci"),
    ),
    "words": Row("words on the command line", hostile.by_tests(*hostile.WORDS, profile="explore")),
    "cluster": Row(
        "jobs of Slurm killed, requeued, out of time, cancelled; Table 7 whole",
        hostile.by_tests(*hostile.CLUSTER, profile="ci"),
    ),
}
