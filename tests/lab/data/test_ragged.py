"""Images of many sizes: the same memory whatever is chosen, and views equal to torchvision's."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms.v2 import functional as reference

from harness.lab.data.ragged import Ragged
from harness.lab.data.resize import cut, evaluation_view
from harness.lab.models.classifier import Classifier
from harness.lab.recipe import DatasetRef
from harness.lab.train.augment import RATIOS, boxes_within, views
from tests.lab.fixtures import DIGITS, HARD_LABELS, changed

SIZES = ((20, 31), (40, 20), (20, 20), (90, 20), (23, 61))


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def originals() -> list[np.ndarray]:
    random = np.random.default_rng(0)
    return [random.integers(0, 256, (*size, 3), dtype=np.uint8) for size in SIZES]


@pytest.fixture
def ragged(originals: list[np.ndarray]) -> Ragged:
    pixels = np.concatenate([image.ravel() for image in originals])
    return Ragged.packed(pixels, np.array(SIZES, dtype=np.int32))


def chw(image: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(image).permute(2, 0, 1).double()


def test_rows_in_any_order_share_the_memory(ragged: Ragged, originals: list[np.ndarray]) -> None:
    chosen = ragged[torch.tensor([3, 0, 3])]
    assert chosen.pixels.data_ptr() == ragged.pixels.data_ptr()
    assert [len(part) for part in ragged.split(2)] == [2, 2, 1]
    assert chosen.bytes == 3 * (90 * 20 * 2 + 20 * 31)
    for row, source in enumerate((3, 0, 3)):
        assert np.array_equal(chosen.image(row).numpy(), originals[source])


def test_a_copy_on_another_device_holds_these_images_alone(
    ragged: Ragged, originals: list[np.ndarray]
) -> None:
    chosen = ragged[np.array([4, 1])]
    assert chosen.on("cpu") is chosen
    # The one other device that every machine has keeps shapes and no numbers.
    assert chosen.on("meta").pixels.shape == (23 * 61 + 40 * 20, 3)
    assert chosen.on("meta").starts.tolist() == [0, 23 * 61]


def test_crops_equal_torchvisions_on_the_same_boxes(
    ragged: Ragged, originals: list[np.ndarray]
) -> None:
    rows = torch.arange(len(ragged)).repeat(20)
    boxes = boxes_within(ragged[rows].sizes, (0.05, 1.0), RATIOS, generator())
    made = cut(ragged[rows], boxes, 17, torch.float64)
    for view, row, box in zip(made, rows.tolist(), boxes.tolist(), strict=True):
        expected = reference.resized_crop(chw(originals[row]), *box, [17, 17], antialias=True)
        torch.testing.assert_close(view, expected)


@pytest.mark.parametrize("side", [14, 21, 28])
def test_the_evaluation_view_is_resize_and_centre_crop(
    ragged: Ragged, originals: list[np.ndarray], side: int
) -> None:
    made = evaluation_view(ragged, side, torch.float64)
    for view, image in zip(made, originals, strict=True):
        resized = reference.resize(chw(image), [side * 8 // 7], antialias=True)
        torch.testing.assert_close(view, reference.center_crop(resized, [side, side]))


def test_images_of_the_right_size_are_only_cut_out(originals: list[np.ndarray]) -> None:
    pictures = [Image.fromarray(image) for image in originals]
    sized = [np.array(reference.resize(picture, [32])) for picture in pictures]
    ragged = Ragged.packed(
        np.concatenate([image.ravel() for image in sized]),
        np.array([image.shape[:2] for image in sized]),
    )
    made = evaluation_view(ragged, 28, torch.float32)
    for view, image in zip(made, sized, strict=True):
        expected = reference.center_crop(chw(image), [28, 28]).float()
        assert torch.equal(view, expected)


def reader() -> Classifier:
    fields = {"resolution": 24, "channels": 3, "mean": (0.5,) * 3, "std": (0.25,) * 3}
    dataset = DatasetRef.model_validate(DIGITS.model_dump() | fields | {"flip": True})
    return Classifier.fresh("mlp", dataset, "cpu", "float64", seed=0)


def test_square_images_of_one_size_have_the_views_that_arrays_of_them_have() -> None:
    images = np.random.default_rng(1).integers(0, 256, (6, 24, 24, 3), dtype=np.uint8)
    ragged = Ragged.packed(images.ravel(), np.full((6, 2), 24))
    plain = torch.from_numpy(images).permute(0, 3, 1, 2)
    mixed = {"augmentation": "rrc-flip-cutmix", "labels": "online", "loss": "kl"}
    for fields in ({}, mixed | {"cutmix_alpha": 1.0}):
        recipe = changed(HARD_LABELS, **fields)
        made, expected = (
            views(reader(), given, recipe, 1, generator(2)) for given in (ragged, plain)
        )
        torch.testing.assert_close(made, expected)


def test_without_crops_the_network_sees_the_evaluation_view(ragged: Ragged) -> None:
    plain = changed(HARD_LABELS, augmentation="none")
    seen = views(reader(), ragged, plain, 1, generator())
    assert torch.equal(seen, reader().shown(ragged))
    torch.testing.assert_close(
        seen, (evaluation_view(ragged, 24, torch.float64) / 255 - 0.5) / 0.25
    )
