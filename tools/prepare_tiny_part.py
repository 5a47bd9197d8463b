"""Prepare part of Tiny-ImageNet, from a container of its original files, as data set `tiny-part`.

The container holds tinyimagenet_train_0.npz, the first 100 training images of each class, and
tinyimagenet_val.npz, the whole validation set. In each, `blob` is the files one after another
without their headers and `off` where each begins; `hid` says which of the headers `hdr0` and `hdr1`
is in front of each; `y` are the classes.

    python tools/prepare_tiny_part.py FOLDER
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from harness.errors import EvidenceError, UserError
from harness.lab.data.datasets import TINY_SIDE
from harness.lab.data.pictures import decoded
from harness.lab.data.prepared import Dataset, Split, write

# SHA-256 over the SHA-256 of each file: of these 20,000, and of the publisher's validation set.
FILES = {
    "tinyimagenet_train_0.npz": "2ded0f53fc00e501b233dee398f776b92208cc6665b412eaf2c5108f116e3812",
    "tinyimagenet_val.npz": "efbb0d947240af225071556ca8a0b0145a80c7e3764622251e43cbee9ee5ae31",
}


def read_container(path: Path) -> Split:
    """Raises `EvidenceError` if it is missing, or holds other files than the publisher's."""
    if not path.is_file():
        raise EvidenceError(f"{path}: no such file; expected the container of Tiny-ImageNet there")
    with np.load(path, allow_pickle=False) as held:
        split = decoded(_files(held), held["y"], TINY_SIDE)
    if split.files != FILES[path.name]:
        raise EvidenceError(
            f"{path}: its files have the fingerprint {split.files}, expected {FILES[path.name]}; "
            "they are not the publisher's"
        )
    return split


def _files(held: np.lib.npyio.NpzFile) -> Iterator[bytes]:
    headers = [held["hdr0"].tobytes(), held["hdr1"].tobytes()]
    blob, starts = held["blob"].tobytes(), held["off"]
    for number, header in enumerate(held["hid"]):
        yield headers[header] + blob[starts[number] : starts[number + 1]]


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit("usage: python tools/prepare_tiny_part.py FOLDER")
    folder = Path(sys.argv[1])
    try:
        train, test = (read_container(folder / name) for name in FILES)
        print(write("tiny-part", Dataset(train, test), source="a container of the original files"))
    except UserError as error:
        sys.exit(f"prepare_tiny_part: {error}")


if __name__ == "__main__":
    main()
