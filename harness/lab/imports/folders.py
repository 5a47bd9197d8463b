"""Released sets as pictures: one folder a class, JPEG or PNG inside.

The name of a folder says its class; its place in a listing never does, since sorted as text the
class 10 comes before 2. Known names are `new007` (SRe2L, G-VBSM, CDA, FADRM), `00007` (RDED), `7`
(D4M) and WordNet ids (Minimax), whose order is that of the sorted ids.
"""

from __future__ import annotations

import io
import re
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from harness.lab.data.refused import Refused
from harness.lab.data.torch_files import check_regular
from harness.lab.imports.imported import Imported
from harness.lab.recipe import DatasetRef

FORMATS = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG"}
_NUMBERED = re.compile(r"(?:new)?(\d{1,6})")
_WORDNET = re.compile(r"n\d{8}")
_INSIDE = re.compile(r"(?:class)?(\d{1,6})(?:_id|-image)\d+")
QUALITY = 75
"""Quality of the JPEGs that the official codes write: Pillow's default."""


def read_folders(path: Path, dataset: DatasetRef) -> Imported:
    """Every picture, class by class and in the order of the numbers in its name.

    Raises `Refused` if folders do not name the classes of the data set one to one, if classes have
    unequal numbers of pictures, or if a picture is damaged or of another size.
    """
    files = [_pictures(folder, label) for label, folder in enumerate(_folders(path, dataset))]
    counts = np.array([len(found) for found in files])
    if counts.min() != counts.max():
        poor = int(counts.argmin())
        raise Refused(
            path,
            f"class {poor} has {counts.min()} pictures, another has {counts.max()}: the copy is "
            "not complete, or names collided when the set was written",
        )
    if not 0 < counts[0] <= dataset.smallest_class:
        raise Refused(
            path,
            f"{counts[0]} pictures a class, where '{dataset.name}' has at most "
            f"{dataset.smallest_class}",
        )
    side, per_class = dataset.resolution, int(counts[0])
    images = np.empty((len(files) * per_class, side, side, dataset.channels), np.uint8)
    resaved = 0
    for row, file in enumerate(file for found in files for file in found):
        images[row], plain = _picture(file, dataset)
        resaved += not plain
    notes = (f"{resaved} JPEGs are not of quality {QUALITY}: saved again?",) if resaved else ()
    labels = np.repeat(np.arange(dataset.classes, dtype=np.int64), per_class)
    return Imported(labels, images, notes=notes)


def _folders(path: Path, dataset: DatasetRef) -> list[Path]:
    """The folder of each class, in the order of the classes."""
    if not path.is_dir():
        raise Refused(path, "a folder with one folder a class was expected")
    folders = sorted(entry for entry in path.iterdir() if entry.is_dir())
    if all(_WORDNET.fullmatch(folder.name) for folder in folders):
        if len(folders) != dataset.classes:
            raise Refused(
                path,
                f"{len(folders)} WordNet ids, but '{dataset.name}' has {dataset.classes} "
                "classes: without all of them, their order does not tell the classes",
            )
        return folders
    numbers = [_NUMBERED.fullmatch(folder.name) for folder in folders]
    for folder, number in zip(folders, numbers, strict=True):
        if number is None:
            raise Refused(folder, "names no class: expected was new007, 00007, 7 or a WordNet id")
    known = {int(n[1]): folder for n, folder in zip(numbers, folders, strict=True) if n}
    if len(known) != len(folders) or set(known) != set(range(dataset.classes)):
        raise Refused(
            path,
            f"its {len(folders)} folders do not name the classes 0 to {dataset.classes - 1} of "
            f"'{dataset.name}' one to one",
        )
    return [known[label] for label in range(dataset.classes)]


def _pictures(folder: Path, label: int) -> list[Path]:
    """The files of one class; `Refused` for what is no picture, or is named for another class."""
    files = sorted(folder.iterdir(), key=_natural)
    for file in files:
        if file.suffix.lower() not in FORMATS:
            raise Refused(file, "only JPEG and PNG files were expected in a folder of a class")
        named = _INSIDE.match(file.name)
        if named and int(named[1]) != label:
            raise Refused(file, f"is named for class {int(named[1])}, but lies in that of {label}")
    return files


def _natural(path: Path) -> list[tuple[int, str]]:
    """Sorts id2 before id10, whether or not the numbers are padded."""
    parts = re.split(r"([0-9]+)", path.name)
    keys = [(len(p.lstrip("0")), p.lstrip("0")) if p.isdecimal() else (0, p) for p in parts]
    return [*keys, (0, path.name)]


def _picture(path: Path, dataset: DatasetRef) -> tuple[np.ndarray, bool]:
    """uint8 (height, width, channels), and whether it is as the official codes save."""
    check_regular(path)
    side, mode = dataset.resolution, "RGB" if dataset.channels == 3 else "L"
    form = FORMATS[path.suffix.lower()]
    try:
        with Image.open(path, formats=[form]) as picture:
            if picture.size != (side, side) or picture.mode not in ("RGB", "L"):
                raise Refused(
                    path,
                    f"{picture.mode} of {picture.size[0]} x {picture.size[1]} pixels; those of "
                    f"'{dataset.name}' have {side} x {side}",
                )
            plain = form != "JPEG" or vars(picture)["quantization"] == _tables(picture.mode)
            return np.asarray(picture.convert(mode)).reshape(side, side, dataset.channels), plain
    except Refused:
        raise
    except Exception as error:  # the file decides what goes wrong inside, so it is at fault
        raise Refused(path, f"is no readable picture ({type(error).__name__})") from None


@cache
def _tables(mode: str) -> dict[int, list[int]]:
    """The quantisation tables of a JPEG of the official quality."""
    written = io.BytesIO()
    Image.new(mode, (8, 8)).save(written, "JPEG", quality=QUALITY)
    with Image.open(written) as picture:
        tables: dict[int, list[int]] = vars(picture)["quantization"]
        return tables
