"""Matching backbones by class too, from RDED's images (EDC, Shao et al. 2024).

The official commands leave the flatness of the loss out, and so do the defaults here.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Generator, Tensor
from torch.nn import functional

from harness.lab.distill.backbones.matched import Averages, Backbone, Look
from harness.lab.distill.backbones.moments import Moments
from harness.lab.distill.backbones.recovery import Batch, Matching
from harness.lab.distill.backbones.steps import EdcParams
from harness.lab.distill.pixels import Made, Start
from harness.plan.step import StepContext, StepInput, StepResult


def distill_edc(params: EdcParams, inputs: Mapping[str, StepInput], ctx: StepContext) -> StepResult:
    """As `distill_gvbsm`, but from given images, and matched to their classes too.

    The distance of statistics is that from the training split, by `1 - class_share`, and that from
    the mean over the labels of the batch of what was measured of their classes, by `class_share`.
    Images begin as those of the input `start`, each as its own, where the official code draws one
    of its class with replacement. Draws: "synthesis" of each batch.
    Raises `UserError` unless `start` holds as many images of each class as are to be made.
    """
    matching = Matching.of(params, inputs, ctx, by_class=True)
    start = Start.of(params.dataset, params.per_class, inputs["start"])

    def recover(batch: Batch) -> Made:
        first = start.at(batch.numbers, batch.labels, matching.backbones[0].classifier)
        smoothed = first.clone()
        classes = [class_targets(params, own, batch.labels) for own in matching.backbones]

        def loss(iteration: int, pixels: Tensor, drawn: Generator, averages: Averages) -> Tensor:
            shown = torch.cat([pixels, smoothed]) if params.flatness_weight else pixels
            views = matching.view(shown, drawn)
            seen = matching.looked(batch, iteration, views[: len(pixels)], averages, drawn)
            whole = seen.distance(seen.backbone.targets, params.first_layer_weight)
            own = seen.distance(classes[seen.number], params.first_layer_weight)
            matched = (1 - params.class_share) * whole + params.class_share * own
            total = functional.cross_entropy(seen.logits, batch.labels)
            total = total + params.statistics_weight * matched
            if params.flatness_weight:
                uneven = unevenness(seen, views[len(pixels) :], params.flatness_temperature)
                total = total + params.flatness_weight * uneven
                smoothed.lerp_(pixels.detach(), 1 - params.flatness_decay)
            return total

        return matching.descend(first, batch, loss, {"smoothed": smoothed})

    return matching.recovered(recover)


def class_targets(params: EdcParams, backbone: Backbone, labels: Tensor) -> dict[str, Moments]:
    """Means over labels (b,) of what was measured of their classes; `layer/kind` -> (groups,).

    The official code stores means of patches as variances and variances as means, and reads them
    so: `class_patches` "swapped".
    """
    targets = {}
    for key, (means, variances) in backbone.classes.items():
        own = means[labels].mean(dim=0), variances[labels].mean(dim=0)
        swapped = params.class_patches == "swapped" and key.endswith("/patch")
        targets[key] = (own[1], own[0]) if swapped else own
    return targets


def unevenness(seen: Look, calm: Tensor, temperature: float) -> Tensor:
    """How far the answer to a view is from that to the same view of the images' average.

    The Kullback-Leibler divergence from the latter, which is held fixed, both at `temperature`; its
    mean over images and classes, as in the official code. A scalar.
    """
    with torch.no_grad():
        fixed = (seen.backbone.classifier.answer(calm) / temperature).softmax(dim=1)
    ours = (seen.logits / temperature).log_softmax(dim=1)
    return functional.kl_div(ours, fixed, reduction="sum") / fixed.numel()
