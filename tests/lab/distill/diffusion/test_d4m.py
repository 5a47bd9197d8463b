"""D4M on a tiny random pipeline: latents, prototypes, and images made from them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sklearn.cluster  # noqa: F401 - its first import moves Python's own generator
import torch
from torch import Generator
from torchvision.models import ResNet50_Weights

from harness.errors import UserError
from harness.lab.data import sets
from harness.lab.distill.diffusion import probes
from harness.lab.distill.diffusion.d4m import class_names, distill_d4m, imagined, prototypes
from harness.lab.distill.diffusion.latents import as_pictures, decoded, encoded, normal
from harness.lab.distill.diffusion.pretrained import autoencoder, stable_diffusion
from harness.lab.distill.diffusion.steps import D4mParams
from harness.lab.distill.diffusion.tiny import TINY
from harness.lab.probing import DATASET
from tests.lab.fixtures import as_bytes, context

pytest.importorskip("diffusers")
pytestmark = pytest.mark.usefixtures("untouched_generators")
TRAIN = sets.load(DATASET).train


def params(**fields: Any) -> D4mParams:
    return D4mParams.model_validate(probes.distill_d4m().params.model_dump() | fields)


class Identity:
    """An autoencoder whose latents are the pixels themselves, four times as large."""

    class config:
        scaling_factor = 4.0

    def encode(self, shown: torch.Tensor) -> Any:
        class Posterior:
            mean, std = shown, torch.zeros_like(shown)

        class Answer:
            latent_dist = Posterior

        return Answer


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


def test_a_class_with_too_few_images_is_refused() -> None:
    with pytest.raises(UserError, match="class 0 has 6 training images, but a step of k-means"):
        distill_d4m(params(per_class=4, cluster_expansion=2), {}, context("distill_d4m"))


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


def test_half_precision_works_where_k_means_knows_none() -> None:
    result = distill_d4m(params(precision="float16"), {}, context("distill_d4m"))
    assert result.arrays["images"].shape == (4, 8, 8, 1)


def test_pictures_are_rounded_and_then_made_small_by_pillow() -> None:
    flat = np.full((1, 16, 16, 3), 0.5)
    assert (as_pictures(flat, DATASET) == 128).all()
    colour = DATASET.model_copy(update={"channels": 3})
    assert as_pictures(flat, colour).shape == (1, 8, 8, 3)


def test_torchvision_tells_the_two_cranes_apart() -> None:
    many = DATASET.model_copy(update={"classes": 1000})
    names = class_names(params(prompts="torchvision", dataset=many.model_dump()))
    assert len(set(names)) == 1000
    assert (names[134], names[517]) == ("crane bird", "crane")
    assert names == ResNet50_Weights.IMAGENET1K_V2.meta["categories"]
    with pytest.raises(UserError, match='has 4; choose prompts = "numbers"'):
        class_names(params(prompts="torchvision"))


def test_a_generator_of_ones_own_is_read_from_the_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from harness.lab.distill.diffusion.tiny import tiny_folder

    monkeypatch.setenv("REPRO_DATA", str(tmp_path))
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights/mine").symlink_to(tiny_folder())
    named = distill_d4m(params(generator="mine"), {}, context("distill_d4m"))
    assert as_bytes(named) == as_bytes(distill_d4m(params(), {}, context("distill_d4m")))
