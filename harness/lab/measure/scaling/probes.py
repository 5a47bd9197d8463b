"""Probes of learning curves and of the law fitted to them."""

from __future__ import annotations

import numpy as np

from harness.lab.measure.scaling.law import LAWS, Looks
from harness.lab.measure.scaling.steps import (
    CurveParams,
    FitParams,
    GridFitParams,
    RecoveryParams,
    SaturationParams,
    SharedFitParams,
    Spaced,
    Truth,
)
from harness.lab.probing import DATASET, NETWORK, RECIPE, chosen, taught
from harness.lab.recipe import Recipe
from harness.plan.step import MemoryInput, Probe


def learning_curve() -> Probe:
    params = CurveParams(
        dataset=DATASET,
        network=NETWORK,
        recipe=RECIPE,
        per_class=5,
        every=1,
        points="separate-runs",
    )
    return Probe(params, {"images": chosen(per_class=5)})


def learning_curve_online() -> Probe:
    soft = {"loss": "kl", "labels": "online", "temperature": 4.0, "teacher": NETWORK}
    params = CurveParams(
        dataset=DATASET,
        network=NETWORK,
        recipe=Recipe.model_validate(RECIPE.model_dump() | soft | {"epochs": 5}),
        per_class=5,
        every=2,
        points="one-run",
    )
    return Probe(params, {"images": chosen(per_class=5), "teacher": taught()})


def saturation() -> Probe:
    return Probe(SaturationParams(margin=0.02), {"curve": _curve("printed", b=-0.4, tau=3.0)})


def slowdown() -> Probe:
    curves = {
        "curve": _curve("printed", b=-0.4, tau=3.0),
        "beside": _curve("printed", b=-1.5, tau=1.0),
    }
    return Probe(SaturationParams(margin=0.02), curves)


def fit_scaling() -> Probe:
    params = FitParams(law="official", epoch="full", d=0.1, unit=100.0, bootstrap=2, block=2)
    return Probe(params, {"curve": _curve("official", b=-0.4, tau=3.0)})


def fit_scaling_shared() -> Probe:
    # With d free a resampled fit lies on a ridge, where its sixth digit is the processor's.
    params = SharedFitParams(law="printed", epoch="subset", d=0.1, bootstrap=2)
    curves = {
        "curve": _curve("printed", b=-0.4, tau=3.0),
        "beside": _curve("printed", b=-0.3, tau=6.0),
    }
    return Probe(params, curves)


def fit_scaling_grid() -> Probe:
    params = GridFitParams(
        law="official",
        epoch="subset",
        d=0.1,
        a_values=Spaced(low=0.001, high=0.1, points=4),
        b_values=Spaced(low=-0.005, high=-0.5, points=5),
        tau_values=Spaced(low=1, high=10, points=6),
    )
    return Probe(params, {"curve": _curve("official", b=-0.4, tau=3.0)})


def scaling_recovery() -> Probe:
    params = RecoveryParams(
        truth=Truth(a=1.0, b=-0.4, tau=3.0, d=0.1),
        epochs=12,
        pool=2,
        noise=0.002,
        draws=2,
        fit=FitParams(law="printed", epoch="subset", d=0.1, bootstrap=2),
    )
    return Probe(params, {})


def _curve(law: str, b: float, tau: float) -> MemoryInput:
    """Twelve looks at a law with a ripple."""
    epochs = np.arange(1, 13)
    looks = Looks(20.0 * epochs, 20.0)
    errors = LAWS[law](looks, 1.0 if law == "printed" else 0.05, b, tau, 0.1)
    ripple = 0.004 * np.sin(2.1 * epochs + b)
    return MemoryInput(
        values={"images": 20, "train_images": 40},
        held={"epochs": epochs, "accuracy": 1 - errors - ripple},
    )
