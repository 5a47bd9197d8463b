"""Records: what goes in comes out, and what was changed on disk is never used."""

from __future__ import annotations

import hashlib
import json
import math
import struct
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xxhash
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from harness.errors import UserError
from harness.plan.step import StepResult
from harness.store.digest import digest_array, digest_json
from harness.store.files import write_synced
from harness.store.record import DamagedRecord, Output, Record, content_digest
from harness.store.store import Store
from harness.store.verify import verify
from harness.store.writer import write_provenance
from tests.run.graphs import make_step

STEP = make_step("draw")
RESULT = StepResult(
    {"accuracy": 0.5, "names": ["a"]},
    {"images": np.arange(12.0).reshape(3, 4), "labels": np.array([1, 2], np.int64)},
    {"weights": {"w": np.ones((2, 3), np.float32), "b": np.zeros(3, np.float32)}},
)


def keep(store: Store, result: StepResult = RESULT, seconds: float = 1.0, step=STEP) -> Record:
    return store.commit(
        step, result, inputs={}, code="c", environment={"device": "d"}, seconds=seconds, log="said"
    )


def test_a_record_comes_back_as_it_was_committed(tmp_path: Path):
    keep(Store(tmp_path))
    record = Store(tmp_path).get(STEP.identity)
    assert record is not None
    assert record.values == RESULT.values
    assert record.arrays == {"images", "labels"}
    np.testing.assert_array_equal(record.array("images"), RESULT.arrays["images"])
    assert record.array("labels").dtype == np.int64
    from safetensors.numpy import load_file

    np.testing.assert_array_equal(load_file(record.tensors("weights"))["w"], np.ones((2, 3)))
    assert record.log == "said"
    assert verify(Store(tmp_path)) == []
    with pytest.raises(KeyError, match="no array 'weights'"):
        record.array("weights")
    with pytest.raises(KeyError, match="no tensors 'images'"):
        record.tensors("images")


@settings(max_examples=40)
@given(
    hnp.arrays(
        dtype=st.sampled_from(["<f8", ">f4", "<i4", "|b1", "<u2", "<c16", "<U3"]),
        shape=hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
    )
)
def test_any_plain_array_survives(array: np.ndarray):
    with tempfile.TemporaryDirectory() as place:
        store = Store(Path(place))
        held = keep(store, StepResult({}, {"x": np.asarray(array, order="F")})).array("x")
        assert verify(store) == []
    assert held.shape == array.shape
    np.testing.assert_array_equal(held, array)


def test_the_digest_of_an_array_is_over_type_shape_and_little_endian_elements():
    expected = hashlib.sha256(b"<f8 [2, 1]\n" + struct.pack("<2d", 1.5, -2.0)).hexdigest()
    array = np.array([[1.5], [-2.0]])
    assert digest_array(array) == expected
    assert digest_array(array.astype(">f8")) == expected
    assert digest_array(array.ravel()) != expected


def test_the_digest_of_a_record_covers_content_and_no_clock(tmp_path: Path):
    first = keep(Store(tmp_path / "a"), seconds=1.0)
    second = keep(Store(tmp_path / "b"), seconds=2.0, step=replace(STEP, identity="f" * 64))
    assert first.digest == second.digest
    other = StepResult({**RESULT.values, "accuracy": 0.6}, RESULT.arrays, RESULT.tensors)
    assert keep(Store(tmp_path / "c"), other).digest != first.digest
    moved = {**RESULT.arrays, "images": RESULT.arrays["images"] + 1e-12}
    changed = StepResult(RESULT.values, moved, RESULT.tensors)
    assert keep(Store(tmp_path / "d"), changed).digest != first.digest


def test_not_a_number_is_a_value(tmp_path: Path):
    value = keep(Store(tmp_path), StepResult({"loss": math.nan})).values["loss"]
    assert isinstance(value, float)
    assert math.isnan(value)
    assert verify(Store(tmp_path)) == []


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (StepResult({"x": np.float32(1)}), "'x' that is not JSON"),  # type: ignore[dict-item]
        (StepResult({}, {"x": np.array([{}, None])}), "need pickle"),
        (StepResult({}, {}, {"w": {"x": np.array([object()])}}), "need pickle"),
        (StepResult({}, {"../x": np.zeros(1)}), "named '../x'"),
        (StepResult({}, {"x": np.zeros(1)}, {"x": {}}), "used once"),
    ],
)
def test_what_cannot_be_kept_is_refused_and_leaves_nothing(
    tmp_path: Path, result: StepResult, message: str
):
    with pytest.raises(UserError, match=message):
        keep(Store(tmp_path), result)
    assert not Store(tmp_path).has(STEP.identity)
    assert list((tmp_path / "tmp").glob("*")) == []


