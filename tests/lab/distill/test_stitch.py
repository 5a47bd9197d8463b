"""Stitched images: every patch lies where it says, and is the one the teacher finds easiest."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from torchvision.transforms.v2 import functional as reference

from harness.errors import UserError
from harness.lab.data import sets
from harness.lab.distill.patches import tile
from harness.lab.distill.stitch import StitchParams, stitch
from harness.lab.distill.synthesis import rounded
from harness.lab.models.networks import build
from harness.plan.step import MemoryInput, StepResult
from tests.lab.fixtures import DIGITS, NETWORK, as_bytes, context, held

TRAIN = sets.load(DIGITS).train
POOL_SIZE = 20


def make(
    folder: Path, pool_size: int = POOL_SIZE, seed: int = 0, **params
) -> tuple[StepResult, torch.nn.Module]:
    """Stitch from the first images of each class, under an untrained teacher."""
    network = build(NETWORK, DIGITS, seed=3).double()
    state = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    save_file(state, folder / "weights.safetensors")
    rows = [np.flatnonzero(TRAIN.labels == label)[:pool_size] for label in range(10)]
    indices = np.concatenate(rows)
    settings = {"per_class": 3, "factor": 2, "crops": 4, "crop_scale": (0.1, 1.0)} | params
    made = stitch(
        StitchParams(dataset=DIGITS, network=NETWORK, **settings),
        {
            "pool": held(indices=indices, labels=TRAIN.labels[indices]),
            "teacher": MemoryInput(files={"weights": folder / "weights.safetensors"}),
        },
        context("stitch", seed),
    )
    return made, network.eval()


def cells(images: np.ndarray, factor: int) -> np.ndarray:
    """(n, side, side, c) to (n, factor^2, s, s, c), cut row by row."""
    size = images.shape[1] // factor
    return np.stack(
        [
            images[:, r * size : (r + 1) * size, c * size : (c + 1) * size]
            for r in range(factor)
            for c in range(factor)
        ],
        axis=1,
    )


@pytest.mark.parametrize("factor", [1, 2])
def test_every_patch_is_found_in_its_source_image(tmp_path: Path, factor: int) -> None:
    arrays = make(tmp_path, factor=factor)[0].arrays
    assert arrays["images"].shape == (30, 8, 8, 1)
    assert arrays["images"].dtype == np.uint8
    assert arrays["sources"].shape == (30, factor**2)
    assert arrays["boxes"].shape == (30, factor**2, 4)
    assert (arrays["sources"].dtype, arrays["boxes"].dtype) == (np.int64, np.int32)
    patches = cells(arrays["images"], factor)
    size = 8 // factor
    for image in range(30):
        for cell in range(factor**2):
            source = TRAIN.images[arrays["sources"][image, cell]]
            pixels = torch.from_numpy(source).permute(2, 0, 1).double()
            box = arrays["boxes"][image, cell].tolist()
            expected = reference.resized_crop(pixels, *box, [size, size], antialias=True)
            found = torch.from_numpy(patches[image, cell]).permute(2, 0, 1).double()
            assert (found - expected).abs().max() <= 0.5 + 1e-9


def test_boxes_are_square_and_in_scale(tmp_path: Path) -> None:
    boxes = make(tmp_path, crop_scale=(0.2, 0.6))[0].arrays["boxes"].reshape(-1, 4)
    assert (boxes[:, 2] == boxes[:, 3]).all()
    side = np.sqrt(64 * np.array([0.2, 0.6])).round()
    assert (boxes[:, 2] >= side[0]).all()
    assert (boxes[:, 2] <= side[1]).all()
    assert (boxes[:, :2] + boxes[:, 2:] <= 8).all()


def test_labels_and_sources_agree_and_no_image_is_used_twice(tmp_path: Path) -> None:
    arrays = make(tmp_path)[0].arrays
    assert arrays["labels"].tolist() == [label for label in range(10) for _ in range(3)]
    assert (TRAIN.labels[arrays["sources"]] == arrays["labels"][:, None]).all()
    assert len(np.unique(arrays["sources"])) == arrays["sources"].size


def test_patches_come_in_the_teachers_order_of_difficulty(tmp_path: Path) -> None:
    made, network = make(tmp_path)
    patches = torch.from_numpy(cells(made.arrays["images"], 2)).double() / 255
    # Independently of the code under test: normalised patches in the middle of zeros.
    inner = ((patches - 0.3053) / 0.3758).permute(0, 1, 4, 2, 3).reshape(-1, 1, 4, 4)
    padded = torch.zeros(len(inner), 1, 8, 8, dtype=torch.float64)
    padded[:, :, 2:6, 2:6] = inner
    with torch.no_grad():
        logits = network(padded).log_softmax(dim=1).view(10, 3, 4, 10)
    for label in range(10):
        # Rank of the patch in cell k of image i is k x images + i.
        losses = -logits[label, :, :, label].T.flatten()
        assert (losses.diff() >= -1e-9).all()


def test_with_one_crop_of_the_whole_image_the_easiest_images_are_kept_as_they_are(
    tmp_path: Path,
) -> None:
    made, network = make(tmp_path, factor=1, crops=1, crop_scale=(1.0, 1.0), per_class=5)
    sources = made.arrays["sources"][:, 0]
    assert np.array_equal(made.arrays["images"], TRAIN.images[sources])
    for label in range(10):
        rows = np.flatnonzero(TRAIN.labels == label)[:POOL_SIZE]
        pixels = torch.from_numpy(TRAIN.images[rows]).permute(0, 3, 1, 2).double() / 255
        with torch.no_grad():
            logits = network((pixels - 0.3053) / 0.3758)
        losses = -logits.log_softmax(dim=1)[:, label]
        expected = rows[losses.argsort().numpy()[:5]]
        assert sources[5 * label : 5 * label + 5].tolist() == expected.tolist()


def test_more_crops_never_make_the_chosen_patches_harder(tmp_path: Path) -> None:
    def mean_loss(crops: int) -> float:
        made, network = make(tmp_path, factor=1, crops=crops, per_class=POOL_SIZE)
        pixels = torch.from_numpy(made.arrays["images"]).permute(0, 3, 1, 2).double() / 255
        with torch.no_grad():
            logits = network((pixels - 0.3053) / 0.3758)
        labels = torch.from_numpy(made.arrays["labels"])
        return float(torch.nn.functional.cross_entropy(logits, labels))

    assert mean_loss(12) < mean_loss(1)


def test_tiling_is_row_by_row() -> None:
    patches = torch.arange(4, dtype=torch.uint8).view(1, 4, 1, 1, 1).expand(1, 4, 1, 2, 2)
    expected = [[0, 0, 1, 1], [0, 0, 1, 1], [2, 2, 3, 3], [2, 2, 3, 3]]
    assert tile(patches.contiguous(), 2)[0, 0].tolist() == expected


def test_a_pool_that_is_too_small_is_refused(tmp_path: Path) -> None:
    assert len(make(tmp_path, pool_size=12)[0].arrays["images"]) == 30
    with pytest.raises(UserError, match=r"12 examples per class are needed.*pool of stitch has 11"):
        make(tmp_path, pool_size=11)


def test_the_seed_decides_the_crops(tmp_path: Path, untouched_generators: None) -> None:
    first, again, other = (as_bytes(make(tmp_path, seed=seed)[0]) for seed in (0, 0, 1))
    assert first == again
    assert first["boxes"] != other["boxes"]


def test_pixels_that_are_cut_off_are_at_most_one_shade_darker(tmp_path: Path) -> None:
    """As RDED's code saves them; where all of the pool is used, the crops are the same."""
    settings = {"factor": 1, "crops": 1, "pool_size": 3, "crop_scale": (0.3, 0.6)}
    near, down = (make(tmp_path, rounding=way, **settings)[0].arrays for way in ("nearest", "down"))
    order = [np.lexsort((a["sources"][:, 0], a["labels"])) for a in (near, down)]
    darker = near["images"][order[0]].astype(int) - down["images"][order[1]]
    assert set(np.unique(darker)) == {0, 1}
    assert 0.2 < darker.mean() < 0.6


def test_bytes_by_hand() -> None:
    shown = torch.tensor([-3.0, 0.4, 0.5, 1.6, 254.9, 255.2, 300.0])
    assert rounded(shown, "nearest").tolist() == [0, 0, 0, 2, 255, 255, 255]
    assert rounded(shown, "down").tolist() == [0, 0, 0, 1, 254, 255, 255]
