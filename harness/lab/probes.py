"""Each step on a tiny fixed input in float64: what guards the steps' revisions.

If a change of code moves the numbers that these make, the revision of the step has to be raised.
"""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from harness.lab import data
from harness.lab.models import build
from harness.lab.recipe import DatasetRef, Recipe
from harness.lab.steps import (
    BetaParams,
    CadParams,
    CentersParams,
    DualParams,
    DynamicsParams,
    DynUncParams,
    El2nParams,
    RandomParams,
    SoftLabelsParams,
    StitchParams,
    StudentParams,
    TeacherParams,
    TopParams,
    WindowParams,
)
from harness.plan.step import MemoryInput, Probe

NETWORK = "convnet-digits"
DATASET = DatasetRef(
    name="probe",
    fingerprint="532611e511a6afed5650c4b9c72e9d0d592564aa06c1f852ba604c06bf469735",
    classes=4,
    train_size=24,
    test_size=8,
    smallest_class=6,
    resolution=8,
    channels=1,
    mean=(0.5,),
    std=(0.25,),
    flip=True,
)
RECIPE = Recipe(
    epochs=2,
    batch_size=8,
    loss="cross-entropy",
    optimizer="sgd",
    learning_rate=0.05,
    momentum=0.9,
    nesterov=True,
    weight_decay=1e-3,
    scheduler="cosine",
    warmup_epochs=1,
    augmentation="rrc-flip",
    crop_scale=(0.3, 1.0),
    precision="float64",
)


def teacher() -> Probe:
    return Probe(TeacherParams(dataset=DATASET, network=NETWORK, recipe=RECIPE), {})


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
    return Probe(params, {"teacher": _taught()})


def stitch() -> Probe:
    params = StitchParams(
        dataset=DATASET, network=NETWORK, per_class=1, factor=2, crops=3, crop_scale=(0.3, 1.0)
    )
    return Probe(params, {"pool": _chosen(per_class=5), "teacher": _taught()})


def student() -> Probe:
    params = StudentParams(dataset=DATASET, network=NETWORK, recipe=RECIPE, factor=2, per_class=5)
    return Probe(params, {"images": _chosen(per_class=5)})


def soft_labels() -> Probe:
    params = SoftLabelsParams(dataset=DATASET, network=NETWORK, per_class=2, mode="train")
    return Probe(params, {"images": _chosen(per_class=2), "teacher": _taught()})


def student_stored() -> Probe:
    recipe = _softened(labels="stored", augmentation="dsa", dsa_strategy="color_scale", kl_t2=True)
    params = StudentParams(dataset=DATASET, network=NETWORK, recipe=recipe, per_class=5)
    row, column = np.indices((20, DATASET.classes))
    logits = MemoryInput(held={"logits": 3 * np.sin(1.3 * row + 2.1 * column)})
    return Probe(params, {"images": _chosen(per_class=5), "soft_labels": logits})


def student_online() -> Probe:
    recipe = _softened(
        labels="online", augmentation="rrc-flip-cutmix", cutmix_alpha=1.0, teacher=NETWORK
    )
    params = StudentParams(dataset=DATASET, network=NETWORK, recipe=recipe, per_class=5)
    return Probe(params, {"images": _chosen(per_class=5), "teacher": _taught()})


def _softened(**fields: Any) -> Recipe:
    """The recipe of the other probes with soft labels and AdamW."""
    soft = {"loss": "kl", "temperature": 4.0, "optimizer": "adamw", "learning_rate": 0.01}
    return Recipe.model_validate(RECIPE.model_dump() | soft | fields)


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


def _chosen(per_class: int) -> MemoryInput:
    labels = data.load(DATASET).train.labels
    rows = [np.flatnonzero(labels == label)[:per_class] for label in range(DATASET.classes)]
    indices = np.concatenate(rows)
    return MemoryInput(held={"indices": indices, "labels": labels[indices]})


def _taught() -> MemoryInput:
    """A network as it is initialised."""
    weights = Path(_folder().name) / "weights.safetensors"
    state = build(NETWORK, DATASET, seed=0).double().state_dict()
    save_file({name: tensor.numpy() for name, tensor in state.items()}, weights)
    return MemoryInput(files={"weights": weights})


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    """Holds the weights that a probe reads, and vanishes with the process."""
    return tempfile.TemporaryDirectory(prefix="probe-")
