"""Tiling images from the patches that a teacher finds easiest (RDED, Sun et al. 2024).

With a pool chosen by CAD-Prune in place of random images, this is CA2D.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import model_validator

from harness.lab.distill.recover import Quality, Rounding
from harness.lab.probing import DATASET, NETWORK, chosen, taught
from harness.lab.recipe import Count, CropScale, CropsOf, NetworkParams, check_factor, passes
from harness.later import np, torch
from harness.plan.step import (
    Facts,
    Neutral,
    Probe,
    StepContext,
    StepInput,
    StepResult,
    Work,
    declare,
)


class StitchParams(NetworkParams):
    """The network is the teacher."""

    per_class: Count
    factor: Count
    """Each image is a grid of factor x factor patches."""
    crops: Count = 5
    """Random crops tried per source image."""
    crop_scale: CropScale
    jpeg_quality: Annotated[Quality, Neutral(0)] = 0
    rounding: Annotated[Rounding, Neutral("nearest")] = "nearest"
    """Nearest: the teacher judges the bytes that the student will get. Down (RDED's code): it
    judges the crop before its pixels are cut off to bytes."""
    train_resize: CropsOf = "256"

    @model_validator(mode="after")
    def _whole_patches(self) -> StitchParams:
        check_factor(self.factor, self.dataset)
        return self


def stitch(params: StitchParams, inputs: Mapping[str, StepInput], ctx: StepContext) -> StepResult:
    """Tile each image from factor x factor of the pool's easiest patches of its class.

    Every pool image offers its best of `crops` random square crops, shrunk to resolution / factor;
    the `per_class` x factor^2 easiest of a class are used, each once. Arrays for n = classes x
    `per_class` images, class by class:
    `images` uint8 (n, height, width, channels); `labels` int64 (n,); `sources` int64 (n, factor^2),
    rows of the training split; `boxes` int32 (n, factor^2, 4), top, left, height, width in the
    source. Cells are counted row by row. Draws: "crop" of `ctx`.
    Raises `UserError` if a class of the pool is too small.
    """

    from harness.lab.coresets.ranking import require_per_class
    from harness.lab.data import sets
    from harness.lab.data.pictures import through_jpeg
    from harness.lab.distill.patches import best_crops, tile
    from harness.lab.distill.synthesis import class_labels
    from harness.lab.models.classifier import Classifier
    from harness.lab.train.loop import Examples

    dataset, factor = params.dataset, params.factor
    train = sets.load(dataset).train
    pool, pool_labels = inputs["pool"].array("indices"), inputs["pool"].array("labels")
    wanted = params.per_class * factor**2
    require_per_class(pool_labels, dataset.classes, wanted, "the pool of stitch")
    teacher = Classifier.stored(
        params.network, dataset, ctx.device, inputs["teacher"].tensors("weights")
    )
    generator = torch.Generator().manual_seed(ctx.derive("crop"))
    made: dict[str, list[np.ndarray]] = {"images": [], "sources": [], "boxes": []}
    for label in range(dataset.classes):
        rows = pool[pool_labels == label]
        images = Examples.of(train, ctx.device, rows).images
        best = best_crops(teacher, images, torch.from_numpy(rows), label, params, generator)
        easiest = best.at(best.losses.argsort(stable=True)[:wanted])
        # Image i takes the patches of rank i, i + per_class, ...: one from each band of difficulty.
        order = torch.arange(wanted).view(factor**2, params.per_class).T
        made["images"].append(tile(easiest.pixels[order], factor).permute(0, 2, 3, 1).numpy())
        made["sources"].append(easiest.sources[order].numpy())
        made["boxes"].append(easiest.boxes[order].int().numpy())
        ctx.report((label + 1) / dataset.classes, f"class {label + 1} of {dataset.classes}")
    arrays = {name: np.concatenate(parts) for name, parts in made.items()}
    arrays["images"] = through_jpeg(arrays["images"], params.jpeg_quality)
    arrays["labels"] = class_labels(dataset, params.per_class)
    return StepResult({}, arrays)


def _work(p: StitchParams, facts: Facts) -> Work:
    """The pool is an input, so its size is a guess: RDED's 300 per class, or as many as needed."""
    pool = p.dataset.classes * max(300, p.per_class * p.factor**2)
    return passes(facts, p.network, p.dataset, 0, p.crops * min(pool, p.dataset.train_size))


STEPS = (
    declare(
        stitch,
        lambda: Probe(
            StitchParams(
                dataset=DATASET,
                network=NETWORK,
                per_class=1,
                factor=2,
                crops=3,
                crop_scale=(0.3, 1.0),
            ),
            {"pool": chosen(per_class=5), "teacher": taught()},
        ),
        _work,
        inputs=("pool", "teacher"),
    ),
)
