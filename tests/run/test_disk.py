"""Disks that take nothing more, folders that go, files that are damaged: no record is lost."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.run.local import LocalExecutor
from harness.run.progress import Progress
from harness.store.store import Store
from harness.store.verify import verify
from tests.run.graphs import chain, digests, graph_of, make_step, run_inline


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, of 64 KiB."""
    place = tmp_path / "small"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("nothing may be mounted here, so no disk can be filled or made read-only")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def remount(place: Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", str(place)], check=True)


def test_a_full_disk_ends_the_run_and_loses_nothing(small: Path, tmp_path: Path):
    graph = chain() | graph_of(make_step("draw", {"count": 10_000}))
    run_inline(graph, tmp_path / "calm")
    with pytest.raises(OSError, match="No space left"):
        run_inline(graph, small / "store")
    kept = digests(small / "store")
    assert kept
    assert verify(Store(small / "store")) == []
    remount(small, "size=8m")
    assert run_inline(graph, small / "store").complete
    assert digests(small / "store") == digests(tmp_path / "calm")


def test_a_store_that_became_read_only_ends_the_run_of_workers_too(small: Path, tmp_path: Path):
    remount(small, "size=8m")
    graph = chain()
    store = Store(small / "store")
    run_inline(dict(list(graph.items())[:1]), store.root)
    remount(small, "ro")
    with pytest.raises(OSError, match="Read-only"):
        LocalExecutor(["cpu"]).run(graph, store, Progress())
    store.memo.put("verdict", ["key"], 1)
    assert store.memo.get("verdict", ["key"]) is None
    remount(small, "rw")
    assert run_inline(graph, store.root).complete


def test_a_worker_passes_on_that_the_store_takes_nothing(tmp_path: Path):
    store = Store(tmp_path / "store")
    run_inline(chain(), store.root)
    step = make_step("draw", {"count": 7})
    # Where the record belongs lies a file.
    shelf = store.directory("records", step.identity).parent
    shutil.rmtree(shelf, ignore_errors=True)
    shelf.touch()
    with pytest.raises(OSError, match=shelf.name):
        LocalExecutor(["cpu"]).run(graph_of(step), store, Progress())
    shelf.unlink()
    assert run_inline(graph_of(step), store.root).complete


@pytest.mark.parametrize("part", ["records", "tmp", "leases", "events", "memo", ""])
def test_a_vanished_folder_is_made_anew(tmp_path: Path, part: str):
    graph, root = chain(), tmp_path / "store"
    run_inline(graph, root)
    before = digests(root)
    shutil.rmtree(root / part)
    assert run_inline(graph, root).complete
    assert digests(root) == before


@pytest.mark.parametrize(
    "text",
    [
        *("", '{"files"', "{}", "[]", '{"files": 3}', '{"files": {"record.json": 1}}'),
        *("[" * 10**5, '{"files": {"a\\u0000": {"sha256": "", "bytes": 0}}}'),
    ],
)
def test_a_half_written_manifest_costs_one_record(tmp_path: Path, text: str):
    graph, root = chain(), tmp_path / "store"
    run_inline(graph, root)
    before = digests(root)
    victim = next(iter(graph))
    (Store(root).directory("records", victim) / "manifest.json").write_text(text)
    assert [problem.identity for problem in verify(Store(root))] == [victim]
    report = run_inline(graph_of(graph[victim]), root)
    assert report.ran == [victim]
    assert digests(root) == before


def test_damaged_notes_beside_the_records_are_passed_over(tmp_path: Path):
    graph, root = chain(), tmp_path / "store"
    run_inline(graph, root)
    store = Store(root)
    store.memo.put("verdict", ["key"], {"verdict": "reproduced"})
    for path in [*root.glob("memo/**/*.json"), *root.glob("events/*")]:
        data = bytearray(path.read_bytes())
        # One bit, in a letter of the last text.
        data[-4] ^= 1
        path.write_bytes(bytes(data) + b"\xff\n[]\n")
    assert store.memo.get("verdict", ["key"]) is None
    assert store.events.read()
    assert run_inline(chain(revision=2), root).complete
    assert verify(store) == []
