"""Probes of Lemma 1."""

from __future__ import annotations

from harness.lab.measure.lemma.steps import DegradationParams, GramParams, IdentityParams
from harness.lab.probing import DATASET, NETWORK, RECIPE, taught
from harness.plan.step import Probe


def lemma_identity() -> Probe:
    # Beyond the reach of differences in float64, whose rounding differs between machines.
    params = IdentityParams(temperatures=(0.003,), classes=(3, 7), largest_logit=1, draws=2)
    return Probe(params, {})


def lemma_degradation() -> Probe:
    params = DegradationParams(
        classes=4, temperature=2.0, largest_logit=10, levels=(0.0, 0.3), rank=3, draws=5
    )
    return Probe(params, {})


def gram_during_training() -> Probe:
    params = GramParams(
        dataset=DATASET,
        network=NETWORK,
        teacher=NETWORK,
        recipe=RECIPE,
        runs=2,
        epochs=(0, 2),
        examples=6,
        temperature=4.0,
    )
    return Probe(params, {"teacher": taught()})
