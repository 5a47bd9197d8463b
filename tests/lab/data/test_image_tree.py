"""ImageNet's own layouts, decoded once: resumable, checked, and with what is damaged named."""

from __future__ import annotations

import hashlib
import io
import multiprocessing
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.io import savemat
from torchvision.transforms.v2 import functional as reference

from harness.errors import EvidenceError, UserError
from harness.lab.data import datasets, image_tree, prepared, sets
from harness.lab.recipe import DatasetRef

WNIDS = ("n02000000", "n01000000")
NAME = "imagenet-mini"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REPRO_DATA", str(tmp_path))
    # In this process: starting others takes seconds.
    monkeypatch.setattr(image_tree.os, "sched_getaffinity", lambda _: {0})
    sets._loaded.cache_clear()
    return datasets.published(NAME)


def picture(seed: int, size: tuple[int, int], mode: str = "RGB", kind: str = "JPEG") -> bytes:
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    held = io.BytesIO()
    Image.fromarray(coarse).resize(size).convert(mode).save(held, kind)
    return held.getvalue()


def publish(root: Path, validation: str = "folders") -> dict[str, list[bytes]]:
    """Two classes of five images to train and two to validate; files in the order of the set."""
    modes = ("RGB", "L", "CMYK", "RGB", "P")
    shapes = ((300, 400), (300, 260), (128, 200), (700, 100), (256, 256))
    made: dict[str, list[bytes]] = {"train": [], "test": []}
    for label, wnid in enumerate(sorted(WNIDS)):
        place = root / "train" / wnid
        place.mkdir(parents=True)
        for number in (10, 2, 0, 33, 4):
            kind = (0, 2, 4, 10, 33).index(number)
            file = "PNG" if modes[kind] == "P" else "JPEG"
            content = picture(7 * label + kind, shapes[kind], modes[kind], file)
            (place / f"{wnid}_{number}.JPEG").write_bytes(content)
        made["train"] += [(place / f"{wnid}_{n}.JPEG").read_bytes() for n in (0, 2, 4, 10, 33)]
    truth = [WNIDS[number % 2] for number in range(4)]
    for number, wnid in enumerate(truth):
        content = picture(100 + number, (280 + number, 300))
        place = root / "val" / (wnid if validation == "folders" else "")
        place.mkdir(parents=True, exist_ok=True)
        (place / f"ILSVRC2012_val_0000000{number}.JPEG").write_bytes(content)
        made["test"].append(content)
    if validation == "kaggle":
        lines = [f"ILSVRC2012_val_0000000{k},{wnid} 1 2 3 4" for k, wnid in enumerate(truth)]
        text = "\n".join(["ImageId,PredictionString", *reversed(lines)]) + "\n"
        (root / image_tree.CSV).write_text(text)
    if validation == "kit":
        kit = root / image_tree.KIT
        kit.mkdir(parents=True)
        kind = np.dtype([("ILSVRC2012_ID", "O"), ("WNID", "O"), ("num_children", "O")])
        synsets = np.array([(k + 1, wnid, 0) for k, wnid in enumerate(WNIDS)], dtype=kind)
        savemat(kit / "meta.mat", {"synsets": synsets})
        numbers = "".join(f"{WNIDS.index(wnid) + 1}\n" for wnid in truth)
        (kit / "ILSVRC2012_validation_ground_truth.txt").write_text(numbers)
    return made


@pytest.mark.parametrize("layout", ["folders", "kaggle", "kit"])
def test_each_layout_gives_the_same_set_known_by_its_files(folder: Path, layout: str) -> None:
    files = publish(folder, layout)
    place = datasets.prepare(NAME)
    assert place == datasets.path(NAME)
    assert not list(place.parent.glob(f".{NAME}-unfinished"))
    found = prepared.read(NAME)
    assert found.train.labels.tolist() == [0] * 5 + [1] * 5
    assert found.test.labels.tolist() == [1, 0, 1, 0]

    def digest(contents: list[bytes]) -> bytes:
        return hashlib.sha256(b"".join(hashlib.sha256(c).digest() for c in contents)).digest()

    labels = np.concatenate([found.train.labels, found.test.labels]).astype("<i8").tobytes()
    whole = digest(files["train"]) + digest(files["test"]) + labels
    assert prepared.fingerprint(found) == hashlib.sha256(whole).hexdigest()


def test_images_are_what_torchvisions_resize_makes_of_the_files(folder: Path) -> None:
    files = publish(folder)
    datasets.prepare(NAME)
    for split, contents in zip(prepared.read(NAME).__dict__.values(), files.values(), strict=True):
        for row, content in enumerate(contents):
            opened = Image.open(io.BytesIO(content)).convert("RGB")
            expected = np.asarray(reference.resize(opened, [256]))
            assert np.array_equal(split.images.image(row).numpy(), expected)


def test_the_set_is_what_its_spec_says_or_refused(folder: Path) -> None:
    publish(folder)
    datasets.prepare(NAME)
    fields = {
        "fingerprint": prepared.fingerprint(prepared.read(NAME)),
        "classes": 2,
        "train_size": 10,
        "test_size": 4,
        "smallest_class": 5,
        "resolution": 224,
        "channels": 3,
        "mean": (0.5,) * 3,
        "std": (0.25,) * 3,
        "flip": True,
        "short_side": 256,
    }
    assert datasets.check(NAME, fields) == []
    assert len(sets.load(DatasetRef.model_validate(fields | {"name": NAME})).test.images) == 4
    assert "its spec says (10, 128)" in datasets.check(NAME, fields | {"short_side": 128})[0]
    pixels = datasets.path(NAME) / "train_pixels.bin"
    changed = bytearray(pixels.read_bytes())
    changed[1000] ^= 1
    pixels.write_bytes(changed)
    assert "train_pixels.bin: missing, or not as" in datasets.check(NAME, fields)[0]
    # Short of reading every byte, a changed length is seen.
    assert datasets.state(NAME, fields)[0] == "prepared"
    pixels.write_bytes(changed[:-1])
    assert datasets.state(NAME, fields)[0] == "other"
    with pytest.raises(EvidenceError, match=r"train_pixels\.bin: missing, or not as the manifest"):
        prepared.read(NAME)


