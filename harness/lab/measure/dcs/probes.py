"""Probes of the steps that a Distillation Correlation Score is made of."""

from __future__ import annotations

from harness.lab.measure.dcs.steps import (
    BnLossParams,
    DcLossParams,
    DmLossParams,
    OodParams,
    RepeatParams,
)
from harness.lab.probing import DATASET, NETWORK, RECIPE, chosen, taught
from harness.plan.step import Probe


def repeat() -> Probe:
    return Probe(RepeatParams(dataset=DATASET, per_class=5), {"images": chosen(per_class=4)})


def bn_loss() -> Probe:
    params = BnLossParams(
        dataset=DATASET,
        network=NETWORK,
        per_class=5,
        variance="unbiased",
        aggregation="running",
        batch_size=8,
        batches="class-mixed",
        momentum=0.1,
        augmentation="rrc-flip",
        crop_scale=(0.3, 1.0),
        first_layer_weight=10.0,
        variance_weight=11.0,
        bn_weight=0.01,
        cross_entropy=True,
        perturbation_iterations=2,
        perturbation_size=0.3,
    )
    return Probe(params, {"images": chosen(per_class=5), "teacher": taught()})


MATCHING = {
    "dataset": DATASET,
    "network": NETWORK,
    "per_class": 3,
    "networks": 2,
    "real_batch_size": 5,
    "dsa_strategy": "color_scale",
    "precision": "float64",
}


def dm_loss() -> Probe:
    params = DmLossParams(**MATCHING, norms="initial", means="per-class")
    return Probe(params, {"images": chosen(per_class=3)})


def dc_loss() -> Probe:
    params = DcLossParams(
        **MATCHING,
        norms="batch",
        outer_loops=2,
        inner_loops=2,
        learning_rate=0.1,
        batch_size=8,
        distance="cosine-rows",
    )
    return Probe(params, {"images": chosen(per_class=3)})


def student_ood() -> Probe:
    params = OodParams(
        dataset=DATASET,
        network=NETWORK,
        recipe=RECIPE,
        per_class=5,
        corruptions=("gaussian-noise", "gaussian-blur", "contrast", "brightness", "pixelate"),
        severities=(1, 5),
    )
    return Probe(params, {"images": chosen(per_class=5)})
