"""D4M's algorithm: prototypes of each class among latents, and images made from them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor

from harness.errors import UserError
from harness.lab.data.prepared import Split
from harness.lab.data.resize import sizes_of
from harness.lab.distill.diffusion.generate import D4mParams
from harness.lab.distill.diffusion.pretrained import (
    AT_ONCE,
    as_pictures,
    encoded,
    kind,
    square,
)
from harness.lab.train.loop import Examples
from harness.plan.step import StepContext

CRANES = (134, 517)
"""Classes of the bird and of the machine, which WordNet calls the same."""


def prototypes(
    params: D4mParams, autoencoder: Any, train: Split, label: int, ctx: StepContext
) -> Tensor:
    """Centres of one class's latents (per_class, 4, h, w), by k-means in steps.

    Each step is given `cluster_expansion` latents for each centre, in float64 as the official code
    does; those of an incomplete last step are left out, as there (but for the one class of the
    image that comes last of all).
    """
    from sklearn.cluster import MiniBatchKMeans

    batch = params.cluster_expansion * params.per_class
    rows = np.flatnonzero(np.asarray(train.labels) == label)
    if len(rows) < batch:
        raise UserError(
            f"class {label} has {len(rows)} training images, but a step of k-means takes {batch}, "
            f"{params.cluster_expansion} for each of {params.per_class} prototypes; ask for fewer "
            "images a class, or a smaller cluster_expansion"
        )
    shuffled = np.random.default_rng(ctx.derive("order")).permutation(rows)
    drawn = Generator().manual_seed(ctx.derive("encode"))
    clusters = MiniBatchKMeans(
        params.per_class, random_state=ctx.derive("clusters") % 2**32, batch_size=batch
    )
    shape: torch.Size = torch.Size()
    steps = len(rows) // batch
    for step, chosen in enumerate(shuffled[: steps * batch].reshape(steps, batch)):
        ctx.report(step / steps / 2, f"prototypes of class {label}")
        found = torch.cat(list(_latents(params, autoencoder, train, chosen, ctx.device, drawn)))
        shape = found.shape[1:]
        clusters.partial_fit(found.double().flatten(1).cpu().numpy())
    centres = torch.from_numpy(clusters.cluster_centers_).view(-1, *shape)
    return centres.to(ctx.device, kind(params.precision))


def _latents(
    params: D4mParams,
    autoencoder: Any,
    train: Split,
    rows: np.ndarray,
    device: str,
    drawn: Generator,
) -> Iterator[Tensor]:
    """Latents of whole images, made square."""
    for some in np.array_split(rows, -(-len(rows) // AT_ONCE)):
        images = Examples.of(train, device, some).images
        sizes = sizes_of(images)
        whole = torch.cat([torch.zeros_like(sizes), sizes], dim=1)
        pixels = square(images, whole, params.side, device, params.precision)
        yield encoded(autoencoder, pixels, drawn)


def imagined(
    params: D4mParams, pipeline: Any, centres: Tensor, prompt: str, ctx: StepContext
) -> np.ndarray:
    """uint8 images (n, h, w, c): noise is added to each centre, and taken away step by step."""
    made = []
    for start in range(0, len(centres), AT_ONCE):
        ctx.report((1 + start / len(centres)) / 2, f"images of {prompt}")
        some = centres[start : start + AT_ONCE]
        numbers = range(start, start + len(some))
        answer = pipeline(
            prompt=[prompt] * len(some),
            negative_prompt=[params.negative_prompt] * len(some),
            image=some,
            strength=params.strength,
            guidance_scale=params.guidance,
            num_inference_steps=params.sampling_steps,
            generator=[Generator().manual_seed(ctx.derive(f"image-{n}")) for n in numbers],
            output_type="np",
        )
        made.append(as_pictures(answer.images, params.dataset))
    return np.concatenate(made)


def class_names(params: D4mParams) -> list[str]:
    """The prompts that the generator is given, one a class.

    Raises `UserError` where names are asked for and the classes are not those of ImageNet-1K.
    """
    classes = params.dataset.classes
    if params.prompts == "numbers":
        return [f"class {label}" for label in range(classes)]
    from timm.data.imagenet_info import ImageNetInfo

    known = ImageNetInfo("imagenet-1k")
    if known.num_classes() != classes:
        raise UserError(
            f"the {known.num_classes()} classes of ImageNet-1K have names, but data set "
            f"'{params.dataset.name}' has {classes}; choose prompts = \"numbers\""
        )
    names = [known.index_to_description(label) for label in range(classes)]
    cranes = ["crane, bird", "crane, machine"]
    for label in CRANES if params.prompts == "corrected" else CRANES[::-1]:
        names[label] = cranes.pop(0)
    return names