def test_a_damaged_file_is_named_and_left_out_only_if_told_so(folder: Path) -> None:
    publish(folder)
    broken = folder / "train" / WNIDS[0] / f"{WNIDS[0]}_2.JPEG"
    whole = broken.read_bytes()
    broken.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(EvidenceError, match=f"{broken.name} cannot be decoded") as caught:
        datasets.prepare(NAME)
    assert "--skip-damaged" in str(caught.value)
    assert not prepared.is_prepared(NAME)
    datasets.prepare(NAME, skip_damaged=True)
    found = prepared.read(NAME)
    assert found.train.labels.tolist() == [0] * 5 + [1] * 4
    assert len(found.train.images) == 9
    without = prepared.fingerprint(found)
    broken.unlink()
    datasets.prepare(NAME)
    assert prepared.fingerprint(prepared.read(NAME)) == without
    with pytest.raises(UserError, match="only prepared whole"):
        datasets.prepare("tiny-imagenet", skip_damaged=True)


@pytest.mark.parametrize("lost", [0, 1, 5000])
def test_what_is_decoded_is_not_decoded_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch, lost: int
) -> None:
    publish(folder)
    monkeypatch.setattr(image_tree, "AT_ONCE", 2)
    decoded: list[str] = []
    decode = image_tree.decode

    def stopped(paths: list[Path], short: int) -> image_tree.Packed:
        if len(decoded) == 6:
            raise KeyboardInterrupt
        decoded.extend(path.name for path in paths)
        return decode(paths, short)

    monkeypatch.setattr(image_tree, "decode", stopped)
    with pytest.raises(KeyboardInterrupt):
        datasets.prepare(NAME)
    unfinished = datasets.path(NAME).parent / f".{NAME}-unfinished"
    pixels = unfinished / "train_pixels.bin"
    # Pixels without their entry, of a process killed between the two, or lost by the disk.
    content = pixels.read_bytes()
    pixels.write_bytes(content + b"torn" if lost == 0 else content[:-lost])
    (unfinished / "train_index.bin").open("ab").write(b"torn")
    monkeypatch.setattr(image_tree, "decode", decode)
    told: list[tuple[int, int]] = []
    datasets.prepare(NAME, report=lambda done, total: told.append((done, total)))
    assert told[0] == ((8 if lost == 0 else 2), 10)
    resumed = prepared.read(NAME).train.images.pixels.clone()
    datasets.prepare(NAME)
    assert torch.equal(resumed, prepared.read(NAME).train.images.pixels)


def test_a_run_that_was_stopped_while_it_digested_decodes_nothing_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(folder)
    digest = prepared._file_digest

    def stopped(path: Path) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(prepared, "_file_digest", stopped)
    with pytest.raises(KeyboardInterrupt):
        datasets.prepare(NAME)
    monkeypatch.setattr(prepared, "_file_digest", digest)
    monkeypatch.setattr(image_tree, "decode", stopped)
    place = datasets.prepare(NAME)
    assert len(prepared.read(NAME).train.images) == 10
    kept = {path.name for path in place.iterdir()}
    arrays = ("pixels.bin", "sizes.npy", "files.npy", "labels.npy")
    parts = {f"{split}_{array}" for split in ("train", "test") for array in arrays}
    assert kept == {"manifest.json", *parts}


def test_other_files_are_not_mixed_with_what_was_left(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(folder)
    broken = folder / "val" / WNIDS[0] / "ILSVRC2012_val_00000000.JPEG"
    broken.write_bytes(b"nothing")
    with pytest.raises(EvidenceError, match="cannot be decoded"):
        datasets.prepare(NAME)
    broken.unlink()
    (folder / "train" / WNIDS[1] / f"{WNIDS[1]}_0.JPEG").unlink()
    datasets.prepare(NAME)
    assert prepared.read(NAME).train.labels.tolist() == [0] * 4 + [1] * 5


def test_what_is_missing_is_said(folder: Path) -> None:
    with pytest.raises(EvidenceError, match="put the publisher's folders train and val into"):
        datasets.prepare(NAME)
    publish(folder, "kaggle")
    (folder / image_tree.CSV).unlink()
    with pytest.raises(EvidenceError, match=r"are in no folders of classes; put LOC_val_solution"):
        datasets.prepare(NAME)
    (folder / image_tree.CSV).write_text("header\nILSVRC2012_val_00000000,n01000000 1\n")
    with pytest.raises(EvidenceError, match=r"ILSVRC2012_val_00000001\.JPEG and of 2 more"):
        datasets.prepare(NAME)
    with pytest.raises(EvidenceError, match=r"register at image-net\.org"):
        datasets.fetch("imagenet1k")


def test_processes_decode_what_one_does(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(folder)
    datasets.prepare(NAME)
    alone = prepared.read(NAME).train.images.pixels.clone()
    monkeypatch.setattr(image_tree.os, "sched_getaffinity", lambda _: {0, 1})
    monkeypatch.setattr(image_tree, "AT_ONCE", 4)
    datasets.prepare(NAME)
    assert torch.equal(alone, prepared.read(NAME).train.images.pixels)
    assert not multiprocessing.active_children()
