"""Probes of the steps that make images."""

from __future__ import annotations

from harness.lab.distill.steps import StitchParams
from harness.lab.probing import DATASET, NETWORK, chosen, taught
from harness.plan.step import Probe


def stitch() -> Probe:
    params = StitchParams(
        dataset=DATASET, network=NETWORK, per_class=1, factor=2, crops=3, crop_scale=(0.3, 1.0)
    )
    return Probe(params, {"pool": chosen(per_class=5), "teacher": taught()})