def test_a_pickle_that_someone_planted_is_not_loaded(tmp_path: Path):
    record = keep(Store(tmp_path))
    path = record.directory / "images.npy"
    np.save(path, np.array([{}], dtype=object), allow_pickle=True)
    manifest = json.loads((record.directory / "manifest.json").read_text())
    manifest["files"]["images.npy"] = {
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "bytes": path.stat().st_size,
    }
    (record.directory / "manifest.json").write_text(json.dumps(manifest))
    planted = Store(tmp_path).get(STEP.identity)
    assert planted is not None
    with pytest.raises(DamagedRecord, match="allow_pickle=False"):
        planted.array("images")


FILES = ("images.npy", "labels.npy", "weights.safetensors", "record.json", "log.txt")


def without_quick_digests(directory: Path) -> None:
    """As records were made before there were any."""
    manifest = json.loads((directory / "manifest.json").read_text())
    del manifest["digest"]
    for entry in manifest["files"].values():
        del entry["xxh3"]
    (directory / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize("file", [*FILES, "manifest.json"])
@pytest.mark.parametrize("where", [0.1, 0.5, 0.99])
@pytest.mark.parametrize("old", [False, True])
def test_a_flipped_bit_is_found_and_never_used(tmp_path: Path, file: str, where: float, old: bool):
    path = keep(Store(tmp_path)).directory / file
    if old:
        without_quick_digests(path.parent)
        assert verify(Store(tmp_path)) == verify(Store(tmp_path), sha256=True) == []
    data = bytearray(path.read_bytes())
    data[int(len(data) * where)] ^= 1
    path.write_bytes(data)
    for sha256 in (False, True):
        found = [problem.identity for problem in verify(Store(tmp_path), sha256)]
        assert found == [STEP.identity]
    record = Store(tmp_path).get(STEP.identity)
    if file == "record.json":
        assert record is None
    if record is not None and file in ("images.npy", "labels.npy"):
        with pytest.raises(DamagedRecord, match="digest"):
            record.array(file.removesuffix(".npy"))
    if record is not None and file == "weights.safetensors":
        with pytest.raises(DamagedRecord, match="digest"):
            record.tensors("weights")


@pytest.mark.parametrize("file", [*FILES, "manifest.json"])
def test_a_missing_or_short_file_makes_the_record_absent_until_it_is_made_anew(
    tmp_path: Path, file: str
):
    store = Store(tmp_path)
    path = keep(store).directory / file
    data = path.read_bytes()
    for spoil in (path.unlink, lambda: path.write_bytes(data[:-1])):
        spoil()
        assert store.get(STEP.identity) is None
        (problem,) = verify(store)
        assert problem.work == (None if file == "record.json" else "draw, seed 0")
        assert file in problem.message
        assert "Errno" not in problem.message
        keep(store)
        assert store.has(STEP.identity)
        assert verify(store) == []


def test_values_changed_together_with_their_manifest_are_found_by_verify(tmp_path: Path):
    directory = keep(Store(tmp_path)).directory
    path = directory / "record.json"
    path.write_text(path.read_text().replace('"accuracy":0.5', '"accuracy":0.9'))
    manifest = json.loads((directory / "manifest.json").read_text())
    manifest["files"]["record.json"]["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    (directory / "manifest.json").write_text(json.dumps(manifest))
    without_quick_digests(directory)
    (problem,) = verify(Store(tmp_path))
    assert problem.message == "its values and outputs do not have its digest"
    assert problem.work == "draw, seed 0"


def test_a_file_that_was_forged_with_its_quick_digest_is_told_by_sha256(tmp_path: Path):
    directory = keep(Store(tmp_path)).directory
    np.save(directory / "labels.npy", np.asarray(RESULT.arrays["labels"])[::-1])
    manifest = json.loads((directory / "manifest.json").read_text())
    entry = manifest["files"]["labels.npy"]
    entry["xxh3"] = xxhash.xxh3_128((directory / "labels.npy").read_bytes()).hexdigest()
    manifest["digest"] = digest_json(manifest["files"])
    (directory / "manifest.json").write_text(json.dumps(manifest))
    (problem,) = verify(Store(tmp_path), sha256=True)
    assert "labels.npy" in problem.message
    assert verify(Store(tmp_path)) == [], "which the quick digest cannot tell"


def test_the_first_record_stays(tmp_path: Path):
    store = Store(tmp_path)
    keep(store, seconds=1.0)
    assert keep(store, StepResult({"accuracy": 0.9}), seconds=2.0).seconds == 1.0
    assert [record.seconds for record in store.iterate()] == [1.0]
    assert list((tmp_path / "tmp").glob("*")) == []


def test_a_link_reads_its_target_and_falls_with_it(tmp_path: Path):
    store = Store(tmp_path)
    record = keep(store)
    other = make_step("draw", revision=2)
    again = make_step("draw", revision=3)
    assert store.link(other, record).link == STEP.identity
    linked = store.get(other.identity)
    assert linked is not None
    assert store.link(again, linked).link == STEP.identity
    assert linked.digest == record.digest
    np.testing.assert_array_equal(linked.array("images"), RESULT.arrays["images"])
    assert store.identities() == {STEP.identity, other.identity, again.identity}
    store.set_aside(STEP.identity)
    assert store.identities() == set()
    assert store.get(other.identity) is None
    assert {problem.identity for problem in verify(store)} == {other.identity, again.identity}
    assert keep(store, step=other).link is None


def test_equivalent_work_is_found_by_content_of_inputs(tmp_path: Path):
    store = Store(tmp_path)
    source = keep(store)
    step = make_step("select", {"keep": 3}, {"draw": STEP})
    store.commit(
        step,
        StepResult({}),
        inputs={"draw": source},
        code="",
        environment={},
        seconds=1.0,
        log="",
    )
    same = {"draw": source.digest}
    elsewhere = make_step("select", {"keep": 3}, {"draw": make_step("draw", revision=2)})
    found = store.equivalent(elsewhere, same)
    assert found is not None
    assert found.identity == step.identity
    assert store.equivalent(elsewhere, {"draw": "0" * 64}) is None
    assert store.equivalent(replace(elsewhere, seed=1), same) is None
    assert store.equivalent(replace(elsewhere, revision=2), same) is None
    assert store.equivalent(replace(elsewhere, params={"keep": 4}), same) is None


def test_only_what_the_dead_left_is_cleaned(tmp_path: Path):
    from harness.store.files import temporary
    from harness.store.owner import Owner

    mine = temporary(tmp_path)
    mine.mkdir()
    owner = Owner.current()
    reused = tmp_path / "tmp" / f"{replace(owner, started='1').token}~0"
    reused.mkdir()
    (reused / "half.npy").write_bytes(b"x")
    foreign = tmp_path / "tmp" / f"{replace(owner, host='elsewhere').token}~0"
    foreign.write_bytes(b"x")
    assert Store(tmp_path).clean() == [reused.name]
    assert mine.exists()
    assert foreign.exists()


@pytest.mark.parametrize(
    "data",
    [
        (2**62).to_bytes(8, "little") + b"{}",
        (8).to_bytes(8, "little") + b"[" * 8,
        (64).to_bytes(8, "little")
        + b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,99999999]}}'.ljust(64),
        b"\x93NUMPY\x01\x00v\x00"
        + b"{'descr': '<f8', 'fortran_order': False, 'shape': (9999999999999,), }".ljust(117)
        + b"\n",
        b"\x93NUMPY\x03\x00\xff\xff\xff\xff",
        b"",
    ],
)
@pytest.mark.parametrize("kind", ["npy", "safetensors"])
def test_a_file_that_is_no_array_is_a_problem_though_its_digest_is_right(
    tmp_path: Path, kind: str, data: bytes
) -> None:
    """Whoever forges a record gives it digests that agree; headers then promise what they like."""
    store = Store(tmp_path)
    output = Output(file=f"x.{kind}", sha256="0" * 64, shape=[1], dtype="<f8")
    digest = content_digest({}, {"x": output})
    record = Record("a" * 64, "s", 1, {}, 0, {}, {}, {}, {"x": output}, digest, "", {}, 0.0, 0.0)
    draft = store.draft()
    write_synced(draft / output["file"], data)
    write_provenance(draft, record, "")
    store.place(draft, record.identity)
    (problem,) = verify(store, sha256=True)
    assert f"x.{kind}" in problem.message
