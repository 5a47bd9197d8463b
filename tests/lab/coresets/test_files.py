"""Coresets as image files, and a teacher that sees them in another view."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image
from pydantic import ValidationError
from torchvision.transforms.v2 import functional as reference

from harness.lab.coresets.select import FilesParams, jpeg_files
from harness.lab.data import sets
from harness.lab.models.classifier import Classifier
from harness.lab.probing import DATASET, chosen, taught
from harness.lab.train.student_training import enlarged
from harness.lab.train.teacher import SoftLabelsParams, soft_labels
from tests.lab.fixtures import DIGITS, context, held


def test_a_chosen_image_is_what_pillow_reads_back() -> None:
    train = sets.load(DIGITS).train
    rows = np.array([7, 3])
    params = FilesParams(dataset=DIGITS, per_class=1, jpeg_quality=75)
    subset = held(indices=rows, labels=train.labels[rows])
    made = jpeg_files(params, {"subset": subset}, context("jpeg_files"))
    assert made.arrays["labels"].tolist() == train.labels[rows].tolist()
    for row, image in zip(rows, made.arrays["images"], strict=True):
        file = io.BytesIO()
        Image.fromarray(train.images[row][..., 0]).save(file, "JPEG")  # Pillow's default: 75
        assert np.array_equal(image[..., 0], np.asarray(Image.open(file)))
        assert not np.array_equal(image, train.images[row])


@pytest.mark.parametrize(("side", "larger"), [(32, 36), (64, 73), (8, 9)])
def test_the_enlarged_view_is_torchvisions_resize_and_centre_crop(side: int, larger: int) -> None:
    images = torch.rand(2, 3, side, side, dtype=torch.float64, generator=torch.manual_seed(0))
    wanted = reference.center_crop(reference.resize(images, [larger]), [side])
    assert torch.allclose(enlarged(images), wanted, atol=1e-12)


def test_one_checkpoint_answers_two_views_otherwise() -> None:
    params = {"dataset": DATASET, "network": "convnet-digits", "per_class": 2, "mode": "eval"}
    inputs = {"images": chosen(per_class=2), "teacher": taught()}
    teacher = Classifier.stored(
        "convnet-digits", DATASET, "cpu", inputs["teacher"].tensors("weights")
    )
    rows = inputs["images"].array("indices")
    pixels = torch.from_numpy(sets.load(DATASET).train.images[rows]).permute(0, 3, 1, 2)
    normalised = (pixels.double() / 255 - 0.5) / 0.25
    larger = reference.center_crop(reference.resize(normalised, [9]), [8])
    for view, seen in (("whole", normalised), ("enlarged", larger)):
        made = soft_labels(
            SoftLabelsParams.model_validate(params | {"view": view}), inputs, context("x")
        )
        with torch.no_grad():
            wanted = teacher.network.eval()(seen)
        np.testing.assert_allclose(made.arrays["logits"], wanted, rtol=1e-9)
    many = DATASET.model_dump() | {"short_side": 10}
    with pytest.raises(ValidationError, match="an evaluation view of their own"):
        SoftLabelsParams.model_validate(params | {"dataset": many, "view": "enlarged"})
