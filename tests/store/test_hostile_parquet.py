"""Published folders that somebody else wrote: refused in one message, or harmless.

Every folder here is one whose manifest agrees with its files, as an attacker would make it.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.errors import UserError
from harness.store.digest import digest_file
from harness.store.exchange import import_records
from harness.store.index import Index
from harness.store.published import ARRAYS, MANIFEST, RECORDS, parquet
from harness.store.record import content_digest
from harness.store.store import Store
from harness.store.verify import verify
from tests.run.graphs import chain, run_inline
from tests.store.test_exchange import file_of, publish, rewrite

SETTINGS = settings(
    max_examples=settings.default.max_examples // 10,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
STRANGE = st.sampled_from(
    [
        *("", "..", "../../outside", "/etc/passwd", "a\0b", "con", "x" * 100_000),
        *("\x1b]0;evil\x07", "line\nbreak", "\u202ereversed", "'; drop table records; --"),
        *("\\input{/etc/passwd}", "<script>alert(1)</script>", "{{7*7}}", "{seed}", "%s%n"),
    ]
)
JSON = st.recursive(
    STRANGE
    | st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(STRANGE, inner, max_size=3),
    max_leaves=5,
)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sound export, which tests copy before they spoil it."""
    root = tmp_path_factory.mktemp("exported")
    run_inline(chain(), root / "store")
    publish(root / "store", root / "out")
    return root / "out"


@pytest.fixture
def folder(exported: Path, tmp_path: Path) -> Path:
    return shutil.copytree(exported, tmp_path / "out")


def attempt(folder: Path) -> str:
    """Import into an empty store beside the folder; the message, empty where nothing is wrong.

    Whatever was placed can be listed and verified, and nothing lies outside the store.
    """
    root = folder.parent / "store"
    shutil.rmtree(root, ignore_errors=True)
    before = {path for path in folder.parent.rglob("*") if root not in path.parents}
    store = Store(root)
    message = ""
    try:
        import_records(store, folder)
    except UserError as error:
        message = str(error)
    assert "\n" not in message
    after = {path for path in folder.parent.rglob("*") if root not in path.parents}
    assert after - before <= {root}
    assert all(path.name == path.name.strip() for path in root.rglob("*"))
    assert verify(store) == []
    assert Index(store).rebuild() == len(list(store.iterate()))
    Index(store).records(None)
    return message


def test_a_sound_folder_is_read(folder: Path) -> None:
    assert attempt(folder) == ""
    assert len(Store(folder.parent / "store").identities()) == 4


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        (ARRAYS, "insert into t select identity, name, data from t, range(1000000)"),
        (ARRAYS, "update t set data = repeat('x', 50000000)::blob"),
        (ARRAYS, "update t set name = repeat('x', 50000000)"),
        (ARRAYS, "alter table t alter data type varchar using 'text'"),
        (ARRAYS, "alter table t alter name type integer using 1"),
        (ARRAYS, "update t set name = null"),
        (ARRAYS, "update t set data = null"),
        (RECORDS, "insert into t select * from t"),
        (RECORDS, "update t set body = repeat(' ', 50000000) || body"),
        (RECORDS, "update t set body = repeat('[', 100000)"),
        (RECORDS, "update t set body = repeat('9', 5000)"),
        (RECORDS, "update t set body = null"),
        (RECORDS, "update t set identity = null"),
        (RECORDS, "alter table t alter body type blob using body::blob"),
        (RECORDS, "alter table t alter body type json[] using [body::json]"),
    ],
)
def test_other_schemas_and_columns_that_unpack_to_anything_are_refused(
    folder: Path, kind: str, change: str
) -> None:
    rewrite(folder, kind, change, [])
    assert attempt(folder)


@pytest.mark.parametrize("data", [b"", b"\x93NUMPY", b"\x80\x02cposix\nsystem\n", b"PK\x03\x04"])
def test_arrays_that_are_none_are_refused(folder: Path, data: bytes) -> None:
    rewrite(folder, ARRAYS, "update t set data = ?", [data])
    assert "is no array" in attempt(folder)


