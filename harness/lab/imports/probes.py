"""Probes of the steps that use released sets."""

from __future__ import annotations

from harness.lab.imports.released import PROBE
from harness.lab.imports.steps import ReleasedSetParams
from harness.lab.probing import DATASET, NETWORK
from harness.plan.step import Probe


def released_set() -> Probe:
    """Without a teacher: no untrained one would recognise anything."""
    params = ReleasedSetParams(
        dataset=DATASET, per_class=1, fingerprint=PROBE, network=NETWORK, whitened=False
    )
    return Probe(params, {})
