"""Tiny-ImageNet's own layout: classes by wnid, images by number, files known by their bytes."""

from __future__ import annotations

import hashlib
import io
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from harness.errors import EvidenceError
from harness.lab.data import datasets, prepared, sets

WNIDS = ("n02000000", "n01000000", "n10000000")
NUMBERS = (10, 2, 0)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REPRO_DATA", str(tmp_path))
    sets._loaded.cache_clear()
    return tmp_path / "publishers" / "tiny-imagenet" / "tiny-imagenet-200"


def jpeg(shade: int, side: int = 64, mode: str = "RGB") -> bytes:
    held = io.BytesIO()
    Image.new(mode, (side, side), shade if mode == "L" else (shade, 0, 0)).save(held, "JPEG")
    return held.getvalue()


def publish(folder: Path) -> tuple[list[bytes], list[bytes]]:
    """Three classes of three images, one of them grey, and four to validate; files in order."""
    made = {}
    for wnid in WNIDS:
        place = folder / "train" / wnid / "images"
        place.mkdir(parents=True)
        (place.parent / f"{wnid}_boxes.txt").write_text("0 0 63 63\n")
        for number in NUMBERS:
            shade = 10 * WNIDS.index(wnid) + number
            content = jpeg(shade, mode="L" if shade == 2 else "RGB")
            (place / f"{wnid}_{number}.JPEG").write_bytes(content)
            made[wnid, number] = content
    images = folder / "val" / "images"
    images.mkdir(parents=True)
    validation = [jpeg(100 + number) for number in range(11)]
    lines = []
    for number, content in enumerate(validation):
        (images / f"val_{number}.JPEG").write_bytes(content)
        lines.append(f"val_{number}.JPEG\t{WNIDS[number % 3]}\t0\t32\t44\t62\n")
    (folder / "val" / "val_annotations.txt").write_text("".join(reversed(lines)))
    return [made[key] for key in sorted(made)], validation


def test_classes_are_in_the_order_of_wnids_and_images_in_that_of_their_numbers(
    folder: Path,
) -> None:
    train, validation = publish(folder)
    assert datasets.prepare("tiny-imagenet") == datasets.path("tiny-imagenet")
    found = prepared.read("tiny-imagenet")
    assert found.train.labels.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    # The first class in order of names is the second that was made: shades 10, 12 and 20.
    reds = [image[0, 0, 0] for image in found.train.images]
    np.testing.assert_allclose(reds, [10, 12, 20, 0, 2, 10, 20, 22, 30], atol=2)
    assert set(found.train.images[4, 5, 5].tolist()) == {2}, "grey pictures become RGB"
    assert found.test.labels.tolist() == [(1, 0, 2)[number % 3] for number in range(11)]
    np.testing.assert_allclose(found.test.images[:, 0, 0, 0], np.arange(100, 111), atol=2)

    def digest(files: list[bytes]) -> bytes:
        return hashlib.sha256(b"".join(hashlib.sha256(f).digest() for f in files)).digest()

    labels = np.concatenate([found.train.labels, found.test.labels]).astype("<i8").tobytes()
    expected = hashlib.sha256(digest(train) + digest(validation) + labels).hexdigest()
    assert prepared.fingerprint(found) == expected


def test_a_changed_array_does_not_pass_for_the_files_it_came_from(folder: Path) -> None:
    publish(folder)
    place = datasets.prepare("tiny-imagenet")
    images = np.load(place / "train_images.npy")
    images[0, 0, 0] += 1
    np.save(place / "train_images.npy", images)
    with pytest.raises(EvidenceError, match=r"train_images\.npy: missing, or not as the manifest"):
        prepared.read("tiny-imagenet")


def test_what_is_missing_or_no_picture_is_said(folder: Path) -> None:
    with pytest.raises(EvidenceError, match="put the publisher's folder tiny-imagenet-200 into"):
        datasets.prepare("tiny-imagenet")
    publish(folder)
    one = folder / "train" / WNIDS[1] / "images" / f"{WNIDS[1]}_2.JPEG"
    kept = one.read_bytes()
    for content, message in (
        (b"nothing", r"picture 1 \(from 0\) cannot be decoded"),
        (jpeg(1, side=32), "has 32 x 32 pixels; expected 64 x 64"),
    ):
        one.write_bytes(content)
        with pytest.raises(EvidenceError, match=message):
            datasets.prepare("tiny-imagenet")
    one.write_bytes(kept)
    shutil.rmtree(folder / "train" / WNIDS[0])
    with pytest.raises(EvidenceError, match=r"no class of the training set for val_0\.JPEG"):
        datasets.prepare("tiny-imagenet")
    (folder / "val" / "val_annotations.txt").unlink()
    with pytest.raises(EvidenceError, match=r"val_annotations\.txt: No such file"):
        datasets.prepare("tiny-imagenet")
    assert not prepared.is_prepared("tiny-imagenet")


def test_a_failed_download_says_where_the_files_belong(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(url: str, root: str) -> None:
        raise OSError("no network")

    monkeypatch.setattr("torchvision.datasets.utils.download_and_extract_archive", refused)
    with pytest.raises(EvidenceError, match=r"no network.*put the folder tiny-imagenet-200"):
        datasets.fetch("tiny-imagenet")
