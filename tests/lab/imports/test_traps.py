"""What goes wrong with released sets, silently elsewhere, is refused here with the reason."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from harness.errors import UserError
from harness.lab.data import sets
from harness.lab.data.torch_files import Refused
from harness.lab.imports import released
from harness.lab.imports.imported import check_answers
from harness.lab.imports.importing import import_set
from harness.lab.recipe import DatasetRef
from tests.lab.imports.layouts import (
    CLASSES,
    PER_CLASS,
    chosen,
    data_set,
    normalised,
    rows_of,
    whitened,
    write_folders,
    write_pair,
    write_sets,
)


def read(ref: DatasetRef, path: Path, layout: str, **said: Any) -> Mapping[str, Any]:
    return import_set(ref.name, ref.model_dump(exclude={"name"}), path, layout, **said)


def pixels(ref: DatasetRef) -> tuple[torch.Tensor, torch.Tensor]:
    images, labels = chosen(ref)
    return torch.from_numpy(images).float(), torch.from_numpy(labels)


SCALINGS = {"mean-std": normalised, "zca": whitened, "pixels": pixels}


@pytest.mark.parametrize("space", SCALINGS)
@pytest.mark.parametrize("said", SCALINGS)
def test_values_that_are_scaled_otherwise_than_is_said_are_refused(
    ref: DatasetRef, tmp_path: Path, space: str, said: str
) -> None:
    path = write_pair(tmp_path / "set", *SCALINGS[space](ref))
    if space == said:
        assert read(ref, path, "pair", space=said)["space"] == said
        return
    with pytest.raises(Refused, match="the values are scaled in another way") as refused:
        read(ref, path, "pair", space=said)
    assert space in str(refused.value).rpartition("read as")[2]


def test_bytes_as_floats_and_images_normalised_twice_are_refused(
    ref: DatasetRef, tmp_path: Path
) -> None:
    images, labels = pixels(ref)
    path = write_sets(tmp_path / "bytes.pt", (images * 255, labels))
    with pytest.raises(Refused, match="scaled in another way"):
        read(ref, path, "sets")
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (ref.mean, ref.std))
    twice = ((normalised(ref)[0] - mean) / std, labels)
    with pytest.raises(Refused, match="scaled in another way"):
        read(ref, write_sets(tmp_path / "twice.pt", twice), "sets")


def test_optimised_images_may_leave_the_range_of_real_ones(ref: DatasetRef, tmp_path: Path) -> None:
    # DC starts from noise, TM ends in strong colours: neither may be clipped or refused.
    labels = normalised(ref)[1]
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(len(labels), 3, 8, 8, generator=generator)
    assert read(ref, write_sets(tmp_path / "noise.pt", (noise, labels)), "sets")
    strong = 2.5 * normalised(ref)[0]
    assert read(ref, write_pair(tmp_path / "tm", strong, labels), "pair", space="mean-std")


def test_the_space_has_to_be_said_where_sets_differ(ref: DatasetRef, tmp_path: Path) -> None:
    path = write_pair(tmp_path / "set", *normalised(ref))
    with pytest.raises(UserError, match=r"say which space .* mean-std, mtt-mean-std, zca"):
        read(ref, path, "pair")
    with pytest.raises(UserError, match="not in space 'zca', but mean-std"):
        read(ref, path, "sets", space="zca")
    with pytest.raises(UserError, match=r"unknown layout 'pairs'; did you mean 'pair'\?"):
        read(ref, path, "pairs")


@pytest.mark.parametrize("cut", [1, 3, 17])
def test_a_set_that_was_cut_off_is_refused(ref: DatasetRef, tmp_path: Path, cut: int) -> None:
    images, labels = normalised(ref)
    path = write_sets(tmp_path / "cut.pt", (images[:-cut], labels[:-cut]))
    with pytest.raises(Refused, match=r"class \d+ has \d images, .* the set is cut off"):
        read(ref, path, "sets")


def test_labels_that_are_not_of_these_images_are_refused(ref: DatasetRef, tmp_path: Path) -> None:
    images, labels = normalised(ref)
    for wrong, reason in (
        (labels[:-1], "36 images, but 35 labels"),
        (labels + 1, "labels from 0 to 11"),
        (labels - 1, "labels from 0 to 11"),
        (labels.float(), "labels are float32"),
        (torch.zeros(36, CLASSES + 1), "expected are integers"),
        (torch.full((36, CLASSES), torch.nan), "no finite numbers|cut off"),
    ):
        with pytest.raises(Refused, match=reason):
            read(ref, write_sets(tmp_path / "wrong.pt", (images, wrong)), "sets")


def test_images_of_another_data_set_are_refused(ref: DatasetRef, tmp_path: Path) -> None:
    images, labels = normalised(ref)
    for wrong in (
        images[:, :1],
        images[..., :4],
        images.double().long(),
        images.permute(0, 2, 3, 1),
    ):
        with pytest.raises(Refused, match=r"those of 'pictures' are floating \(n, 3, 8, 8\)"):
            read(ref, write_sets(tmp_path / "wrong.pt", (wrong, labels)), "sets")
    with pytest.raises(Refused, match="no finite numbers"):
        read(ref, write_sets(tmp_path / "nan.pt", (images / 0, labels)), "sets")


def test_a_missing_part_labels_and_set_are_told(ref: DatasetRef, tmp_path: Path) -> None:
    images, labels = normalised(ref)
    torch.save(images, tmp_path / "images_best_0.pt")
    torch.save(images, tmp_path / "images_best_2.pt")
    with pytest.raises(Refused, match="part 1 of 3 is missing"):
        read(ref, tmp_path / "images_best.pt", "pair", space="mean-std")
    torch.save(images, tmp_path / "images_0.pt")
    with pytest.raises(Refused, match=r"labels_0.pt: there is no such file"):
        read(ref, tmp_path / "images_0.pt", "pair", space="mean-std")
    path = write_sets(tmp_path / "one.pt", (images, labels))
    with pytest.raises(Refused, match="set 2 is asked for, but it holds 1"):
        read(ref, path, "sets", number=2)


def test_unpadded_folders_are_not_read_in_the_order_of_text(
    ref: DatasetRef, tmp_path: Path
) -> None:
    # torchvision's ImageFolder would call folder 10 class 2.
    from harness.lab.imports.layouts import read_folders

    given = read_folders(write_folders(tmp_path / "syn", ref, "d4m"), ref)
    wanted, _ = chosen(ref)
    assert given.images is not None
    assert sorted(p.name for p in (tmp_path / "syn").iterdir())[2] == "10"
    tenth = given.images[given.labels == 10].transpose(0, 3, 1, 2) / 255
    assert np.allclose(tenth, wanted[30:33], atol=0.5 / 255)


def test_folders_that_do_not_name_every_class_are_refused(ref: DatasetRef, tmp_path: Path) -> None:
    def fresh(method: str) -> Path:
        shutil.rmtree(tmp_path / "syn", ignore_errors=True)
        return write_folders(tmp_path / "syn", ref, method)

    path = fresh("rded")
    shutil.rmtree(path / "00011")
    with pytest.raises(Refused, match="11 folders do not name the classes 0 to 11"):
        read(ref, path, "folders")
    path = fresh("d4m")
    (path / "11").rename(path / "07")
    with pytest.raises(Refused, match="do not name the classes 0 to 11 of 'pictures' one to one"):
        read(ref, path, "folders")
    path = fresh("minimax")
    shutil.rmtree(next(path.iterdir()))
    with pytest.raises(Refused, match=r"11 WordNet ids.*order does not tell the classes"):
        read(ref, path, "folders")
    path = fresh("sre2l")
    (path / "new003").rename(path / "goldfish")
    with pytest.raises(Refused, match="names no class"):
        read(ref, path, "folders")
    with pytest.raises(Refused, match="a folder with one folder a class"):
        read(ref, tmp_path / "nowhere", "folders")


def test_a_class_whose_pictures_are_named_for_another_is_refused(
    ref: DatasetRef, tmp_path: Path
) -> None:
    path = write_folders(tmp_path / "syn", ref, "sre2l")
    (path / "new003").rename(path / "spare")
    (path / "new004").rename(path / "new003")
    (path / "spare").rename(path / "new004")
    with pytest.raises(Refused, match="is named for class 4, but lies in that of 3"):
        read(ref, path, "folders")


def test_classes_with_fewer_or_too_many_pictures_are_refused(
    ref: DatasetRef, tmp_path: Path
) -> None:
    path = write_folders(tmp_path / "syn", ref, "rded")
    (path / "00004" / "class00004_id00002.jpg").unlink()
    with pytest.raises(Refused, match="class 4 has 2 pictures, another has 3: the copy is not"):
        read(ref, path, "folders")
    many = write_folders(tmp_path / "many", ref, "fadrm", PER_CLASS)
    for folder in many.iterdir():
        shutil.copy(next(folder.iterdir()), folder / f"class{folder.name[3:]}_id999.png")
    with pytest.raises(Refused, match="21 pictures a class, where 'pictures' has at most 20"):
        read(ref, many, "folders")


def test_pictures_of_another_size_or_kind_are_refused(ref: DatasetRef, tmp_path: Path) -> None:
    path = write_folders(tmp_path / "syn", ref, "minimax")
    file = sorted(path.iterdir())[5] / "1.png"
    Image.new("RGB", (16, 16)).save(file)
    with pytest.raises(Refused, match="RGB of 16 x 16 pixels; those of 'pictures' have 8 x 8"):
        read(ref, path, "folders")
    Image.new("RGBA", (8, 8)).save(file)
    with pytest.raises(Refused, match="RGBA of 8 x 8"):
        read(ref, path, "folders")
    file.write_bytes(b"\x89PNG\r\n\x1a\n cut off")
    with pytest.raises(Refused, match="is no readable picture"):
        read(ref, path, "folders")
    Image.new("RGB", (8, 8)).save(file, "JPEG")
    with pytest.raises(Refused, match="is no readable picture"):
        read(ref, path, "folders")
    file.rename(file.with_suffix(".txt"))
    with pytest.raises(Refused, match="only JPEG and PNG files"):
        read(ref, path, "folders")


def test_jpegs_that_were_saved_again_are_told(ref: DatasetRef, tmp_path: Path) -> None:
    path = write_folders(tmp_path / "syn", ref, "rded")
    file = path / "00002" / "class00002_id00000.jpg"
    with Image.open(file) as picture:
        picture.load()
    picture.save(file, quality=95)
    assert read(ref, path, "folders")["notes"] == ["1 JPEGs are not of quality 75: saved again?"]


def test_lists_that_are_not_of_this_split_are_refused(ref: DatasetRef, tmp_path: Path) -> None:
    rows = rows_of(ref)
    labels = sets.load(ref).train.labels[rows]
    size = ref.train_size
    for wrong, reason in (
        ([*rows[:-1], size], f"rows 0 to {size}, but 'pictures' has {size}"),
        ([*rows[:-1], -1], "rows -1 to"),
        ([*rows[:-1], rows[0]], "some rows come twice"),
        (rows[:-1], "35 rows are no whole number for each of 12 classes"),
        (rows.astype(np.float64), "a list of integers was expected"),
        (rows.reshape(2, -1), "a list of integers was expected"),
        (rows[:0], "a list of integers was expected"),
    ):
        np.save(tmp_path / "rows.npy", np.array(wrong))
        with pytest.raises(Refused, match=reason):
            read(ref, tmp_path / "rows.npy", "list")
    stated = labels.copy()
    stated[:2] = stated[-1], stated[-2]
    text = "".join(f"{row} {label}\n" for row, label in zip(rows, stated, strict=True))
    (tmp_path / "rows.txt").write_text(text)
    with pytest.raises(Refused, match="said to be of class 11, but is of class 0"):
        read(ref, tmp_path / "rows.txt", "list")


def test_mtts_scaling_is_cifar10s_on_cifar100_only(tmp_path: Path, ref: DatasetRef) -> None:
    from harness.lab.imports.imported import scale_of

    named = data_set("cifar100")
    assert scale_of("mtt-mean-std", named).std == (0.2023, 0.1994, 0.2010)
    assert scale_of("mtt-mean-std", ref) == ref
    assert scale_of("mean-std", named) == named


def answers(labels: np.ndarray, right: float, seed: int = 0) -> np.ndarray:
    """Of a teacher that is right on a share of the images, and else guesses."""
    generator = np.random.default_rng(seed)
    guesses = generator.integers(0, 100, len(labels))
    return np.where(generator.random(len(labels)) < right, labels, guesses)


LABELS = np.repeat(np.arange(100), 10)


@pytest.mark.parametrize("right", [1.0, 0.6, 0.15])
def test_a_teacher_that_recognises_the_images_is_content(right: float) -> None:
    found = check_answers(Path("set"), LABELS, answers(LABELS, right), 100)
    assert found == pytest.approx(right, abs=0.05)


def test_labels_in_the_order_of_text_are_refused_with_that_reason() -> None:
    # The classes of folders 0, 1, 10, 11, ..., 2, 20, ... counted as they come.
    order = np.array(sorted(range(100), key=str))
    seen = answers(LABELS, 0.9)
    with pytest.raises(Refused, match=r"9\d.\d% if the classes come in another order"):
        check_answers(Path("set"), np.argsort(order)[LABELS], seen, 100)


def test_images_that_a_teacher_does_not_recognise_at_all_are_refused() -> None:
    for seed in range(5):
        with pytest.raises(Refused, match="either the labels are not those of the images, or"):
            check_answers(Path("set"), LABELS, answers(LABELS, 0.0, seed), 100)
    with pytest.raises(Refused, match=r"1.0% of the images into their class \(chance: 1.0%\)"):
        check_answers(Path("set"), LABELS, np.zeros_like(LABELS), 100)


def softened(kind: str, labels: torch.Tensor) -> torch.Tensor:
    """Soft labels of a kind, the label the likeliest."""
    sharp = torch.nn.functional.one_hot(labels, CLASSES).float()
    spread = (6 * sharp + torch.linspace(0, 1, CLASSES)).softmax(dim=1)
    kinds = {"one-hot": sharp, "probabilities": spread, "logits": spread.log() + 3}
    return {**kinds, "half precision": spread.half()}[kind]


@pytest.mark.parametrize("layout", ["pair", "sets"])
@pytest.mark.parametrize("kind", ["one-hot", "probabilities", "half precision"])
def test_probabilities_are_no_logits_unless_that_is_said(
    ref: DatasetRef, tmp_path: Path, kind: str, layout: str
) -> None:
    images, labels = normalised(ref)
    soft = softened(kind, labels)
    if layout == "pair":
        path = write_pair(tmp_path / "set", images, soft)
    else:
        path = write_sets(tmp_path / "res.pt", (images, soft))
    space = {"space": "mean-std"} if layout == "pair" else {}
    named = "one-hot" if kind == "one-hot" else "probabilities"
    with pytest.raises(Refused, match=f"its soft labels are {named}") as refused:
        read(ref, path, layout, **space)
    stated = float(soft.float().max(dim=1).values.mean())
    assert f"where they say {stated:.1%}" in str(refused.value)
    told = read(ref, path, layout, soft_labels="probabilities", **space)
    assert f"soft labels were {named}; kept are their logarithms" in told["notes"][-1]
    kept = released.read(told["fingerprint"], ref)
    assert kept.soft_labels is not None
    again = torch.from_numpy(kept.soft_labels).softmax(dim=1)
    assert torch.allclose(again, soft.float(), atol=2e-3 if kind == "half precision" else 2e-5)
    assert np.array_equal(kept.labels, labels.numpy())
    as_they_are = read(ref, path, layout, soft_labels="logits", **space)
    held = released.read(as_they_are["fingerprint"], ref).soft_labels
    assert np.array_equal(held, soft.float().numpy())


def test_what_is_said_of_soft_labels_has_to_be_so(ref: DatasetRef, tmp_path: Path) -> None:
    images, labels = normalised(ref)
    path = write_pair(tmp_path / "logits", images, softened("logits", labels))
    with pytest.raises(Refused, match="no probabilities: each row would sum to 1"):
        read(ref, path, "pair", space="mean-std", soft_labels="probabilities")
    with pytest.raises(UserError, match="unknown kind of soft labels 'probs'"):
        read(ref, path, "pair", space="mean-std", soft_labels="probs")
    hard = write_pair(tmp_path / "hard", images, labels)
    with pytest.raises(Refused, match="it has no soft labels"):
        read(ref, hard, "pair", space="mean-std", soft_labels="logits")
