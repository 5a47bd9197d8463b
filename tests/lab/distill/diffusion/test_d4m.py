"""D4M on a tiny random pipeline: latents, prototypes, and images made from them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sklearn.cluster  # noqa: F401 - its first import moves Python's own generator
import torch
from PIL import Image
from pydantic import ValidationError
from torch import Generator

from harness.errors import EvidenceError, UserError
from harness.lab.data import sets
from harness.lab.distill.diffusion import generate
from harness.lab.distill.diffusion import prototypes as algorithm
from harness.lab.distill.diffusion.generate import GUIDED, STEPS, TINY, D4mParams, distill_d4m
from harness.lab.distill.diffusion.pretrained import (
    as_pictures,
    autoencoder,
    decoded,
    encoded,
    normal,
    stable_diffusion,
)
from harness.lab.distill.diffusion.prototypes import class_names, imagined, prototypes
from harness.lab.probing import DATASET
from tests.lab.distill.diffusion.fixtures import MANY_SIZES, Identity, resized
from tests.lab.fixtures import as_bytes, context

pytest.importorskip("diffusers")
pytestmark = pytest.mark.usefixtures("untouched_generators")
TRAIN = sets.load(DATASET).train


def params(**fields: Any) -> D4mParams:
    return D4mParams.model_validate(generate.d4m_probe().params.model_dump() | fields)


def test_latents_are_drawn_from_the_posterior_and_scaled() -> None:
    network = autoencoder(TINY, "cpu", "float64")
    pixels = torch.rand((3, 3, 16, 16), generator=Generator().manual_seed(0), dtype=torch.float64)
    ours = encoded(network, pixels, Generator().manual_seed(1))
    posterior = network.encode(2 * pixels - 1).latent_dist
    assert ours.shape == (3, 4, 8, 8)
    spread = (ours / network.config.scaling_factor - posterior.mean) / posterior.std
    assert spread.mean().item() == pytest.approx(0, abs=0.15)
    assert spread.std().item() == pytest.approx(1, abs=0.15)
    back = decoded(network, ours)
    assert back.shape == pixels.shape
    assert ((back >= 0) & (back <= 1)).all()


def test_one_centre_is_the_mean_of_what_k_means_is_given() -> None:
    own = params(per_class=1, cluster_expansion=6, side=8)
    centre = prototypes(own, Identity(), TRAIN, 2, context("distill_d4m"))
    pixels = TRAIN.images[TRAIN.labels == 2].mean(axis=0)[..., 0] / 255
    expected = 4 * (2 * pixels - 1)
    assert centre.shape == (1, 3, 8, 8)
    assert np.allclose(centre[0, 0].numpy(), expected)


def test_as_many_centres_as_images_are_the_images() -> None:
    own = params(per_class=6, cluster_expansion=1, side=8)
    centres = prototypes(own, Identity(), TRAIN, 1, context("distill_d4m"))[:, 0].numpy()
    pixels = 4 * (2 * (TRAIN.images[TRAIN.labels == 1][..., 0] / 255) - 1)
    key = lambda image: image.round(9).tobytes()  # noqa: E731
    assert sorted(map(key, centres)) == sorted(map(key, pixels))


def test_an_incomplete_step_is_left_out() -> None:
    """Of six images in steps of four, two are never seen."""
    own = params(per_class=1, cluster_expansion=4, side=8)
    centre = prototypes(own, Identity(), TRAIN, 2, context("distill_d4m"))[0, 0].numpy()
    pixels = 4 * (2 * (TRAIN.images[TRAIN.labels == 2][..., 0] / 255) - 1)
    fours = [np.delete(pixels, (i, j), axis=0).mean(axis=0) for i in range(6) for j in range(i)]
    assert any(np.allclose(centre, four) for four in fours)


def test_a_class_with_too_few_images_is_refused_before_anything_is_run() -> None:
    with pytest.raises(ValidationError, match=r"takes 8 images.*the smallest class .* has 6"):
        params(per_class=4, cluster_expansion=2)


def test_images_of_many_sizes_are_read_whole() -> None:
    """One centre of a class of three is the mean of all three, each made square."""
    own = params(cluster_expansion=3, side=8)
    centre = prototypes(own, Identity(), MANY_SIZES, 1, context("distill_d4m"))[0]
    whole = [resized(MANY_SIZES.images.image(row), 8) for row in (3, 4, 5)]
    assert torch.allclose(centre / 4 / 2 + 0.5, torch.stack(whole).mean(dim=0), atol=1e-5)


def test_every_class_is_made_of_its_own_images_and_told_its_own_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read: list[int] = []
    told: list[str] = []

    def centres(own: D4mParams, network: Any, train: Any, label: int, ctx: Any) -> torch.Tensor:
        read.append(label)
        return torch.full((own.per_class, 4, 8, 8), float(label))

    def images(own: Any, pipeline: Any, given: Any, prompt: str, ctx: Any) -> np.ndarray:
        told.append(prompt)
        return np.full((len(given), 8, 8, 1), int(given[0, 0, 0, 0]), dtype=np.uint8)

    monkeypatch.setattr(algorithm, "prototypes", centres)
    monkeypatch.setattr(algorithm, "imagined", images)
    result = distill_d4m(params(per_class=2), {}, context("distill_d4m"))
    assert read == [0, 1, 2, 3]
    assert told == ["class 0", "class 1", "class 2", "class 3"]
    assert result.arrays["images"][:, 0, 0, 0].tolist() == result.arrays["labels"].tolist()


def test_an_image_takes_as_many_passes_as_its_cost_says() -> None:
    """Half of them guided; 36 of 50 steps at a strength of 0.7."""
    own, pipeline = params(sampling_steps=50), stable_diffusion(TINY, "cpu", "float64")
    rows: list[int] = []
    pipeline.unet.register_forward_pre_hook(lambda network, given: rows.append(len(given[0])))
    imagined(own, pipeline, torch.zeros(3, 4, 8, 8).double(), "tench", context("distill_d4m"))
    step = next(step for step in STEPS if step.name == "distill_d4m")
    images = 3
    counted = step.cost(own.model_copy(update={"per_class": images}), None).samples
    assert sum(rows) == images * GUIDED * 36
    assert counted == own.dataset.train_size + own.dataset.classes * sum(rows)


def test_images_are_those_of_diffusers_own_way_from_image_to_image() -> None:
    own, pipeline = params(per_class=2), stable_diffusion(TINY, "cpu", "float64")
    centres = normal(torch.empty(2, 4, 8, 8, dtype=torch.float64), Generator().manual_seed(2))
    ctx = context("distill_d4m")
    ours = imagined(own, pipeline, centres, "tench", ctx)
    for number in range(2):
        theirs = pipeline(
            prompt="tench",
            negative_prompt=own.negative_prompt,
            image=centres[number : number + 1],
            strength=own.strength,
            guidance_scale=own.guidance,
            num_inference_steps=own.sampling_steps,
            generator=Generator().manual_seed(ctx.derive(f"image-{number}")),
        ).images[0]
        small = np.asarray(theirs.resize((8, 8)).convert("L"))
        assert np.abs(ours[number, ..., 0].astype(int) - small).max() <= 1


def test_the_prompt_and_the_strength_matter() -> None:
    pipeline, ctx = stable_diffusion(TINY, "cpu", "float64"), context("distill_d4m")
    centres = torch.zeros(1, 4, 8, 8, dtype=torch.float64)
    one = imagined(params(strength=1.0, guidance=9.0), pipeline, centres, "tench", ctx)
    assert not np.array_equal(
        one, imagined(params(strength=1.0, guidance=9.0), pipeline, centres, "goldfish", ctx)
    )
    assert not np.array_equal(one, imagined(params(strength=0.4), pipeline, centres, "tench", ctx))


def test_it_leaves_as_many_images_of_every_class_as_asked_for() -> None:
    result = distill_d4m(params(per_class=2), {}, context("distill_d4m"))
    assert result.arrays["images"].shape == (8, 8, 8, 1)
    assert result.arrays["labels"].tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    again = distill_d4m(params(per_class=2), {}, context("distill_d4m"))
    assert as_bytes(result) == as_bytes(again)


def test_half_precision_runs_from_end_to_end() -> None:
    made = distill_d4m(params(precision="float16"), {}, context("distill_d4m")).arrays["images"]
    assert made.shape == (4, 8, 8, 1)
    assert made.std() > 5


def test_pictures_are_rounded_and_then_made_small_by_pillow() -> None:
    colour = DATASET.model_copy(update={"channels": 3})
    pixels = np.random.default_rng(1).random((2, 16, 16, 3))
    made = as_pictures(pixels, colour)
    whole = Image.fromarray(np.floor(pixels[1] * 255 + 0.5).astype(np.uint8))
    assert np.array_equal(made[1], np.asarray(whole.resize((8, 8))))
    grey = np.asarray(whole.resize((8, 8)).convert("L"))
    assert np.array_equal(as_pictures(pixels, DATASET)[1, ..., 0], grey)


def test_numbers_that_are_none_do_not_become_black() -> None:
    pixels = np.full((1, 16, 16, 3), 0.5)
    pixels[0, 3, 3, 1] = np.nan
    with pytest.raises(EvidenceError, match="not finite"):
        as_pictures(pixels, DATASET)


def test_classes_are_told_by_all_their_names() -> None:
    many = DATASET.model_copy(update={"classes": 1000, "smallest_class": 732}).model_dump()
    official = class_names(params(prompts="official", dataset=many))
    assert official[0] == "tench, Tinca tinca"
    assert official[673] == "mouse, computer mouse"
    assert official[726] == "plane, carpenter's plane, woodworking plane"
    assert (official[638], official[639]) == ("maillot", "maillot, tank suit")
    assert len(set(official)) == 1000
    # The bird is class 134, the machine 517.
    assert (official[134], official[517]) == ("crane, machine", "crane, bird")
    corrected = class_names(params(prompts="corrected", dataset=many))
    assert (corrected[134], corrected[517]) == ("crane, bird", "crane, machine")
    assert sum(a != b for a, b in zip(official, corrected, strict=True)) == 2
    with pytest.raises(UserError, match='has 4; choose prompts = "numbers"'):
        class_names(params(prompts="official"))


def test_a_generator_of_ones_own_is_read_from_the_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from harness.lab.distill.diffusion.tiny import tiny_folder

    monkeypatch.setenv("REPRO_DATA", str(tmp_path))
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights/mine").symlink_to(tiny_folder())
    named = distill_d4m(params(generator="mine"), {}, context("distill_d4m"))
    assert as_bytes(named) == as_bytes(distill_d4m(params(), {}, context("distill_d4m")))
