"""Probes of the steps that a Distillation Correlation Score is made of."""

from __future__ import annotations

import numpy as np

from harness.lab.distill.matching import MATCHED
from harness.lab.distill.trajectories import made_up_experts as passed
from harness.lab.measure.dcs.steps import (
    BnLossParams,
    DcLossParams,
    DmLossParams,
    OodParams,
    RepeatParams,
    SynthesisPathParams,
    TmLossParams,
)
from harness.lab.probing import DATASET, NETWORK, RECIPE, chosen, taught
from harness.plan.step import MemoryInput, Probe


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
    "dsa_strategy": "color_scale",
    "precision": "float64",
}
RANDOM_NETWORKS = MATCHING | {"networks": 2, "real_batch_size": 5}


def dm_loss() -> Probe:
    params = DmLossParams(**RANDOM_NETWORKS, norms="initial", means="per-class")
    return Probe(params, {"images": chosen(per_class=3)})


def dc_loss() -> Probe:
    params = DcLossParams(
        **RANDOM_NETWORKS,
        norms="batch",
        outer_loops=2,
        inner_loops=2,
        learning_rate=0.1,
        batch_size=8,
        distance="cosine-rows",
    )
    return Probe(params, {"images": chosen(per_class=3)})


def tm_loss() -> Probe:
    params = TmLossParams(
        **MATCHING | {"network": MATCHED},
        starts=(0, 1),
        t_minus=1,
        t_plus=2,
        n=3,
        m=2,
        experts=2,
        learning_rate=0.05,
        batch_size=5,
    )
    return Probe(params, {"images": chosen(per_class=3), "experts": passed()})


def synthesis_path() -> Probe:
    losses = 1 / (3 + np.arange(12.0))
    inputs = {
        f"synthesis.{k}": MemoryInput(held={"losses": losses[:n]}) for k, n in enumerate((1, 12))
    }
    inputs |= {f"student.{k}": MemoryInput({"accuracy": 0.25 + 0.125 * k}) for k in range(2)}
    return Probe(SynthesisPathParams(iterations=(1, 12)), inputs)


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
