"""Images that come normalised are used as they are, in the scale that their record states."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from harness.lab.data import sets
from harness.lab.models.networks import build
from harness.lab.recipe import DatasetRef
from harness.lab.train.student import StudentParams, student, student_online
from harness.lab.train.teacher import SoftLabelsParams, soft_labels
from harness.plan.step import MemoryInput, StepResult
from tests.lab.fixtures import DIGITS, HARD_LABELS, NETWORK, changed, context, held

TRAIN = sets.load(DIGITS).train
ROWS = np.concatenate([np.flatnonzero(TRAIN.labels == label)[:3] for label in range(10)])
OTHER = DIGITS.model_copy(update={"mean": (0.1,), "std": (0.6,)})
"""The digits in another scale."""
RECIPE = changed(HARD_LABELS, epochs=3, batch_size=10, precision="float64")
DSA = changed(RECIPE, augmentation="dsa", dsa_strategy="color_crop_cutout_scale_rotate")
BYTES = held(indices=ROWS, labels=TRAIN.labels[ROWS])


def floating(scale: DatasetRef) -> MemoryInput:
    """The very images of `BYTES`, normalised by a scale that the record states."""
    images = (TRAIN.images[ROWS] / 255 - scale.mean) / scale.std
    values = {"mean": list(scale.mean), "std": list(scale.std)}
    return MemoryInput(values, {"images": images, "labels": TRAIN.labels[ROWS]})


def trained(images: MemoryInput, dataset: DatasetRef = DIGITS, recipe=RECIPE) -> StepResult:
    params = StudentParams(dataset=dataset, network=NETWORK, recipe=recipe, per_class=3)
    return student(params, {"images": images}, context("student"))


@pytest.fixture
def teacher(tmp_path: Path) -> MemoryInput:
    state = build(NETWORK, DIGITS, seed=3).double().state_dict()
    file = tmp_path / "weights.safetensors"
    save_file({name: tensor.numpy() for name, tensor in state.items()}, file)
    return MemoryInput(files={"weights": file})


@pytest.mark.parametrize("recipe", [RECIPE, DSA], ids=["rrc-flip", "dsa"])
def test_normalised_images_train_as_their_bytes_do(recipe) -> None:
    bytes_, floats = trained(BYTES, recipe=recipe), trained(floating(DIGITS), recipe=recipe)
    assert floats.arrays["curve"] == pytest.approx(bytes_.arrays["curve"], rel=1e-9)
    assert floats.values["loss"] == pytest.approx(bytes_.values["loss"], rel=1e-9)


def test_the_student_sees_the_test_split_in_the_scale_of_its_images() -> None:
    # As if the data set itself had that scale; and that is not the run in the data set's own.
    floats, bytes_ = trained(floating(OTHER), recipe=DSA), trained(BYTES, OTHER, DSA)
    assert floats.arrays["curve"] == pytest.approx(bytes_.arrays["curve"], rel=1e-9)
    assert floats.values["loss"] == pytest.approx(bytes_.values["loss"], rel=1e-9)
    assert floats.values["loss"] != pytest.approx(trained(BYTES, recipe=DSA).values["loss"])


def test_images_without_a_stated_scale_have_the_data_sets_own() -> None:
    stated = floating(DIGITS)
    silent = MemoryInput(held=stated.held)
    assert trained(silent).values == trained(stated).values


@pytest.mark.parametrize("scale", [DIGITS, OTHER])
def test_a_teacher_is_shown_the_same_images_in_its_own_scale(
    teacher: MemoryInput, scale: DatasetRef
) -> None:
    params = SoftLabelsParams(dataset=DIGITS, network=NETWORK, per_class=3, mode="eval")

    def logits(images: MemoryInput) -> torch.Tensor:
        made = soft_labels(params, {"images": images, "teacher": teacher}, context("soft_labels"))
        return torch.from_numpy(made.arrays["logits"])

    torch.testing.assert_close(logits(floating(scale)), logits(BYTES))


def test_an_online_teacher_too(teacher: MemoryInput) -> None:
    recipe = changed(DSA, loss="kl", labels="online", teacher=NETWORK, temperature=4.0)

    def loss(images: MemoryInput, dataset: DatasetRef) -> float:
        params = StudentParams(dataset=dataset, network=NETWORK, recipe=recipe, per_class=3)
        inputs = {"images": images, "teacher": teacher}
        return student_online(params, inputs, context("student")).arrays["curve"][0]

    # What the student is shown is what the teacher answers to, whatever the student's scale: with
    # its own scale misread, the teacher's answers to the same images would differ.
    shifted = OTHER.model_copy(update={"mean": DIGITS.mean})
    own = loss(floating(DIGITS), DIGITS)
    assert own == pytest.approx(loss(BYTES, DIGITS), rel=1e-9)
    assert loss(floating(shifted), DIGITS) != pytest.approx(loss(BYTES, shifted), rel=1e-3)
