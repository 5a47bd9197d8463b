"""Crops of the files as they were published, against what is cut out of them by hand."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms.v2 import functional as reference

from harness.errors import EvidenceError
from harness.lab.data import datasets, image_tree, prepared, sets
from harness.lab.data.ragged import PublishedFiles, Ragged
from harness.lab.data.resize import cut, sizes_of
from harness.lab.distill.backbones.methods import FeatureStatisticsParams
from harness.lab.distill.backbones.moments import augmented_views
from harness.lab.distill.patches import best_crops
from harness.lab.distill.stitch import StitchParams
from harness.lab.models.classifier import Classifier
from harness.lab.recipe import DatasetRef
from harness.lab.train.augment import RATIOS, boxes_within, crop_views, views
from harness.lab.train.loop import Examples
from harness.lab.train.student import StudentParams
from harness.lab.train.teacher import TeacherParams
from tests.lab.fixtures import DIGITS, HARD_LABELS, NETWORK, changed

NAME = "imagenet-mini"
SIZES = ((512, 512), (600, 520), (300, 512))


@pytest.fixture
def pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[np.ndarray]:
    """The images of the training split, published without loss: stripes one pixel wide first."""
    monkeypatch.setenv("REPRO_DATA", str(tmp_path))
    monkeypatch.setattr(image_tree.os, "sched_getaffinity", lambda _: {0})
    sets._loaded.cache_clear()
    random = np.random.default_rng(0)
    made = [random.integers(0, 256, (*size, 3), dtype=np.uint8) for size in SIZES]
    made[0] = np.broadcast_to(255 * (np.arange(512) % 2)[None, :, None], made[0].shape)
    for split, folder in (("train", "train"), ("val", "val")):
        place = datasets.published(NAME) / folder / "n01"
        place.mkdir(parents=True)
        for number, image in enumerate(made):
            name = f"n01_{number}.PNG" if split == "train" else f"val_{number}.PNG"
            Image.fromarray(np.ascontiguousarray(image, dtype=np.uint8)).save(place / name)
    datasets.prepare(NAME)
    return [np.asarray(image, dtype=np.uint8) for image in made]


def kept() -> Ragged:
    images = prepared.read(NAME).train.images
    assert isinstance(images, Ragged)
    return images


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def dataset(short_side: int = 256, resolution: int = 224) -> DatasetRef:
    fields = {"resolution": resolution, "channels": 3, "mean": (0.0,) * 3, "std": (1.0,) * 3}
    more = {"flip": False, "short_side": short_side}
    return DatasetRef.model_validate(DIGITS.model_dump() | fields | more)


def reader(resolution: int = 224) -> Classifier:
    return Classifier.fresh("mlp", dataset(resolution=resolution), "cpu", "float64", seed=0)


def test_stripes_of_one_pixel_are_there_in_the_file_and_grey_in_what_is_kept(
    pictures: list[np.ndarray],
) -> None:
    """By hand: 224 pixels cut out of the file at its own scale are 0, 255, 0, 255, ...

    Halved, each kept pixel is the mean of stripes by a triangle of half-width 2: weights 1/8, 3/8,
    3/8, 1/8 over two dark and two bright ones, so 127.5.
    """
    box = torch.tensor([[100, 10, 224, 224]])
    stripes = cut(kept().published[:1], box, 224, torch.float64)
    assert torch.equal(stripes, torch.tensor([0.0, 255.0]).repeat(112).expand(1, 3, 224, 224))
    grey = cut(kept()[:1], torch.tensor([[50, 5, 112, 112]]), 224, torch.float64)
    assert (grey[..., 1:-1] - 127.5).abs().max() <= 0.5


def test_crops_of_files_equal_torchvisions_of_the_decoded_pictures(
    pictures: list[np.ndarray],
) -> None:
    rows = torch.tensor([1, 1, 0, 2, 1])
    files = kept().published[rows]
    assert sizes_of(files).tolist() == [list(SIZES[row]) for row in rows.tolist()]
    boxes = boxes_within(files.sizes, (0.08, 1.0), RATIOS, generator())
    made = cut(files, boxes, 40, torch.float64)
    for view, row, box in zip(made, rows.tolist(), boxes.tolist(), strict=True):
        whole = torch.tensor(pictures[row]).permute(2, 0, 1).double()
        expected = reference.resized_crop(whole, *box, [40, 40], antialias=True)
        torch.testing.assert_close(view, expected)


def test_a_student_sees_crops_of_the_files_where_its_recipe_says_so(
    pictures: list[np.ndarray],
) -> None:
    whole = changed(HARD_LABELS, train_resize="none")
    seen = views(reader(), kept(), whole, 1, generator(3))
    boxes = boxes_within(torch.tensor(SIZES), (0.08, 1.0), RATIOS, generator(3))
    assert torch.equal(seen, cut(kept().published, boxes, 224, torch.float64) / 255)
    assert not torch.equal(seen, views(reader(), kept(), HARD_LABELS, 1, generator(3)))
    assert torch.equal(seen, crop_views(reader(), kept(), (0.08, 1.0), generator(3), "none"))


def test_patches_are_cut_out_of_the_files_where_that_is_asked_for(
    pictures: list[np.ndarray],
) -> None:
    fields = {"dataset": dataset(), "network": "mlp", "per_class": 1, "factor": 2, "crops": 3}
    params = StitchParams(**fields, crop_scale=(0.05, 0.2), train_resize="none")
    best = best_crops(reader(), kept(), torch.arange(3), 0, params, generator(1))
    for patch, source, box in zip(best.pixels, best.sources, best.boxes, strict=True):
        exact = cut(kept().published[[int(source)]], box[None], 112, torch.float64)
        assert torch.equal(patch, exact[0].round().to(torch.uint8))


def test_statistics_of_real_images_see_crops_of_the_files_where_that_is_asked_for(
    pictures: list[np.ndarray],
) -> None:
    fields = {"dataset": dataset(), "network": "mlp", "patch": 4, "by_class": True}
    fields |= {"augmentation": "rrc-flip", "crop_scale": (0.08, 1.0)}
    examples = Examples(kept(), torch.zeros(3, dtype=torch.int64))
    made = {}
    for resize in ("256", "none"):
        params = FeatureStatisticsParams.model_validate(fields | {"train_resize": resize})
        made[resize] = augmented_views(params, reader(), examples, torch.arange(3), generator(3))
    boxes = boxes_within(torch.tensor(SIZES), (0.08, 1.0), RATIOS, generator(3))
    assert torch.equal(made["none"], cut(kept().published, boxes, 224, torch.float64) / 255)
    assert not torch.equal(made["none"], made["256"])


def test_images_of_one_size_are_the_same_work_by_either_reading() -> None:
    whole = changed(HARD_LABELS, train_resize="none")
    for kind, more in ((StudentParams, {"per_class": 5}), (TeacherParams, {})):
        square = [
            kind(dataset=DIGITS, network=NETWORK, recipe=r, **more) for r in (HARD_LABELS, whole)
        ]
        assert square[0] == square[1]
        many = kind(dataset=dataset(), network=NETWORK, recipe=whole, **more)
        assert many.recipe.train_resize == "none"
    fields = {"network": NETWORK, "per_class": 1, "factor": 1, "crop_scale": (0.1, 1.0)}
    square = StitchParams(dataset=DIGITS, **fields, train_resize="none")
    assert square == StitchParams(dataset=DIGITS, **fields)


def test_a_file_that_is_another_now_is_refused(pictures: list[np.ndarray]) -> None:
    files = kept().published
    place = datasets.published(NAME) / "train" / "n01" / "n01_1.PNG"
    held = io.BytesIO()
    Image.fromarray(255 - pictures[1]).save(held, "PNG")
    place.write_bytes(held.getvalue())
    boxes = torch.tensor([[0, 0, 9, 9]] * 3)
    with pytest.raises(EvidenceError, match=r"n01_1\.PNG: not the file that the data set was"):
        list(files.crops(boxes))
    place.unlink()
    with pytest.raises(EvidenceError, match=r"n01_1\.PNG: not the file .*No such file"):
        _ = files.sizes


def test_a_set_that_was_prepared_before_says_what_to_do(pictures: list[np.ndarray]) -> None:
    (datasets.path(NAME) / "train_files.npy").unlink()
    with pytest.raises(EvidenceError, match=r"train_files\.npy: missing"):
        kept()
    bare = Ragged.packed(np.zeros(12, np.uint8), np.array([[2, 2]]))
    with pytest.raises(EvidenceError, match="prepare the data set again"):
        _ = bare.published


def test_no_more_pictures_are_decoded_at_once_than_is_said(
    pictures: list[np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Crops are handed over as they are made; those that nobody asked for are not decoded."""
    monkeypatch.setattr("harness.lab.data.ragged.AT_ONCE", 1)
    asked: list[int] = []
    cropped = PublishedFiles._cropped

    def counted(self: PublishedFiles, pairs: list) -> list:
        asked.append(len(pairs))
        return cropped(self, pairs)

    monkeypatch.setattr(PublishedFiles, "_cropped", counted)
    rows = torch.tensor([0, 0, 1, 2])
    crops = kept().published[rows].crops(torch.tensor([[0, 0, 5, 5]] * 4))
    next(crops), next(crops)
    assert asked == [2]
    assert len(list(crops)) == 2
    assert asked == [2, 1, 1]
