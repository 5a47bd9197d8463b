"""How far the mean features of a subset are from those of real images (DM)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from harness.lab.distill import objectives
from harness.lab.measure.dcs.random_networks import Matched, random_networks
from harness.lab.measure.dcs.steps import DmLossParams
from harness.plan.step import StepContext, StepInput, StepResult


def dm_loss(params: DmLossParams, inputs: Mapping[str, StepInput], ctx: StepContext) -> StepResult:
    """Squared distance of mean features before the last layer, mean over random networks.

    Per class and added up (Zhao and Bilen 2023, official code), or of the whole set (supplement,
    Equation 5). Value `loss`; array `losses` (networks,), float64.
    Draws: those of `random_networks`.
    """
    losses = [
        distance(matched, params.means).item()
        for matched in random_networks(params, inputs["images"], ctx)
    ]
    return StepResult({"loss": float(np.mean(losses))}, {"losses": np.array(losses)})


@torch.no_grad()
def distance(matched: Matched, means: str) -> Tensor:
    """The loss in one network."""
    network = matched.classifier.network
    pairs = [
        (objectives.embedding(network, real), objectives.embedding(network, own))
        for real, own in matched.pairs()
    ]
    if means == "whole-set":
        real, own = (torch.cat(side) for side in zip(*pairs, strict=True))
        return objectives.dm_loss(real, own)
    return torch.stack([objectives.dm_loss(real, own) for real, own in pairs]).sum()
