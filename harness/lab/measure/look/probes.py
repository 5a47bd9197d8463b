"""Probes of looking."""

from __future__ import annotations

from harness.lab.measure.look.steps import PicturesParams
from harness.lab.probing import DATASET, chosen
from harness.plan.step import Probe


def pictures() -> Probe:
    params = PicturesParams(dataset=DATASET, label=2, count=2)
    return Probe(params, {"images": chosen(per_class=3)})
