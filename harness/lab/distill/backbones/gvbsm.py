"""Generalised matching of several backbones' statistics (G-VBSM, Shao et al. 2024)."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Generator, Tensor
from torch.nn import functional

from harness.lab.distill.backbones.matched import Averages, densification
from harness.lab.distill.backbones.recovery import Batch, Matching
from harness.lab.distill.backbones.steps import GvbsmParams
from harness.lab.distill.pixels import Made, noise
from harness.plan.step import StepContext, StepInput, StepResult


def distill_gvbsm(
    params: GvbsmParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> StepResult:
    """Recover images from Gaussian noise by several backbones, one an iteration.

    Each descends its cross-entropy on a view, the distance of the statistics in its layers from
    those of the training split, and the densification of the classes of the batch. Inputs
    `teacher.0`, `statistics.0` and so on, in the order of `networks`. Record: see
    `Matching.recovered`. Draws: "first" and "synthesis" of each batch.
    Raises `UserError` if a backbone has no layer to match.
    """
    matching = Matching.of(params, inputs, ctx)

    def recover(batch: Batch) -> Made:
        def loss(iteration: int, pixels: Tensor, drawn: Generator, averages: Averages) -> Tensor:
            view = matching.view(pixels, drawn)
            seen = matching.looked(batch, iteration, view, averages, drawn)
            matched = seen.distance(seen.backbone.targets, params.first_layer_weight)
            dense = densification(view, batch.labels, params.densification_temperature)
            return (
                functional.cross_entropy(seen.logits, batch.labels)
                + params.statistics_weight * matched
                + params.densification_weight * dense
            )

        drawn = Generator().manual_seed(matching.part(batch).derive("first"))
        own = matching.backbones[0].classifier
        first = noise(own, len(batch.labels), params.dataset, drawn)
        return matching.descend(first, batch, loss)

    return matching.recovered(recover)
