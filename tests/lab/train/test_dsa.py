"""DSA against cases computed by hand, and both of its seed semantics."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import pytest
import torch
from torch import Tensor

from harness.errors import UserError
from harness.lab.train import dsa as operations
from harness.lab.train.dsa import GROUPS, Independent, Siamese, dsa, groups

STRATEGY = "color_crop_cutout_flip_scale_rotate"


@dataclass
class Fixed:
    """Draws that are written down: one row of numbers for each draw."""

    rows: list[list[float]]
    asked: list[tuple[int, int]] = field(default_factory=list)

    def uniform(self, count: int) -> Tensor:
        return torch.tensor(self.rows.pop(0), dtype=torch.float32)[:count]

    def integer(self, low: int, high: int, count: int) -> Tensor:
        self.asked.append((low, high))
        return torch.tensor(self.rows.pop(0), dtype=torch.int64)[:count]


def pictures(count: int = 2, side: int = 8, channels: int = 3) -> Tensor:
    values = np.random.default_rng(0).normal(size=(count, channels, side, side))
    return torch.from_numpy(values)


def test_colours_by_hand() -> None:
    x = pictures()
    bright = operations.brightness(x, Fixed([[0.0, 0.75]]))
    torch.testing.assert_close(bright, torch.stack([x[0] - 0.5, x[1] + 0.25]))
    grey = operations.saturation(x, Fixed([[0.0, 1.0]]))
    torch.testing.assert_close(grey[0], x[0].mean(0, keepdim=True).expand(3, 8, 8))
    torch.testing.assert_close(grey[1], 2 * x[1] - x[1].mean(0))
    flat = operations.contrast(x, Fixed([[0.5, 0.0]]))
    torch.testing.assert_close(flat[0], x[0])
    torch.testing.assert_close(flat[1], (x[1] + x[1].mean()) / 2)


def test_crop_shifts_rows_first_and_fills_with_zero() -> None:
    x, draws = pictures(), Fixed([[1, 0], [-1, 0]])
    moved = operations.crop(x, draws)
    expected = torch.zeros_like(x[0])
    expected[:, :7, 1:] = x[0][:, 1:, :7]
    torch.testing.assert_close(moved[0], expected)
    torch.testing.assert_close(moved[1], x[1])
    # An eighth of 8 is 1, of 32 is 4: the bounds are inclusive.
    assert draws.asked == [(-1, 2)] * 2
    draws = Fixed([[4], [4]])
    operations.crop(pictures(1, 32), draws)
    assert draws.asked == [(-4, 5)] * 2


def test_cutout_by_brute_force_at_every_centre() -> None:
    side, size = 8, 4
    x = torch.ones(1, 1, side, side)
    for row in range(side + 1):
        for column in range(side + 1):
            draws = Fixed([[row], [column]])
            ours = operations.cutout(x, draws)
            expected = np.ones((side, side))
            for i in range(size):
                for j in range(size):
                    expected[
                        np.clip(i + row - size // 2, 0, side - 1),
                        np.clip(j + column - size // 2, 0, side - 1),
                    ] = 0
            np.testing.assert_array_equal(ours[0, 0], expected)
            # An even square's centre may lie on either border.
            assert draws.asked == [(0, side + 1)] * 2


def test_flip_mirrors_below_one_half() -> None:
    x = pictures()
    ours = operations.flip(x, Fixed([[0.49, 0.5]]))
    torch.testing.assert_close(ours, torch.stack([x[0].flip(2), x[1]]))


def bilinear(image: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """One channel sampled where `matrix` sends each pixel's centre, outside zero."""
    side = len(image)
    out = np.zeros_like(image)
    for i in range(side):
        for j in range(side):
            centre = np.array([(2 * j + 1) / side - 1, (2 * i + 1) / side - 1])
            column, row = ((matrix @ centre + 1) * side - 1) / 2
            for r in (math.floor(row), math.floor(row) + 1):
                for c in (math.floor(column), math.floor(column) + 1):
                    if 0 <= r < side and 0 <= c < side:
                        out[i, j] += image[r, c] * (1 - abs(row - r)) * (1 - abs(column - c))
    return out


