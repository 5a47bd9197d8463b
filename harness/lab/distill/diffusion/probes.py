"""Probes of the steps that make images by latent diffusion."""

from __future__ import annotations

from typing import Any

from harness.lab.distill.diffusion.steps import D4mParams, MinimaxParams
from harness.lab.distill.diffusion.tiny import TINY
from harness.lab.probing import DATASET
from harness.plan.step import Probe

GENERATED: dict[str, Any] = {
    "dataset": DATASET,
    "generator": TINY,
    "per_class": 1,
    "side": 16,
    "guidance": 3.0,
    "sampling_steps": 3,
    "precision": "float64",
}


def distill_d4m() -> Probe:
    params = D4mParams(
        **GENERATED,
        prompts="numbers",
        negative_prompt="cartoon",
        cluster_expansion=3,
        strength=0.7,
    )
    return Probe(params, {})


def distill_minimax() -> Probe:
    params = MinimaxParams(
        **GENERATED,
        autoencoder=TINY,
        phase_classes=2,
        epochs=2,
        batch_size=4,
        learning_rate=0.01,
        lambda_r=0.5,
        lambda_d=0.5,
        memory=3,
        ema=0.5,
        label_dropout=0.3,
        guided_channels=3,
    )
    return Probe(params, {})
