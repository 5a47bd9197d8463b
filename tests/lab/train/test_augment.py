"""Views against torchvision's, image by image, and against their laws."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare, kstest
from torchvision.transforms import RandomResizedCrop
from torchvision.transforms.v2 import functional as reference

from harness.lab.train.augment import (
    RATIOS,
    augment,
    boxes_within,
    crop_resize,
    mirror,
    patch_shuffle,
    random_boxes,
)
from tests.lab.fixtures import HARD_LABELS, changed


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(("side", "target"), [(8, 8), (8, 4), (17, 8), (9, 23)])
def test_crops_equal_torchvisions_on_the_same_boxes(side: int, target: int) -> None:
    pixels = torch.rand(40, 3, side, side, generator=generator(), dtype=torch.float64)
    boxes = random_boxes(40, side, (0.05, 1.0), (0.5, 2.0), generator(1))
    expected = torch.stack(
        [
            reference.resized_crop(image, *box, [target, target], antialias=True)
            for image, box in zip(pixels, boxes.tolist(), strict=True)
        ]
    )
    torch.testing.assert_close(crop_resize(pixels, boxes, target), expected)


def test_the_whole_image_at_its_own_size_is_itself() -> None:
    pixels = torch.rand(3, 1, 8, 8, generator=generator(), dtype=torch.float64)
    whole = torch.tensor([[0, 0, 8, 8]]).expand(3, 4)
    assert torch.equal(crop_resize(pixels, whole, 8), pixels)


@given(
    side=st.integers(1, 40),
    low=st.floats(0.01, 1),
    high=st.floats(0.01, 1),
    seed=st.integers(0, 2**32),
)
def test_boxes_lie_inside_the_image(side: int, low: float, high: float, seed: int) -> None:
    scale = min(low, high), max(low, high)
    top, left, height, width = random_boxes(20, side, scale, RATIOS, generator(seed)).T
    assert (height >= 1).all()
    assert (width >= 1).all()
    assert (top >= 0).all()
    assert (left >= 0).all()
    assert (top + height <= side).all()
    assert (left + width <= side).all()


def test_areas_and_ratios_follow_their_laws() -> None:
    # Large enough for rounding not to matter, small enough a scale for every first draw to fit.
    boxes = random_boxes(4000, 4000, (0.1, 0.4), RATIOS, generator()).double()
    top, left, height, width = boxes.T
    area = (height * width / 4000**2).numpy()
    assert kstest(area, "uniform", args=(0.1, 0.3)).pvalue > 0.01
    low, high = np.log(RATIOS)
    ratio = torch.log(width / height).numpy()
    assert kstest(ratio, "uniform", args=(low, high - low)).pvalue > 0.01
    assert kstest((top / (4000 - height + 1)).numpy(), "uniform").pvalue > 0.01
    assert kstest((left / (4000 - width + 1)).numpy(), "uniform").pvalue > 0.01


@pytest.mark.parametrize(("height", "width"), [(8, 8), (10, 3), (4, 40), (7, 5)])
def test_a_crop_that_never_fits_is_the_one_that_torchvision_takes(height: int, width: int) -> None:
    sizes = torch.tensor([[height, width]] * 3)
    for ratios in (RATIOS, (3.0, 4.0), (0.2, 0.3)):
        # No crop has twice the area of the image.
        made = boxes_within(sizes, (2.0, 2.0), ratios, generator())
        image = torch.zeros(3, height, width)
        expected = RandomResizedCrop.get_params(image, [2.0, 2.0], list(ratios))
        assert made.tolist() == [list(expected)] * 3


def test_crops_of_images_of_many_sizes_lie_inside_them_and_follow_the_same_law() -> None:
    sizes = torch.tensor([[3000, 4000], [4000, 3000], [3500, 3500]]).repeat(1500, 1)
    top, left, height, width = boxes_within(sizes, (0.1, 0.4), RATIOS, generator()).T
    assert (top + height <= sizes[:, 0]).all()
    assert (left + width <= sizes[:, 1]).all()
    share = (height * width / sizes.prod(dim=1)).double().numpy()
    assert kstest(share, "uniform", args=(0.1, 0.3)).pvalue > 0.01


def test_mirror_equals_torchvisions_on_the_chosen_images() -> None:
    pixels = torch.rand(4, 3, 5, 5, generator=generator())
    made = mirror(pixels, torch.tensor([True, False, True, False]))
    for row, image in enumerate(pixels):
        expected = reference.horizontal_flip(image) if row % 2 == 0 else image
        assert torch.equal(made[row], expected)


def test_half_of_the_images_are_mirrored_and_none_where_the_class_forbids_it() -> None:
    pixels = torch.arange(8.0).expand(2000, 1, 8, 8)
    uncropped = changed(HARD_LABELS, crop_scale=(1.0, 1.0))
    rises = (augment(pixels, uncropped, True, 1, generator())[:, 0, 0].diff(dim=-1) > 0).all(-1)
    assert 0.45 < rises.double().mean() < 0.55
    kept = augment(pixels, uncropped, False, 1, generator())
    assert (kept[:, 0, 0].diff(dim=-1) > 0).all()


def test_no_augmentation_is_the_identity() -> None:
    pixels = torch.rand(4, 3, 8, 8, generator=generator())
    plain = changed(HARD_LABELS, augmentation="none")
    assert torch.equal(augment(pixels, plain, True, 1, generator()), pixels)


def test_patch_shuffle_of_factor_two_has_four_equally_likely_outcomes() -> None:
    image = torch.arange(36.0).view(1, 6, 6)
    rows, columns = image.roll(3, dims=1), image.roll(3, dims=2)
    outcomes = [image, rows, columns, rows.roll(3, dims=2)]
    made = patch_shuffle(image.expand(4000, 1, 6, 6), 2, generator())
    counts = [int((made == outcome).flatten(1).all(dim=1).sum()) for outcome in outcomes]
    assert sum(counts) == 4000
    assert chisquare(counts).pvalue > 0.01


@given(factor=st.sampled_from([1, 2, 3, 4]), seed=st.integers(0, 2**32))
def test_patch_shuffle_moves_whole_strips(factor: int, seed: int) -> None:
    image = torch.arange(144.0).view(1, 1, 12, 12)
    made = patch_shuffle(image, factor, generator(seed))[0, 0]
    size = 12 // factor
    # Row r and column c of the result are one row and one column of the source throughout.
    rows, columns = made[:, 0] // 12, made[0] % 12
    assert torch.equal(made, rows[:, None] * 12 + columns)
    for line in (rows, columns):
        strips = line.view(factor, size)
        assert torch.equal(strips - strips[:, :1], torch.arange(size).expand(factor, size) * 1.0)
        assert sorted(strips[:, 0].tolist()) == [size * k for k in range(factor)]


def test_images_of_a_batch_draw_their_own_views() -> None:
    pixels = torch.rand(1, 1, 8, 8, generator=generator()).expand(16, 1, 8, 8)
    views = augment(pixels, HARD_LABELS, True, 2, generator())
    assert len(torch.unique(views, dim=0)) > 12
