"""DuckDB over the records: opened, brought up to date in one transaction, asked, closed.

The transaction reads what is new: the first one every record of the store, later ones few. While
another process holds the index, or where it cannot be had, the records themselves are read, which
are the truth; a damaged index is deleted and built again. The answers are the same.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from itertools import chain
from typing import TYPE_CHECKING, Any

from harness.plan.cost import Past
from harness.plan.step import Step
from harness.store.files import now_ns, parse_json
from harness.store.record import Record
from harness.store.store import Store

if TYPE_CHECKING:
    import duckdb

_SCHEMA = """
create table if not exists records (
    identity varchar primary key,
    stamp bigint,
    step varchar,
    revision integer,
    seed bigint,
    digest varchar,
    seconds double,
    link varchar,
    body varchar
)
"""
_COLUMNS = 9
_AT_ONCE = 5_000
"""Records that are read into memory before they are written to the index."""
_COARSE = 2 * 10**9
"""Nanoseconds between two stamps of the coarsest file systems."""
_UNSETTLED = -1
"""In the place of a stamp so young that another record may get the same: it is read again."""
_ASKED = """
select body from records
where ($1 is null or step = $2)
    and (link is null or link in (select identity from records where link is null))
order by identity
"""


class Index:
    """Questions over all records of a store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.path = store.root / "repro.duckdb"

    def rebuild(self) -> int:
        """Delete the index and build it from the records; the number of records in it."""
        self._delete()
        return len(self._indexed(None))

    def records(self, step: str | None = None) -> list[dict[str, Any]]:
        """What `record.json` of each record holds, links included, by identity; of one step's name
        when given."""
        import duckdb

        try:
            bodies = self._indexed(step)
        except duckdb.Error as error:
            if _busy(error):
                return self._read(step)
            try:
                self._delete()
                bodies = self._indexed(step)
            except (duckdb.Error, OSError):
                return self._read(step)
        # One text, since thousands of calls take longer than what they parse.
        found: list[dict[str, Any]] = parse_json(f"[{','.join(bodies)}]")
        return found

    def nearest(self, step: Step) -> Record | None:
        """The record of a step of the same name with the fewest components that differ."""
        rows = self.records(step.name)
        ranked = sorted(rows, key=lambda row: (_distance(step, row), row["identity"]))
        found = (self._store.get(row["identity"]) for row in ranked)
        return next((record for record in found if record is not None), None)

    def past_runs(self, device: str) -> dict[str, list[Past]]:
        """What past runs on a device did and took, by step name; links took nothing.

        `device` is the name that `harness.run.environment` records.
        """
        runs: dict[str, list[Past]] = defaultdict(list)
        for row in self.records():
            ran_here = row["link"] is None and row["environment"].get("device") == device
            if ran_here and row["flops"] > 0:
                runs[row["step"]].append(Past(row["flops"], row["seconds"]))
        return dict(runs)

    def _indexed(self, step: str | None) -> list[str]:
        import duckdb

        self._store.root.mkdir(parents=True, exist_ok=True)
        with duckdb.connect(str(self.path), config={"threads": 1}) as connection:
            connection.execute(_SCHEMA)
            self._refresh(connection)
            return [body for (body,) in connection.execute(_ASKED, [step, step]).fetchall()]

    def _refresh(self, connection: duckdb.DuckDBPyConnection) -> None:
        known = dict(connection.execute("select identity, stamp from records").fetchall())
        # A record that is made anew so soon may get the stamp of the one before it.
        settled = now_ns(self._store.root) - _COARSE
        present = self._stamps()
        if known == present:
            return
        gone = [identity for identity in known if known[identity] != present.get(identity)]
        new = [identity for identity in sorted(present) if present[identity] != known.get(identity)]
        stamps = {i: stamp if stamp < settled else _UNSETTLED for i, stamp in present.items()}
        connection.execute("begin")
        if gone:
            connection.execute("delete from records where identity in (select unnest(?))", [gone])
        for first in range(0, len(new), _AT_ONCE):
            read = map(self._store.get, new[first : first + _AT_ONCE])
            rows = [self._row(record, stamps) for record in read if record]
            if rows:
                columns = [list(column) for column in zip(*rows, strict=True)]
                unnested = ", ".join(["unnest(?)"] * _COLUMNS)
                connection.execute(f"insert into records select {unnested}", columns)
        connection.execute("commit")

    def _row(self, record: Record, stamps: dict[str, int]) -> tuple[Any, ...]:
        return (
            record.identity,
            stamps[record.identity],
            record.step,
            record.revision,
            record.seed,
            record.digest,
            record.seconds,
            record.link,
            json.dumps(record.to_json()),
        )

    def _stamps(self) -> dict[str, int]:
        """When each record was put in its place; one made anew differs from the one before it."""
        return dict(chain(self._store.stamps("links"), self._store.stamps("records")))

    def _read(self, step: str | None) -> list[dict[str, Any]]:
        records = self._store.iterate()
        return [r.to_json() for r in records if step is None or r.step == step]

    def _delete(self) -> None:
        for path in (self.path, self.path.with_name(self.path.name + ".wal")):
            path.unlink(missing_ok=True)


def _busy(error: Exception) -> bool:
    """Whether another process holds the file; a damaged file may speak of blocks."""
    return "could not set lock" in str(error).lower()


def _distance(step: Step, row: dict[str, Any]) -> int:
    """Number of components of the identity in which a record differs from a step."""
    pairs: list[tuple[Mapping[str, object], Mapping[str, object]]] = [
        ({"revision": step.revision}, {"revision": row["revision"]}),
        (step.params, row["params"]),
        ({"seed": step.seed}, {"seed": row["seed"]}),
        (step.inputs, row["inputs"]),
    ]
    return sum(
        ours.get(name) != theirs.get(name) for ours, theirs in pairs for name in {*ours, *theirs}
    )
