"""Probes of the steps that make images."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from harness.lab.distill.steps import (
    DatmParams,
    DcParams,
    DmParams,
    DwaParams,
    ExpertsParams,
    FadrmParams,
    RecoverParams,
    StitchParams,
    TmParams,
)
from harness.lab.models.networks import build
from harness.lab.probing import DATASET, NETWORK, RECIPE, chosen, taught
from harness.plan.step import MemoryInput, Probe

MATCHED = "convnet-digits-instance"
SYNTHESIS: dict[str, Any] = {
    "dataset": DATASET,
    "network": MATCHED,
    "per_class": 2,
    "iterations": 4,
    "learning_rate_pixels": 0.5,
    "initial_images": "real",
    "augmentation": "dsa",
    "dsa_strategy": "color_crop_cutout_flip_scale_rotate",
    "precision": "float64",
}
MATCHING: dict[str, Any] = {
    "n": 3,
    "m": 1,
    "t_plus": 3,
    "learning_rate_rate": 1e-3,
    "first_learning_rate": 0.05,
    "synthetic_batch_size": 3,
}
RECOVERY: dict[str, Any] = {
    "dataset": DATASET,
    "network": NETWORK,
    "per_class": 2,
    "class_batch": 3,
    "iterations": 3,
    "learning_rate_pixels": 0.25,
    "bn_weight": 0.5,
    "first_layer_weight": 10.0,
    "variance_weight": 2.0,
    "augmentation": "rrc-flip",
    "crop_scale": (0.3, 1.0),
    "roll": 2,
    "precision": "float64",
}


def stitch() -> Probe:
    params = StitchParams(
        dataset=DATASET, network=NETWORK, per_class=1, factor=2, crops=3, crop_scale=(0.3, 1.0)
    )
    return Probe(params, {"pool": chosen(per_class=5), "teacher": taught()})


def distill_dm() -> Probe:
    return Probe(DmParams(**SYNTHESIS, real_batch_size=4), {})


def distill_dc() -> Probe:
    noise = SYNTHESIS | {"initial_images": "noise"}
    params = DcParams(
        **noise,
        real_batch_size=4,
        outer_loops=2,
        inner_loops=2,
        network_learning_rate=0.05,
        network_batch_size=3,
        distance="cosine-rows",
    )
    return Probe(params, {})


def experts() -> Probe:
    return Probe(ExpertsParams(dataset=DATASET, network=MATCHED, recipe=RECIPE, count=2), {})


def distill_tm() -> Probe:
    return Probe(TmParams(**SYNTHESIS, **MATCHING), {"experts": passed()})


def distill_datm() -> Probe:
    params = DatmParams(
        **SYNTHESIS | {"initial_images": "correctly-classified", "per_class": 1},
        **MATCHING,
        t_minus=1,
        t_first=2,
        expansion=2,
        learning_rate_labels=0.5,
        momentum_labels=0.9,
        skip_above=10.0,
    )
    return Probe(params, {"experts": passed()})


def distill_sre2l() -> Probe:
    return Probe(RecoverParams(**RECOVERY), {"teacher": taught()})


def distill_dwa() -> Probe:
    params = DwaParams(**RECOVERY, perturbation_iterations=2, perturbation_size=0.5)
    return Probe(params, {"start": chosen(per_class=2), "teacher": taught()})


def distill_fadrm() -> Probe:
    params = FadrmParams(**RECOVERY, stages=(8, 8), residual=0.5)
    return Probe(params, {"start": chosen(per_class=2), "teacher": taught()})


@cache
def passed() -> MemoryInput:
    """Two made-up trajectories of three epochs: from one random network straight to another."""
    files = {}
    for number in range(2):
        ends = (build(MATCHED, DATASET, seed) for seed in (number, number + 2))
        start, end = (dict(net.double().named_parameters()) for net in ends)
        share = np.linspace(0, 1, 4)
        path = {
            name: np.stack([weight.detach() + t * (end[name] - weight).detach() for t in share])
            for name, weight in start.items()
        }
        file = Path(_folder().name) / f"expert-{number:03d}.safetensors"
        save_file(path, file)
        files[file.stem] = file
    return MemoryInput({"count": 2, "epochs": 3}, files=files)


@cache
def _folder() -> TemporaryDirectory[str]:
    return TemporaryDirectory(prefix="probe-")
