"""The kinds of faults, in the order of docs/reliability.md."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from benchmarks.reliability import kills
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
}
