"""Publishing results and reading them back: what goes out, what stays, what is refused."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from harness.errors import EvidenceError, UserError
from harness.plan.step import StepResult
from harness.store.digest import digest_file
from harness.store.exchange import LARGEST, export_records, import_records
from harness.store.published import ARRAYS, MANIFEST, RECORDS, Published, parquet
from harness.store.store import Store
from harness.store.verify import verify
from tests.run.graphs import chain, digests, ended, in_child, make_step, named, run_inline
from tests.store.test_records import RESULT, STEP, keep


def publish(root: Path, folder: Path) -> tuple[int, int]:
    return export_records(Store(root).iterate(), folder)


def file_of(folder: Path, kind: str) -> Path:
    return folder / parquet(kind, json.loads((folder / MANIFEST).read_text())["files"][kind])


def rewrite(folder: Path, name: str, change: str, parameters: list[Any]) -> None:
    """Change a Parquet file by SQL, and make the manifest agree."""
    path = file_of(folder, name)
    with duckdb.connect() as connection:
        connection.execute("create table t as select * from read_parquet(?)", [str(path)])
        connection.execute(change, parameters)
        connection.execute(f"copy t to '{path}' (format parquet)")
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["files"][name] = digest_file(path)
    path.rename(folder / parquet(name, manifest["files"][name]))
    (folder / MANIFEST).write_text(json.dumps(manifest))


def test_a_whole_graph_moves_to_another_store(tmp_path: Path):
    graph = chain()
    run_inline(graph, tmp_path / "a")
    assert publish(tmp_path / "a", tmp_path / "out") == (4, 4)
    there = Store(tmp_path / "b")
    assert import_records(there, tmp_path / "out") == (4, 0)
    assert digests(tmp_path / "b") == digests(tmp_path / "a")
    assert verify(there) == []
    report = run_inline(graph, tmp_path / "b")
    assert not report.ran
    assert import_records(there, tmp_path / "out") == (0, 0)


def test_exporting_again_writes_the_same_bytes_and_keeps_what_was_there(tmp_path: Path):
    first, second = chain(keep=3), chain(keep=4)
    run_inline(first, tmp_path / "a")
    publish(tmp_path / "a", tmp_path / "out")
    before = file_of(tmp_path / "out", RECORDS).read_bytes()
    assert publish(tmp_path / "a", tmp_path / "out") == (4, 4)
    assert file_of(tmp_path / "out", RECORDS).read_bytes() == before
    run_inline(second, tmp_path / "b")
    publish(tmp_path / "b", tmp_path / "out")
    assert set(Published(tmp_path / "out").records) == {*first, *second}


def publish_and_die(tmp_path: Path) -> int:
    """Publish what is in `a` beside what is in `first`, killed at each point in turn.

    Returns:
        how many were killed, until one was not.
    """
    for number in range(1, 20):
        folder = shutil.copytree(tmp_path / "first", tmp_path / str(number))
        work = partial(publish, tmp_path / "a", folder)
        if ended(in_child(work, {"REPRO_FAULT": str(number)})) == 0:
            return number - 1
    raise AssertionError("it has no end")


def test_an_export_cut_off_at_any_point_leaves_the_old_or_the_new(tmp_path: Path):
    run_inline(chain(keep=3), tmp_path / "a")
    publish(tmp_path / "a", tmp_path / "first")
    old = set(Published(tmp_path / "first").records)
    run_inline(chain(keep=4), tmp_path / "a")
    # From a process of its own: this one may have threads of DuckDB, which no fork survives.
    script = (
        "import sys; from pathlib import Path;"
        "from tests.store.test_exchange import publish_and_die;"
        "print(publish_and_die(Path(sys.argv[1])))"
    )
    killed = int(subprocess.check_output([sys.executable, "-c", script, tmp_path]))
    seen = set()
    for number in range(1, killed + 2):
        folder = tmp_path / str(number)
        found = set(Published(folder).records)
        assert found >= old
        seen.add(len(found))
        publish(tmp_path / "a", folder)
        assert set(Published(folder).records) > old
        assert len(list(folder.glob("*.parquet"))) == 3, "leftovers are cleared"
    assert killed > 1
    assert len(seen) == 2


def test_imported_records_stand_for_equal_work(tmp_path: Path):
    graph = chain()
    run_inline(graph, tmp_path / "a")
    publish(tmp_path / "a", tmp_path / "out")
    there = Store(tmp_path / "b")
    import_records(there, tmp_path / "out")
    for step in graph.values():
        record = there.get(step.identity)
        assert record is not None
        twin = there.equivalent(step, record.input_digests)
        assert twin is not None
        assert twin.identity == step.identity


def test_weights_pictures_and_large_arrays_stay(tmp_path: Path):
    result = StepResult(
        {"accuracy": 0.25},
        {
            "pictures": np.zeros((2, 4, 4, 3), np.uint8),
            "large": np.zeros(LARGEST // 8 + 1),
            "indices": np.arange(5),
            "bits": np.zeros(9, np.uint8),
        },
        RESULT.tensors,
    )
    keep(Store(tmp_path / "a"), result)
    publish(tmp_path / "a", tmp_path / "out")
    store = Store(tmp_path / "b", tmp_path / "out")
    record = store.get(STEP.identity)
    assert record is not None
    assert record.values == {"accuracy": 0.25}
    np.testing.assert_array_equal(record.array("indices"), np.arange(5))
    assert record.array("bits").size == 9
    for name in ("pictures", "large"):
        with pytest.raises(EvidenceError, match=f"leaves out '{name}'"):
            record.array(name)
    with pytest.raises(EvidenceError, match="leaves out 'weights'"):
        record.tensors("weights")
    assert store.whole(STEP.identity) is None
    assert import_records(store, tmp_path / "out") == (0, 1)


def test_what_is_published_counts_and_is_not_made_again(tmp_path: Path):
    graph = chain()
    run_inline(graph, tmp_path / "a")
    ends = [record for record in Store(tmp_path / "a").iterate() if record.step == "measure"]
    export_records(ends, tmp_path / "out")
    from harness.run.inline import InlineExecutor
    from harness.run.progress import Progress

    store = Store(tmp_path / "b", tmp_path / "out")
    report = InlineExecutor().run(graph, store, Progress())
    assert not report.ran, "nothing that lacks a record reads the steps before"
    assert store.identities() == set()
    other = chain(keep=7)
    report = InlineExecutor().run(other, store, Progress())
    assert named(other, report.ran) == ["draw", "select", "measure"]


def test_a_later_step_has_what_was_left_out_made_anew(tmp_path: Path):
    graph = chain()
    run_inline(graph, tmp_path / "a")
    publish(tmp_path / "a", tmp_path / "out")
    rewrite(tmp_path / "out", ARRAYS, "delete from t", [])
    from harness.run.inline import InlineExecutor
    from harness.run.progress import Progress

    other = chain(keep=7)
    report = InlineExecutor().run(other, Store(tmp_path / "b", tmp_path / "out"), Progress())
    assert named(other, report.ran) == ["draw", "select", "measure"]
    assert (
        digests(tmp_path / "b").items()
        <= {
            **digests(tmp_path / "a"),
            **digests(tmp_path / "b"),
        }.items()
    )


def test_a_changed_file_is_refused(tmp_path: Path):
    graph = chain()
    run_inline(graph, tmp_path / "a")
    publish(tmp_path / "a", tmp_path / "out")
    path = file_of(tmp_path / "out", RECORDS)
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    path.write_bytes(bytes(damaged))
    with pytest.raises(EvidenceError, match="not the file of the manifest"):
        Store(tmp_path / "b", tmp_path / "out").get(next(iter(graph)))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"format": 1}',
        '{"format": 2, "files": {}, "identities": [[1]]}',
        '{"format": 2, "files": {"records": "../../a", "arrays": "b"}, "identities": []}',
        '{"format": 2, "files": {"records": 1, "arrays": []}, "identities": []}',
        '{"format": 2, "files": ["records"], "identities": []}',
    ],
)
def test_another_manifest_is_refused(tmp_path: Path, text: str):
    (tmp_path / MANIFEST).write_text(text)
    with pytest.raises(EvidenceError, match="manifest"):
        Published(tmp_path).get("0" * 64)


@pytest.mark.parametrize(
    ("file", "change", "parameters"),
    [
        (RECORDS, "update t set body = replace(body, '\"accuracy\": 0.', '\"accuracy\": 1.')", []),
        (RECORDS, "update t set body = replace(body, 'images.npy', '../../images.npy')", []),
        (RECORDS, "update t set identity = '../' || identity", []),
        (RECORDS, "update t set body = '{}'", []),
        (RECORDS, "update t set body = 'no json'", []),
        (RECORDS, "alter table t rename column body to other", []),
        (ARRAYS, "alter table t drop column data", []),
    ],
    ids=["value", "path", "identity", "fields", "text", "column", "schema"],
)
def test_hostile_content_is_refused_and_nothing_is_placed(
    tmp_path: Path, file: str, change: str, parameters: list[Any]
):
    run_inline(chain(), tmp_path / "a")
    publish(tmp_path / "a", tmp_path / "out")
    rewrite(tmp_path / "out", file, change, parameters)
    store = Store(tmp_path / "b")
    with pytest.raises(EvidenceError):
        import_records(store, tmp_path / "out")
    assert store.identities() == set()
    assert not (tmp_path / "images.npy").exists()


def test_an_array_that_fails_its_digest_is_never_placed(tmp_path: Path):
    run_inline(chain(), tmp_path / "a")
    publish(tmp_path / "a", tmp_path / "out")
    rewrite(tmp_path / "out", ARRAYS, "update t set data = (select min(data) from t)", [])
    store = Store(tmp_path / "b")
    with pytest.raises(EvidenceError, match="fails its digest"):
        import_records(store, tmp_path / "out")


def test_a_folder_with_nothing_published_says_so(tmp_path: Path):
    with pytest.raises(UserError, match="no published records"):
        import_records(Store(tmp_path), tmp_path / "nowhere")
    assert Store(tmp_path, tmp_path / "nowhere").get("0" * 64) is None


def test_workers_read_what_is_published(tmp_path: Path):
    from harness.run.local import LocalExecutor
    from harness.run.progress import Progress

    graph = chain()
    run_inline(graph, tmp_path / "a")
    publish(tmp_path / "a", tmp_path / "out")
    more = make_step("measure", {"std": 0.2}, {"images": list(graph.values())[1]}, seed=9)
    store = Store(tmp_path / "b", tmp_path / "out")
    report = LocalExecutor(["cpu"]).run({**graph, more.identity: more}, store, Progress())
    assert report.ran == [more.identity]


@pytest.mark.parametrize(
    "looks", [{"../../escaped": [2]}, {"a" * 64: [0]}, {"a" * 64: ["2"]}, {"a" * 64: 2}, ["a" * 64]]
)
def test_looks_of_another_shape_are_refused(looks: Any, tmp_path: Path):
    run_inline(chain(), tmp_path / "a")
    publish(tmp_path / "a", tmp_path / "out")
    manifest = json.loads((tmp_path / "out" / MANIFEST).read_text())
    (tmp_path / "out" / MANIFEST).write_text(json.dumps({**manifest, "looks": looks}))
    with pytest.raises(EvidenceError, match="manifest"):
        import_records(Store(tmp_path / "b"), tmp_path / "out")
    assert not list(tmp_path.rglob("escaped*"))


def test_looks_of_two_stores_are_joined(tmp_path: Path):
    run_inline(chain(), tmp_path / "a")
    records = list(Store(tmp_path / "a").iterate())
    export_records(records, tmp_path / "out", {"a" * 64: (2, 5)})
    export_records(records, tmp_path / "out", {"a" * 64: (3,), "b" * 64: (2,)})
    there = Store(tmp_path / "b")
    there.looks.add("b" * 64, [8])
    import_records(there, tmp_path / "out")
    assert (there.looks.of("a" * 64), there.looks.of("b" * 64)) == ((2, 3, 5), (2, 8))
    assert there.looks.last("c" * 64) == 0