def test_scale_and_rotation_by_brute_force() -> None:
    x = pictures(1)
    ours = operations.scale(x, Fixed([[0.0], [1.0]]))[0, 1].numpy()
    expected = bilinear(x[0, 1].numpy(), np.diag([1 / 1.2, 1.2]))
    np.testing.assert_allclose(ours, expected, atol=1e-5)
    turned = operations.rotate(x, Fixed([[1.0]]))[0, 2].numpy()
    cos, sin = math.cos(math.radians(15)), math.sin(math.radians(15))
    matrix = np.array([[cos, -sin], [sin, cos]])
    np.testing.assert_allclose(turned, bilinear(x[0, 2].numpy(), matrix), atol=1e-5)


def test_one_group_is_drawn_for_the_batch_and_all_come_in_order() -> None:
    x, names = pictures(), groups(STRATEGY, flip=True)
    # Group 3 is the flip; only its own draw follows.
    ours = dsa(x, names, "one", Fixed([[3], [0.0, 0.0]]))
    torch.testing.assert_close(ours, x.flip(3))
    both = dsa(x, ["flip", "color"], "all", Fixed([[0, 0], [0.75] * 2, [0.5] * 2, [0.5] * 2]))
    torch.testing.assert_close(both, x.flip(3) + 0.25)


def test_independent_images_differ_and_siamese_ones_do_not() -> None:
    x = pictures(1).expand(6, -1, -1, -1)
    names = ["color"]
    apart = dsa(x, names, "all", Independent(torch.Generator().manual_seed(0)))
    together = dsa(x, names, "all", Siamese(5))
    assert len({image.numpy().tobytes() for image in apart}) == 6
    assert len({image.numpy().tobytes() for image in together}) == 1


@pytest.mark.parametrize("count", [2, 7, 40])
def test_a_siamese_seed_means_the_same_for_every_size_of_batch(count: int) -> None:
    one = dsa(pictures(1), groups(STRATEGY, True), "all", Siamese(11))
    many = dsa(pictures(1).expand(count, -1, -1, -1), groups(STRATEGY, True), "all", Siamese(11))
    torch.testing.assert_close(many, one.expand(count, -1, -1, -1))


def test_siamese_seeds_run_on_by_one_a_draw() -> None:
    """The group uses the seed itself, its operations those after it; scale consumes two."""

    def first(seed: int) -> float:
        return torch.rand(1, generator=torch.Generator().manual_seed(seed)).item()

    x = pictures(3)
    draws = Siamese(20)
    ours = dsa(x, ["scale"], "one", draws)
    sx, sy = (first(seed) * (1.2 - 1 / 1.2) + 1 / 1.2 for seed in (21, 22))
    expected = np.stack([bilinear(im.numpy(), np.diag([sx, sy])) for im in x[:, 0]])
    np.testing.assert_allclose(ours[:, 0].numpy(), expected, atol=1e-5)
    assert draws.seed == 23


def test_an_official_batch_draws_what_its_first_image_draws_alone() -> None:
    """Drawing for n images after a seed gives the first what drawing for one gives it."""
    for seed in range(20):
        whole = torch.rand(100, generator=torch.Generator().manual_seed(seed))
        assert whole[0] == Siamese(seed).uniform(100)[0]
        whole = torch.randint(-4, 5, (100,), generator=torch.Generator().manual_seed(seed))
        assert whole[0] == Siamese(seed).integer(-4, 5, 100)[0]


def test_groups_are_checked_and_digits_are_not_mirrored() -> None:
    assert groups(STRATEGY, flip=False) == ["color", "crop", "cutout", "scale", "rotate"]
    assert set(groups(STRATEGY, flip=True)) == set(GROUPS)
    with pytest.raises(UserError, match="no group 'colour'; did you mean 'color'"):
        groups("colour_crop", flip=True)
