"""Prepare CIFAR-100 from a lossless copy: zips of WebP strips, 500 images of 32 x 32 each.

The copy holds cifar100_train_a.zip, cifar100_train_b.zip (indices 0..24999 and 25000..49999) and
cifar100_test.zip, each with its strips in order, fine.npy and coarse.npy. The decoded pixels have
to be those of the original, in the original order, which their MD5 digests say.

    python tools/prepare_cifar100.py FOLDER
"""

from __future__ import annotations

import hashlib
import io
import sys
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

from harness.errors import EvidenceError, UserError
from harness.lab.data.prepared import Dataset, Split, write

# Of the decoded bytes, as torchvision's `CIFAR100(...).data` holds them.
MD5 = {
    "train": "111db26282d380128f3126515677de38",
    "test": "f56c971f508f38ef6f45ff5a2db65ea6",
}
FILES = {"train": ("cifar100_train_a.zip", "cifar100_train_b.zip"), "test": ("cifar100_test.zip",)}


def read_zip(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Images uint8 (n, 32, 32, 3) and fine labels int64 (n,) of one zip."""
    if not path.is_file():
        raise EvidenceError(f"{path}: no such file; expected the lossless copy of CIFAR-100 there")
    with zipfile.ZipFile(path) as archive:

        def member(name: str) -> io.BytesIO:
            return io.BytesIO(archive.read(name))

        strips = sorted(name for name in archive.namelist() if name.endswith(".webp"))
        pixels = [np.asarray(Image.open(member(name)).convert("RGB")) for name in strips]
        labels = np.load(member("fine.npy"), allow_pickle=False)
    return np.concatenate(pixels).reshape(-1, 32, 32, 3), labels.astype(np.int64)


def read_split(folder: Path, name: str) -> Split:
    parts = [read_zip(folder / file) for file in FILES[name]]
    images = np.concatenate([images for images, _ in parts])
    found = hashlib.md5(np.ascontiguousarray(images), usedforsecurity=False).hexdigest()
    if found != MD5[name]:
        raise EvidenceError(
            f"{folder}: the decoded {name} images have the MD5 {found}, expected {MD5[name]}; "
            "they are not CIFAR-100 in its original order"
        )
    return Split(images, np.concatenate([labels for _, labels in parts]))


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit("usage: python tools/prepare_cifar100.py FOLDER")
    folder = Path(sys.argv[1])
    try:
        dataset = Dataset(read_split(folder, "train"), read_split(folder, "test"))
        print(write("cifar100", dataset, source="a lossless WebP copy"))
    except UserError as error:
        sys.exit(f"prepare_cifar100: {error}")


if __name__ == "__main__":
    main()
