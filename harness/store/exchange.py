"""Moving results: records out to Parquet, and back into a store."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from harness.errors import UserError
from harness.plan.step import Json
from harness.store.digest import digest_file
from harness.store.faults import point
from harness.store.files import write_synced
from harness.store.published import (
    ANSWERS,
    ARRAYS,
    FORMAT,
    LARGEST,
    MANIFEST,
    RECORDS,
    Published,
    PublishedRecord,
    parquet,
)
from harness.store.record import Record
from harness.store.store import Store
from harness.store.writer import write_provenance


def export_records(
    records: Iterable[Record],
    folder: Path,
    looks: Mapping[str, Sequence[int]] = MappingProxyType({}),
    answers: Mapping[str, Json] = MappingProxyType({}),
) -> tuple[int, int]:
    """Write records to a folder, with what was published there before; both counts of records.

    Values, provenance, curves, index lists and other small arrays go out. Weights, large arrays
    and pictures do not.

    Args:
        looks: key of an item -> runs at each look that was taken at it.
        answers: which cells they are of, by exhibit and profile; see `harness.plan.answers`.

    Returns:
        number of records written now, and number in the folder.
    """
    import duckdb

    new = {record.identity: record for record in records}
    before = Published(folder)
    every: dict[str, Record] = {**before.records, **new}
    said = {**before.answers, **answers}
    bodies = [
        (i, every[i].step, json.dumps(_body(every[i]), sort_keys=True)) for i in sorted(every)
    ]
    arrays = [
        (identity, name, data)
        for identity in sorted(every)
        for name, data in sorted(_publishable(every[identity]).items())
    ]
    folder.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as connection:
        files = {
            RECORDS: _write(connection, folder, RECORDS, "step varchar, body varchar", bodies),
            ARRAYS: _write(connection, folder, ARRAYS, "name varchar, data blob", arrays),
            ANSWERS: _write(
                connection,
                folder,
                ANSWERS,
                "body varchar",
                [(name, json.dumps(body)) for name, body in sorted(said.items())],
            ),
        }
    manifest: dict[str, object] = {"format": FORMAT, "files": files, "identities": sorted(every)}
    if before.looks or looks:
        manifest["looks"] = {
            key: sorted({*before.looks.get(key, ()), *looks.get(key, ())})
            for key in {**before.looks, **looks}
        }
    if before.written:
        manifest["written"] = dict(before.written)
    _replace_manifest(folder, manifest)
    return len(new), len(every)


def list_written(folder: Path, written: Mapping[str, str]) -> None:
    """Note in the manifest which files an export wrote for other tools, with their digests."""
    held = json.loads((folder / MANIFEST).read_bytes())
    held["written"] = {**held.get("written", {}), **written}
    _replace_manifest(folder, held)


def _replace_manifest(folder: Path, manifest: Mapping[str, object]) -> None:
    """The one moment of a change: until then the folder reads as before, from then on as new."""
    draft = folder / f"{MANIFEST}.draft"
    write_synced(draft, json.dumps(manifest, indent=1, sort_keys=True).encode())
    draft.replace(folder / MANIFEST)
    point("export: manifest")
    for path in Published(folder).leftovers():
        path.unlink()


def import_records(store: Store, folder: Path) -> tuple[int, int]:
    """Place published records that are whole into a store; what is there already stays.

    Returns:
        number of records placed, and number left out because arrays of theirs were not published.

    Raises:
        UserError: there is nothing published in the folder.
    """
    found = Published(folder).records
    if not found:
        raise UserError(f"{folder}: no published records; a folder with {MANIFEST} was expected")
    whole = [record for record in found.values() if record.whole and record.link is None]
    absent = [record for record in whole if not store.has(record.identity)]
    for record in absent:
        _place(store, record)
    for key, at in Published(folder).looks.items():
        store.looks.add(key, at)
    return len(absent), len(found) - len(whole)


def _body(record: Record) -> dict[str, Any]:
    """What `record.json` holds. A link is published as the record that it stands for."""
    return {**record.to_json(), "link": None}


def _publishable(record: Record) -> dict[str, bytes]:
    if isinstance(record, PublishedRecord):
        return dict(record.held)
    chosen = {}
    for name in sorted(record.arrays):
        output = record.outputs[name]
        pictures = output["dtype"] == "|u1" and len(output["shape"]) >= 3
        path = record.directory / output["file"]
        if not pictures and path.stat().st_size <= LARGEST:
            record.array(name)  # verifies the file before it is published
            chosen[name] = path.read_bytes()
    return chosen


def _write(
    connection: Any, folder: Path, kind: str, columns: str, rows: list[tuple[Any, ...]]
) -> str:
    """Write rows of an identity and these columns, under the name of their content.

    Returns:
        SHA-256 of the file.
    """
    connection.execute(f"create or replace table exported (identity varchar, {columns})")
    if rows:
        names = ", ".join("?" for _ in rows[0])
        connection.executemany(f"insert into exported values ({names})", rows)
    draft = folder / f"{kind}.draft"
    quoted = str(draft).replace("'", "''")
    connection.execute(
        f"copy (select * from exported order by all) to '{quoted}' (format parquet, codec zstd)"
    )
    digest = digest_file(draft)
    point("export: before")
    draft.replace(folder / parquet(kind, digest))
    point("export: after")
    return digest


def _place(store: Store, record: PublishedRecord) -> None:
    draft = store.draft()
    try:
        for name, data in record.held.items():
            record.array(name)
            write_synced(draft / record.outputs[name]["file"], data)
        write_provenance(draft, record, "imported from published records\n")
        store.remember_work(record)
        store.place(draft, record.identity)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
