"""Every layout of the official codes is read back, value by value."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from harness.lab.data import sets
from harness.lab.imports import released
from harness.lab.imports.imported import Imported
from harness.lab.imports.importing import import_set
from harness.lab.recipe import DatasetRef
from tests.lab.imports.layouts import (
    CLASSES,
    NAMES,
    chosen,
    data_set,
    normalised,
    rows_of,
    whitened,
    write_folders,
    write_pair,
    write_sets,
)


def imported(ref: DatasetRef, path: Path, layout: str, **said: Any) -> tuple[Imported, Mapping]:
    """What was kept, read again, and what was told of it."""
    told = import_set(ref.name, ref.model_dump(exclude={"name"}), path, layout, **said)
    return released.read(told["fingerprint"], ref), told


def planes(given: Imported) -> np.ndarray:
    assert given.images is not None
    return given.images.transpose(0, 3, 1, 2)


def test_the_last_of_dcs_five_sets_is_read_unless_another_is_named(
    ref: DatasetRef, tmp_path: Path
) -> None:
    images, labels = normalised(ref)
    # Optimised images leave the range of real ones, and must keep their values.
    five = [(images * (1 + 0.2 * k), labels) for k in range(5)]
    path = write_sets(tmp_path / "res_DC_PICTURES_ConvNet_3ipc.pt", *five)
    given, told = imported(ref, path, "sets")
    assert np.array_equal(planes(given), five[4][0].numpy())
    assert np.array_equal(given.labels, labels.numpy())
    assert (given.space, told["images"], told["per_class"]) == ("mean-std", 3 * CLASSES, 3)
    assert told["notes"] == ["set 5 of 5"]
    first, told = imported(ref, path, "sets", number=1)
    assert np.array_equal(planes(first), images.numpy())
    assert told["notes"] == ["set 1 of 5"]


@pytest.mark.parametrize("space", ["mean-std", "zca"])
def test_mtts_two_files_are_read_in_the_space_that_is_said(
    ref: DatasetRef, tmp_path: Path, space: str
) -> None:
    images, labels = normalised(ref) if space == "mean-std" else whitened(ref)
    given, told = imported(ref, write_pair(tmp_path / "mtt", images, labels), "pair", space=space)
    assert np.array_equal(planes(given), images.numpy())
    assert (given.space, told["learning_rate"]) == (space, None)
    assert imported(ref, tmp_path / "mtt", "pair", space=space)[1] == told


@pytest.mark.parametrize("looked", ["best", "01000"])
def test_what_glads_code_leaves_is_a_pair(ref: DatasetRef, tmp_path: Path, looked: str) -> None:
    """Its decoded images are darker than real ones by a mean of its own, and stay so."""
    images, labels = normalised(ref)
    shifted = images + torch.tensor([0.2, 0.05, -0.3]).view(3, 1, 1)
    folder = write_pair(tmp_path / "imagenet-birds" / "a-run", shifted, labels).parent
    for kind in ("images", "labels"):
        (folder / f"{kind}_best.pt").rename(folder / f"{kind}_{looked}.pt")
    given, told = imported(ref, folder / f"images_{looked}.pt", "pair", space="mean-std")
    assert np.array_equal(planes(given), shifted.numpy())
    assert (told["per_class"], told["learning_rate"]) == (3, None)


def test_the_last_file_of_glads_code_is_a_table_without_accuracies(
    ref: DatasetRef, tmp_path: Path
) -> None:
    images, labels = normalised(ref)
    path = tmp_path / "res_DC_imagenet-birds_ConvNet_3ipc.pt"
    torch.save({"data": [[images, labels]], "accs_all_exps": {"ConvNet": [], "ViT": []}}, path)
    given, told = imported(ref, path, "sets")
    assert np.array_equal(planes(given), images.numpy())
    assert told["notes"] == ["set 1 of 1"]


def test_datms_three_files_hold_logits_and_a_rate(ref: DatasetRef, tmp_path: Path) -> None:
    images, labels = whitened(ref)
    logits = torch.randn(len(labels), CLASSES, generator=torch.Generator().manual_seed(0))
    logits[torch.arange(len(labels)), labels] += 20
    path = write_pair(tmp_path / "datm", images, logits, rate=0.0123)
    given, told = imported(ref, path, "pair", space="zca")
    assert np.array_equal(given.labels, labels.numpy())
    assert given.soft_labels is not None
    assert np.array_equal(given.soft_labels, logits.numpy())
    assert told["learning_rate"] == pytest.approx(0.0123)


def test_a_file_that_was_released_in_parts_is_one_set(ref: DatasetRef, tmp_path: Path) -> None:
    images, labels = normalised(ref, per_class=11)
    for number, rows in enumerate(torch.arange(len(labels)).chunk(11)):
        torch.save(images[rows], tmp_path / f"images_best_{number}.pt")
        torch.save(labels[rows], tmp_path / f"labels_best_{number}.pt")
    given, _ = imported(ref, tmp_path / "images_best.pt", "pair", space="mean-std")
    # Part 10 comes after part 9, and not after part 1.
    assert np.array_equal(planes(given), images.numpy())
    assert np.array_equal(given.labels, labels.numpy())


def test_dc_benchs_pairs_are_found_by_their_names(ref: DatasetRef, tmp_path: Path) -> None:
    images, labels = normalised(ref)
    torch.save(images, tmp_path / "PICTURES_IPC3_normalize_images.pt")
    torch.save(labels, tmp_path / "PICTURES_IPC3_normalize_labels.pt")
    path = tmp_path / "PICTURES_IPC3_normalize_images.pt"
    assert np.array_equal(imported(ref, path, "pair", space="mean-std")[0].labels, labels.numpy())


@pytest.mark.parametrize("method", NAMES)
def test_folders_of_pictures_are_read_by_the_class_that_they_name(
    ref: DatasetRef, tmp_path: Path, method: str
) -> None:
    given, told = imported(ref, write_folders(tmp_path / "syn", ref, method), "folders")
    pixels, labels = chosen(ref)
    assert np.array_equal(given.labels, labels)
    # PNG keeps every byte; JPEG is near, and of the quality that the official codes write.
    lost = np.abs(planes(given) - pixels * 255).mean()
    assert lost < (1e-6 if method in ("d4m", "fadrm", "minimax") else 12)
    assert told["notes"] == []


def write_list(folder: Path, kind: str, rows: np.ndarray, labels: np.ndarray) -> Path:
    path = folder / f"rows.{kind.partition('-')[0]}"
    if kind == "npy":
        np.save(path, rows)
    elif kind == "txt":
        path.write_text("".join(f"{row}\n" for row in rows))
    elif kind == "txt-labels":
        path.write_text("".join(f"{r} {c}\n" for r, c in zip(rows, labels, strict=True)))
    elif kind == "pth":
        torch.save({"epoch": 199, "subset": {"indices": rows}, "best_acc1": np.float64(1)}, path)
    else:
        torch.save(torch.from_numpy(rows) if kind == "pt-tensor" else rows.tolist(), path)
    return path


@pytest.mark.parametrize("kind", ["npy", "txt", "txt-labels", "pth", "pt-tensor", "pt-list"])
def test_lists_of_rows_keep_their_order_and_take_the_data_sets_labels(
    ref: DatasetRef, tmp_path: Path, kind: str
) -> None:
    rows = np.random.default_rng(1).permutation(rows_of(ref))
    labels = sets.load(ref).train.labels[rows]
    given, told = imported(ref, write_list(tmp_path, kind, rows, labels), "list")
    assert given.images is None
    assert given.indices is not None
    assert np.array_equal(given.indices, rows)
    assert np.array_equal(given.labels, labels)
    assert told["per_class"] == 3


def test_a_fingerprint_tells_sets_apart(ref: DatasetRef, tmp_path: Path) -> None:
    images, labels = normalised(ref)
    path = write_pair(tmp_path / "a", images, labels)
    _, told = imported(ref, path, "pair", space="mean-std")
    _, again = imported(ref, path, "pair", space="mean-std")
    assert told == again
    moved = images.clone()
    moved[0, 0, 0, 0] += 1e-4
    other = imported(ref, write_pair(tmp_path / "b", moved, labels), "pair", space="mean-std")[1]
    assert other["fingerprint"] != told["fingerprint"]
    # The same values mean other pixels in another space.
    named = data_set("cifar100")
    values = write_pair(tmp_path / "c", *normalised(named))
    own = imported(named, values, "pair", space="mean-std")[1]
    theirs = imported(named, values, "pair", space="mtt-mean-std")[1]
    assert own["fingerprint"] != theirs["fingerprint"]
