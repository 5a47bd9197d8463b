"""Whatever a file holds, reading it ends in a set or in one message for the user.

Inputs are made afresh, or are whole ones damaged by cuts, changed bytes and insertions; each goes
through the layout that its name fits. Hypothesis decides; `HYPOTHESIS_PROFILE=explore` tries more.
"""

from __future__ import annotations

import io
import pickle
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from harness.errors import UserError
from harness.lab.imports.importing import LAYOUTS, import_set
from harness.lab.recipe import DatasetRef
from tests.lab.imports.layouts import (
    data_set,
    normalised,
    rows_of,
    write_folders,
    write_pair,
    write_sets,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
TENSORS = st.builds(
    lambda shape, kind: torch.zeros(shape, dtype=kind),
    st.lists(st.integers(0, 4), max_size=5).map(tuple),
    st.sampled_from([torch.float32, torch.float64, torch.int64, torch.uint8, torch.bool]),
)
CONTENT = st.recursive(
    JSON | TENSORS | st.just(np.float64(1)) | st.just(np.arange(3)),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.fixed_dictionaries({"data": inner})
        | st.fixed_dictionaries({"subset": st.fixed_dictionaries({"indices": inner})})
        | st.tuples(inner, inner)
    ),
    max_leaves=6,
)
DAMAGE = st.lists(
    st.tuples(st.sampled_from(["cut", "change", "insert"]), st.floats(0, 1), st.binary(max_size=9)),
    min_size=1,
    max_size=4,
)
SETTINGS = settings(
    max_examples=settings.default.max_examples // 3,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
)


def damaged(whole: bytes, damage: list[tuple[str, float, bytes]]) -> bytes:
    for kind, place, data in damage:
        at = int(place * len(whole))
        rest = {"cut": whole[:0], "insert": whole[at:], "change": whole[at + len(data) :]}
        whole = whole[:at] + data + rest[kind]
    return whole


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[DatasetRef, Path]]:
    folder = tmp_path_factory.mktemp("fuzz")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REPRO_DATA", str(folder / "data"))
        yield data_set(), folder


def attempt(ref: DatasetRef, path: Path, layout: str) -> None:
    """Anything but a set or a one-line `UserError` fails the test."""
    space = "mean-std" if layout == "pair" else None
    message = ""
    try:
        import_set(ref.name, ref.model_dump(exclude={"name"}), path, layout, space)
    except UserError as error:
        message = str(error)
    assert message.isprintable()


def whole_files(ref: DatasetRef, folder: Path) -> dict[str, tuple[Path, str]]:
    """One sound file of each kind, and its layout."""
    pair = write_pair(folder / "pair", *normalised(ref), rate=0.1)
    pictures = [
        next(next(write_folders(folder / method, ref, method).iterdir()).iterdir())
        for method in ("rded", "minimax")
    ]
    np.save(folder / "rows.npy", rows_of(ref))
    (folder / "rows.txt").write_text("".join(f"{row} 0\n" for row in rows_of(ref)))
    torch.save({"subset": {"indices": rows_of(ref)}}, folder / "rows.pth")
    return {
        "sets": (write_sets(folder / "res.pt", normalised(ref)), "sets"),
        "images": (pair, "pair"),
        "labels": (pair.with_name("labels_best.pt"), "pair"),
        "rate": (pair.with_name("lr_best.pt"), "pair"),
        "jpeg": (pictures[0], "folders"),
        "png": (pictures[1], "folders"),
        "npy": (folder / "rows.npy", "list"),
        "txt": (folder / "rows.txt", "list"),
        "pth": (folder / "rows.pth", "list"),
    }


KINDS = ("sets", "images", "labels", "rate", "jpeg", "png", "npy", "txt", "pth")


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_files(held: tuple[DatasetRef, Path], kind: str) -> None:
    ref, folder = held
    (folder / kind).mkdir()
    path, layout = whole_files(ref, folder / kind)[kind]
    whole = path.read_bytes()
    read_from = {"pair": path.parent, "folders": path.parent.parent}.get(layout, path)

    @SETTINGS
    @given(DAMAGE)
    def damage(how: list[tuple[str, float, bytes]]) -> None:
        path.write_bytes(damaged(whole, how))
        attempt(ref, read_from, layout)

    damage()


@SETTINGS
@given(content=CONTENT, layout=st.sampled_from(["sets", "pair", "list"]))
def test_sound_files_of_anything(held: tuple[DatasetRef, Path], content: Any, layout: str) -> None:
    ref, folder = held
    path = folder / "images_any.pt"
    torch.save(content, path)
    torch.save(content, folder / "labels_any.pt")
    attempt(ref, path, layout)


@SETTINGS
@given(content=JSON, protocol=st.integers(0, 5), name=st.text(max_size=10), tail=st.binary())
def test_zips_and_pickles_of_anything(
    held: tuple[DatasetRef, Path], content: Any, protocol: int, name: str, tail: bytes
) -> None:
    ref, folder = held
    path = folder / "images_zip.pt"
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(content, protocol))
        archive.writestr(name.replace("\ud800", "").lstrip("\0") or "x", tail)
    path.write_bytes(written.getvalue() + tail)
    for layout in ("sets", "pair", "list"):
        attempt(ref, path, layout)


@SETTINGS
@given(data=st.binary(max_size=300), layout=st.sampled_from(sorted(LAYOUTS)))
def test_bytes_of_anything(held: tuple[DatasetRef, Path], data: bytes, layout: str) -> None:
    ref, folder = held
    for name in ("images_bytes.pt", "bytes.npy", "bytes.txt", "bytes.pth", "bytes"):
        (folder / name).write_bytes(data)
        attempt(ref, folder / name, layout)


@SETTINGS
@given(
    names=st.lists(
        st.text(
            st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1
        ).filter(lambda name: name not in (".", "..") and len(name.encode()) < 200),
        max_size=4,
        unique=True,
    ),
    inside=st.sampled_from(["0.png", "class000_id000.jpg", "notes", "deep/0.png"]),
)
def test_folders_of_anything(
    held: tuple[DatasetRef, Path], tmp_path_factory: pytest.TempPathFactory, names: list[str],
    inside: str,
) -> None:  # fmt: skip
    ref, _ = held
    root = tmp_path_factory.mktemp("folders")
    for name in names:
        file = root / name / inside
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.suffix:
            Image.new("L", (8, 8)).save(file)
        else:
            file.touch()
    attempt(ref, root, "folders")