def test_an_array_that_promises_more_than_it_has_is_refused(folder: Path) -> None:
    text = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000,), }".ljust(117) + b"\n"
    header = b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text
    rewrite(folder, ARRAYS, "update t set data = ?", [header + bytes(64)])
    assert "is no array" in attempt(folder)


def bodies(folder: Path) -> list[dict[str, Any]]:
    with duckdb.connect() as connection:
        query = "select body from read_parquet(?) order by all"
        rows = connection.execute(query, [str(file_of(folder, RECORDS))]).fetchall()
    return [json.loads(body) for (body,) in rows]


def replace_bodies(folder: Path, held: list[dict[str, Any]], identities: list[str]) -> None:
    """Other records, under other identities if so wished, with a manifest that agrees."""
    path = file_of(folder, RECORDS)
    with duckdb.connect() as connection:
        connection.execute("create table t (identity varchar, step varchar, body varchar)")
        for identity, body in zip(identities, held, strict=True):
            row = [identity, "step", json.dumps(body)]
            connection.execute("insert into t values (?, ?, ?)", row)
        connection.execute(f"copy t to '{path}' (format parquet)")
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["files"][RECORDS] = digest_file(path)
    manifest["identities"] = sorted(identities)
    path.rename(folder / parquet(RECORDS, manifest["files"][RECORDS]))
    (folder / MANIFEST).write_text(json.dumps(manifest))


def sealed(body: dict[str, Any]) -> dict[str, Any]:
    """With the digest that its values and outputs have, where they have one at all."""
    try:
        return body | {"digest": content_digest(body["values"], body["outputs"])}
    except (TypeError, KeyError, AttributeError, ValueError):
        return body


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("place")


@pytest.fixture(scope="module")
def sound(exported: Path) -> list[dict[str, Any]]:
    return bodies(exported)


def spoil(place: Path, exported: Path, held: list[dict[str, Any]], names: list[str]) -> str:
    shutil.rmtree(place / "out", ignore_errors=True)
    replace_bodies(shutil.copytree(exported, place / "out"), held, names)
    return attempt(place / "out")


@SETTINGS
@given(data=st.data(), value=JSON)
def test_any_field_replaced_by_anything(
    place: Path, exported: Path, sound: list[dict[str, Any]], data: st.DataObject, value: Any
) -> None:
    held = json.loads(json.dumps(sound))
    body = data.draw(st.sampled_from(held))
    part: Any = body
    keys = st.sampled_from
    while True:
        key = data.draw(keys(sorted(part) if isinstance(part, dict) else range(len(part))))
        if not isinstance(part[key], dict | list) or not part[key] or data.draw(st.booleans()):
            break
        part = part[key]
    part[key] = value
    names = [record["identity"] for record in sound]
    spoil(place, exported, [sealed(record) for record in held], names)


@SETTINGS
@given(data=st.data(), name=STRANGE)
def test_names_that_lead_elsewhere(
    place: Path, exported: Path, sound: list[dict[str, Any]], data: st.DataObject, name: str
) -> None:
    held = json.loads(json.dumps(sound))
    body = data.draw(st.sampled_from([b for b in held if b["outputs"]]))
    key = data.draw(st.sampled_from(sorted(body["outputs"])))
    where = data.draw(st.sampled_from(["name", "file", "identity"]))
    names = [record["identity"] for record in held]
    if where == "identity":
        names[held.index(body)] = body["identity"] = name
    else:
        output = body["outputs"].pop(key)
        output["file"] = name if where == "file" else f"{name}.npy"
        body["outputs"][key if where == "file" else name] = output
    message = spoil(place, exported, [sealed(record) for record in held], names)
    # A plain name leads nowhere; there is no array of it, so that the record is left out.
    assert message or name == "con"


@SETTINGS
@given(text=st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_manifests_of_anything(place: Path, exported: Path, text: bytes) -> None:
    shutil.rmtree(place / "out", ignore_errors=True)
    shutil.copytree(exported, place / "out")
    (place / "out" / MANIFEST).write_bytes(text)
    assert attempt(place / "out")
    (place / "out" / MANIFEST).write_bytes(b"[" * 100_000)
    assert attempt(place / "out")
