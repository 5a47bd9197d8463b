"""Probes of the steps that score and select."""

from __future__ import annotations

import numpy as np

from harness.lab.coresets.steps import (
    BetaParams,
    CadParams,
    CalParams,
    CentersParams,
    DualParams,
    DynamicsParams,
    DynUncParams,
    El2nParams,
    El2nSlParams,
    ForgettingParams,
    FractionParams,
    GlisterParams,
    GrandParams,
    GraphCutParams,
    HerdingParams,
    RandomParams,
    TaughtSelectParams,
    TopParams,
    UncertaintyParams,
    VisitsParams,
    WindowParams,
)
from harness.lab.probing import DATASET, NETWORK, RECIPE, taught
from harness.plan.step import MemoryInput, Probe


def dynamics() -> Probe:
    params = DynamicsParams(dataset=DATASET, network=NETWORK, recipe=RECIPE, samples=60, looks=4)
    return Probe(params, {})


def dyn_unc_score() -> Probe:
    params = DynUncParams(window=3, signal="probability", drop_last=True)
    return Probe(params, {"dynamics": _watched()})


def dual_score() -> Probe:
    params = DualParams(window=3, looks=6, signal="train_probability")
    return Probe(params, {"dynamics": _watched()})


def cad_score() -> Probe:
    params = CadParams(window="span", tail=2, signal="el2n")
    return Probe(params, {"dynamics": _watched()})


def el2n_score() -> Probe:
    return Probe(El2nParams(dataset=DATASET, network=NETWORK, recipe=RECIPE, runs=2, epoch=1), {})


def select_window() -> Probe:
    params = WindowParams(
        dataset=DATASET,
        network=NETWORK,
        recipe=RECIPE,
        per_class=2,
        starts=(0.0, 0.5, 1.0),
        chosen_on="held-out",
    )
    return Probe(params, {"score": _scored()})


def select_top() -> Probe:
    return Probe(TopParams(dataset=DATASET, per_class=2, balanced=True), {"score": _scored()})


def select_beta() -> Probe:
    params = BetaParams(dataset=DATASET, per_class=2, balanced=False, c_d=4.0)
    return Probe(params, {"score": _scored()})


def select_random() -> Probe:
    return Probe(RandomParams(dataset=DATASET, per_class=3), {})


def select_centers() -> Probe:
    params = CentersParams(
        dataset=DATASET, network=NETWORK, per_class=3, kcenter="greedy", balanced=True
    )
    return Probe(params, {"teacher": taught()})


def el2n_sl_score() -> Probe:
    params = El2nSlParams(
        dataset=DATASET,
        network=NETWORK,
        recipe=RECIPE,
        runs=2,
        epoch=1,
        teacher=NETWORK,
        temperature=4.0,
    )
    return Probe(params, {"teacher": taught()})


def grand_score() -> Probe:
    params = GrandParams(
        dataset=DATASET,
        network=NETWORK,
        recipe=RECIPE,
        runs=2,
        epoch=1,
        gradient="all-parameters",
        reduction="sum",
    )
    return Probe(params, {})


def visits() -> Probe:
    return Probe(VisitsParams(dataset=DATASET, network=NETWORK, recipe=RECIPE, epochs=4), {})


def forgetting_score() -> Probe:
    visit, example = np.indices((6, DATASET.train_size))
    correct = np.sin(1.3 * visit * (example % 5)) > 0.2
    return Probe(
        ForgettingParams(never_learned="infinite"),
        {"visits": MemoryInput(held={"correct": correct})},
    )


def uncertainty_score() -> Probe:
    params = UncertaintyParams(dataset=DATASET, network=NETWORK, measure="entropy")
    return Probe(params, {"teacher": taught()})


def cal_score() -> Probe:
    params = CalParams(
        dataset=DATASET, network=NETWORK, neighbours=3, divergence="symmetric", balanced=True
    )
    return Probe(params, {"teacher": taught()})


def select_fraction() -> Probe:
    params = FractionParams(dataset=DATASET, per_class=2, fraction=0.5, keep="lowest")
    return Probe(params, {"score": _scored()})


def select_facility_location() -> Probe:
    params = TaughtSelectParams(dataset=DATASET, network=NETWORK, per_class=3)
    return Probe(params, {"teacher": taught()})


def select_graph_cut() -> Probe:
    params = GraphCutParams(dataset=DATASET, network=NETWORK, per_class=3, trade_off=1.0)
    return Probe(params, {"teacher": taught()})


def select_craig() -> Probe:
    params = TaughtSelectParams(dataset=DATASET, network=NETWORK, per_class=3)
    return Probe(params, {"teacher": taught()})


def select_glister() -> Probe:
    params = GlisterParams(
        dataset=DATASET, network=NETWORK, per_class=3, step_size=0.1, update=True, balanced=True
    )
    return Probe(params, {"teacher": taught()})


def select_herding() -> Probe:
    params = HerdingParams(
        dataset=DATASET, network=NETWORK, per_class=3, pick="nearest", balanced=True
    )
    return Probe(params, {"teacher": taught()})


def _watched() -> MemoryInput:
    """Signals of eight looks at 24 examples: rippled learning curves of different speed."""
    look, example = np.indices((8, DATASET.train_size))
    ripple = 0.05 * np.sin(2.3 * look * (1 + example % 5) + example)
    probability = 1 / (1 + np.exp(2 - look * (0.2 + example / 24))) + ripple * 0.5
    signals = {
        "probability": probability,
        "train_probability": 0.9 * probability,
        "el2n": np.sqrt(2) * (1 - probability),
    }
    return MemoryInput(held=signals)


def _scored() -> MemoryInput:
    example = np.arange(DATASET.train_size)
    score = 0.1 + 0.08 * np.sin(1.7 * example)
    return MemoryInput(held={"score": score, "mean_probability": 0.5 + 0.45 * np.cos(example)})
