"""Probes of the steps that a Distillation Correlation Score is made of."""

from __future__ import annotations

from harness.lab.measure.dcs.steps import BnLossParams, OodParams, RepeatParams
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
        momentum=0.1,
        crop_scale=(0.3, 1.0),
        first_layer_weight=10.0,
        variance_weight=11.0,
        bn_weight=0.01,
        cross_entropy=True,
        perturbation_steps=2,
        perturbation_size=0.3,
    )
    return Probe(params, {"images": chosen(per_class=5), "teacher": taught()})


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
