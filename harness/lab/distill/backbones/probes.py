"""Probes of the steps that match several backbones."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from harness.lab.distill.backbones.measured import feature_statistics as measure
from harness.lab.distill.backbones.steps import EdcParams, FeatureStatisticsParams, GvbsmParams
from harness.lab.models.networks import build
from harness.lab.probing import DATASET, NETWORK, chosen
from harness.plan.step import MemoryInput, Probe, StepContext

OTHER = "convnet-digits-instance"
NETWORKS = (NETWORK, OTHER)
MEASURED: dict[str, Any] = {
    "dataset": DATASET,
    "patch": 3,
    "by_class": True,
    "augmentation": "rrc-flip",
    "crop_scale": (0.3, 1.0),
    "precision": "float64",
}
MATCHING: dict[str, Any] = {
    "dataset": DATASET,
    "networks": NETWORKS,
    "per_class": 2,
    "batch_size": 5,
    "iterations": 4,
    "learning_rate_pixels": 0.1,
    "statistics_weight": 0.5,
    "first_layer_weight": 10.0,
    "patch": 3,
    "ema": 0.4,
    "ema_start": "zero",
    "drop_rate": 0.3,
    "augmentation": "rrc-flip",
    "crop_scale": (0.3, 1.0),
    "roll": 2,
    "precision": "float64",
}


def feature_statistics() -> Probe:
    return Probe(FeatureStatisticsParams(**MEASURED, network=NETWORK), {"teacher": taught(NETWORK)})


def distill_gvbsm() -> Probe:
    dense = {"densification_weight": 1.0, "densification_temperature": 4.0}
    return Probe(GvbsmParams(**MATCHING, **dense), known())


def distill_edc() -> Probe:
    params = EdcParams(
        **MATCHING,
        class_share=0.5,
        class_patches="swapped",
        flatness_weight=1.0,
        flatness_decay=0.5,
        flatness_temperature=4.0,
    )
    return Probe(params, known() | {"start": chosen(per_class=2)})


def known() -> dict[str, MemoryInput]:
    """The backbones and their statistics."""
    teachers = {f"teacher.{i}": taught(name) for i, name in enumerate(NETWORKS)}
    return teachers | {f"statistics.{i}": measured(name) for i, name in enumerate(NETWORKS)}


@cache
def taught(network: str) -> MemoryInput:
    """A network as it is initialised."""
    state = build(network, DATASET, seed=0).double().state_dict()
    weights = {name: tensor.numpy() for name, tensor in state.items()}
    return MemoryInput(files={"weights": _file(f"weights-{network}", weights)})


@cache
def measured(network: str) -> MemoryInput:
    params = FeatureStatisticsParams(**MEASURED, network=network)
    made = measure(params, {"teacher": taught(network)}, StepContext("feature_statistics", 0))
    return MemoryInput(files={n: _file(f"{n}-{network}", dict(t)) for n, t in made.tensors.items()})


def _file(name: str, tensors: dict[str, np.ndarray]) -> Path:
    path = Path(_folder().name) / f"{name}.safetensors"
    save_file(tensors, path)
    return path


@cache
def _folder() -> TemporaryDirectory[str]:
    return TemporaryDirectory(prefix="probe-")
