"""A released set as a step: what students get, and what is refused before they train."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from harness.errors import EvidenceError, UserError
from harness.lab.data.torch_files import Refused
from harness.lab.data.zca import whitening
from harness.lab.imports import released
from harness.lab.imports.imported import Imported
from harness.lab.imports.released_set import ReleasedSetParams, released_set
from harness.lab.models.classifier import Classifier
from harness.lab.recipe import DatasetRef
from harness.lab.train.student import StudentParams, student
from harness.lab.train.teacher import TeacherParams, teacher
from harness.plan.step import MemoryInput, StepContext, StepResult
from tests.lab.fixtures import HARD_LABELS, NETWORK, as_input, changed, context
from tests.lab.imports.layouts import CLASSES, chosen, normalised, rows_of, whitened

RECIPE = changed(HARD_LABELS, epochs=8, batch_size=24, learning_rate=0.1, augmentation="none")


def nhwc(images: torch.Tensor) -> np.ndarray:
    return images.permute(0, 2, 3, 1).contiguous().numpy()


def used(
    ref: DatasetRef, given: Imported, teacher: MemoryInput | None = None, zca: bool = False
) -> StepResult:
    params = ReleasedSetParams(
        dataset=ref,
        per_class=3,
        fingerprint=released.write(given, ref, "a test"),
        network=NETWORK,
        whitened=zca,
    )
    inputs = {"teacher": teacher} if teacher else {}
    return released_set(params, inputs, context("released_set"))


def taught(ref: DatasetRef, folder: Path) -> MemoryInput:
    from safetensors.numpy import save_file

    made = teacher(TeacherParams(dataset=ref, network=NETWORK, recipe=RECIPE), {}, context("t"))
    save_file(made.tensors["weights"], folder / "weights.safetensors")
    return MemoryInput(files={"weights": folder / "weights.safetensors"})


def test_scaled_images_come_as_released_with_their_scale(ref: DatasetRef) -> None:
    images, labels = normalised(ref)
    found = used(ref, Imported(labels.numpy(), nhwc(images), space="mean-std"))
    assert np.array_equal(found.arrays["images"], nhwc(images))
    assert np.array_equal(found.arrays["labels"], labels.numpy())
    assert found.values == {
        "space": "mean-std",
        "mean": list(ref.mean),
        "std": list(ref.std),
    }


def test_a_whitened_set_comes_back_as_scaled_pixels(ref: DatasetRef) -> None:
    images, labels = whitened(ref)
    given = Imported(labels.numpy(), nhwc(images), space="zca")
    found = used(ref, given, zca=True)
    assert np.allclose(found.arrays["images"], nhwc(normalised(ref)[0]), atol=1e-4)
    # A student that whitens sees the very values that were released.
    reader = Classifier.fresh(NETWORK, ref, "cpu", "float64", seed=0, zca=True)
    seen = reader.shown(torch.from_numpy(found.arrays["images"]).permute(0, 3, 1, 2))
    assert torch.allclose(seen, images.double(), atol=1e-4)
    with pytest.raises(UserError, match="is whitened, but students do not whiten"):
        used(ref, given)
    with pytest.raises(UserError, match="is not whitened, but students read whitened images"):
        used(ref, Imported(labels.numpy(), nhwc(normalised(ref)[0]), space="mean-std"), zca=True)


def test_lists_and_learned_labels_are_passed_on(ref: DatasetRef) -> None:
    rows, labels = rows_of(ref), normalised(ref)[1].numpy()
    found = used(ref, Imported(labels, indices=rows), zca=True)
    assert np.array_equal(found.arrays["indices"], rows)
    soft = np.eye(CLASSES, dtype=np.float32)[labels]
    images = nhwc(normalised(ref)[0])
    learned = Imported(
        labels, images, soft_labels=soft, learning_rate=0.5, space="mean-std", notes=("one",)
    )
    found = used(ref, learned)
    assert np.array_equal(found.arrays["soft_labels"], soft)
    assert found.values["learning_rate"] == 0.5


def test_a_teacher_says_whether_labels_and_images_agree(ref: DatasetRef, tmp_path: Path) -> None:
    images, labels = normalised(ref)
    wise = taught(ref, tmp_path)
    kept = used(ref, Imported(labels.numpy(), nhwc(images), space="mean-std"), wise)
    assert kept.values["agreement"] == pytest.approx(1.0, abs=0.15)
    pixels, _ = chosen(ref)
    stored = (pixels.transpose(0, 2, 3, 1) * 255).round().astype(np.uint8)
    as_bytes = used(ref, Imported(labels.numpy(), stored), wise)
    assert as_bytes.values["agreement"] == kept.values["agreement"]
    assert "mean" not in as_bytes.values
    order = np.array(sorted(range(CLASSES), key=str))
    with pytest.raises(Refused, match="the order of the labels is not that of the data set"):
        used(ref, Imported(order[labels.numpy()], nhwc(images), space="mean-std"), wise)
    shuffled = np.random.default_rng(0).permutation(labels.numpy())
    with pytest.raises(Refused, match="either the labels are not those of the images"):
        used(ref, Imported(shuffled, nhwc(images), space="mean-std"), wise)


def test_a_student_trains_on_it(ref: DatasetRef) -> None:
    images, labels = normalised(ref)
    found = used(ref, Imported(labels.numpy(), nhwc(images), space="mean-std"))
    params = StudentParams(dataset=ref, network=NETWORK, recipe=RECIPE, per_class=3)
    done = student(params, {"images": as_input(found)}, StepContext("student", 0))
    assert done.values["accuracy"] > 3 / CLASSES


def test_what_is_absent_damaged_or_of_another_data_set_is_not_used(ref: DatasetRef) -> None:
    images, labels = normalised(ref)
    identity = released.write(Imported(labels.numpy(), nhwc(images), space="mean-std"), ref, "x")
    folder = released.folder_of(identity)
    assert np.array_equal(released.read(identity, ref).labels, labels.numpy())
    other = ref.model_copy(update={"fingerprint": "0" * 64})
    with pytest.raises(EvidenceError, match="was read for 'pictures'"):
        released.read(identity, other)
    with pytest.raises(EvidenceError, match="`repro data import pictures`"):
        released.read("1" * 64, ref)
    for name, value in (("space", "zca"), ("learning_rate", 1.0)):
        manifest = json.loads((folder / "manifest.json").read_text())
        (folder / "manifest.json").write_text(json.dumps(manifest | {name: value}))
        with pytest.raises(EvidenceError, match="does not have its fingerprint"):
            released.read(identity, ref)
        (folder / "manifest.json").write_text(json.dumps(manifest))
    whole = (folder / "images.npy").read_bytes()
    for wrong in (whole[:-1] + b"\x01", whole[:-1], b""):
        (folder / "images.npy").write_bytes(wrong)
        with pytest.raises(EvidenceError, match="import"):
            released.read(identity, ref)


def test_a_step_without_a_fingerprint_says_how_to_get_one(ref: DatasetRef) -> None:
    for wrong in ("", "../../etc", "A" * 64):
        with pytest.raises(ValidationError, match="`repro data import` reads one that you have"):
            ReleasedSetParams(
                dataset=ref, per_class=3, fingerprint=wrong, network=NETWORK, whitened=False
            )


def test_a_set_of_another_size_than_the_cells_is_refused(ref: DatasetRef) -> None:
    images, labels = normalised(ref, per_class=2)
    with pytest.raises(UserError, match="has 24 images, but 3 for each of 12 classes, 36, are"):
        used(ref, Imported(labels.numpy(), nhwc(images), space="mean-std"))


def test_whitening_makes_the_covariance_of_pixels_nearly_one(ref: DatasetRef) -> None:
    """lambda becomes lambda / (lambda + 0.1), by NumPy's covariance as the independent oracle."""
    from harness.lab.data import sets

    train = sets.load(ref).train.images.transpose(0, 3, 1, 2) / 255
    found = whitening(ref).whitened(torch.from_numpy(train))
    flat = found.flatten(1).numpy()
    before = np.linalg.eigvalsh(np.cov(train.reshape(len(train), -1), rowvar=False))
    after = np.linalg.eigvalsh(np.cov(flat, rowvar=False))
    assert np.allclose(after, before / (before + 0.1), atol=1e-8)
    assert np.allclose(flat.mean(axis=0), 0, atol=1e-10)
    # Of all maps that do this, ZCA is the symmetric one: it keeps images most like themselves.
    assert torch.allclose(whitening(ref).forward, whitening(ref).forward.T)
    assert torch.allclose(whitening(ref).pixels(found), torch.from_numpy(train))
