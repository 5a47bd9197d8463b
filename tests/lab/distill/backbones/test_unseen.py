"""What several backbones made has a lower loss in a network that none of them is."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from harness.lab.data import sets
from harness.lab.distill.backbones import methods
from harness.lab.distill.backbones.methods import (
    EdcParams,
    FeatureStatisticsParams,
    GvbsmParams,
    distill_edc,
    distill_gvbsm,
    feature_statistics,
)
from harness.lab.measure.dcs.losses import bn_loss
from harness.lab.train.teacher import TeacherParams
from harness.lab.train.teacher import teacher as train_teacher
from harness.plan.step import MemoryInput, StepResult
from tests.lab.fixtures import DIGITS, HARD_LABELS, NETWORK, as_input, changed, context, held
from tests.lab.measure.test_batchnorm import bn_params

TRAIN = sets.load(DIGITS).train
FOLDER = TemporaryDirectory(prefix="unseen-")
BACKBONES = (NETWORK, "convnet-digits-instance")
PER_CLASS = 2
LABELS = np.repeat(np.arange(10), PER_CLASS)
FIELDS: dict[str, Any] = methods.matching_probe() | {
    "dataset": DIGITS,
    "networks": BACKBONES,
    "batch_size": 20,
    "iterations": 60,
    "learning_rate_pixels": 0.25,
    "statistics_weight": 0.1,
    "patch": 4,
    "roll": 1,
    "augmentation": "crop-flip",
    "precision": "float32",
}


def kept(name: str, record: StepResult) -> MemoryInput:
    files = {}
    for file, tensors in record.tensors.items():
        files[file] = Path(FOLDER.name) / f"{name}-{file}.safetensors"
        save_file({key: np.asarray(values) for key, values in tensors.items()}, files[file])
    return MemoryInput(record.values, files=files)


@cache
def trained(network: str, seed: int = 0) -> MemoryInput:
    recipe = changed(HARD_LABELS, epochs=4, learning_rate=0.1)
    params = TeacherParams(dataset=DIGITS, network=network, recipe=recipe)
    return kept(f"{network}-{seed}", train_teacher(params, {}, context("teacher", seed)))


@cache
def known() -> dict[str, MemoryInput]:
    inputs = {}
    for number, network in enumerate(BACKBONES):
        fields = methods.statistics_probe().params.model_dump() | {
            "dataset": DIGITS,
            "network": network,
            "patch": 4,
            "augmentation": "crop-flip",
            "precision": "float32",
        }
        teacher = inputs[f"teacher.{number}"] = trained(network)
        made = feature_statistics(
            FeatureStatisticsParams(**fields), {"teacher": teacher}, context("feature_statistics")
        )
        inputs[f"statistics.{number}"] = kept(f"statistics-{network}", made)
    return inputs


def loss_in_another(images: MemoryInput) -> float:
    """Cross-entropy and distance of statistics in a network of another seed."""
    measured = bn_params(per_class=PER_CLASS, bn_weight=0.3, cross_entropy=True)
    given = {"images": images, "teacher": trained(NETWORK, seed=1)}
    return bn_loss(measured, given, context("bn_loss")).values["loss"]


def check(made: StepResult, before: MemoryInput) -> None:
    assert made.values["last_loss"] < made.values["first_loss"]
    assert loss_in_another(as_input(made)) < 0.9 * loss_in_another(before)


def test_edc_comes_from_real_images() -> None:
    """From images that are grey noise about a digit, so that there is something to gain."""
    rows = [np.flatnonzero(TRAIN.labels == label)[:PER_CLASS] for label in range(10)]
    noise = np.random.default_rng(0).normal(0, 90, (20, 8, 8, 1))
    blurred = np.clip(TRAIN.images[np.concatenate(rows)] + noise, 0, 255).astype(np.uint8)
    start = held(images=blurred, labels=LABELS)
    own = {"class_share": 0.5, "class_patches": "right", "flatness_weight": 1.0}
    own |= {"flatness_decay": 0.9, "flatness_temperature": 4.0}
    made = distill_edc(EdcParams(**FIELDS, **own), known() | {"start": start}, context("edc"))
    check(made, start)


def test_gvbsm_comes_from_noise() -> None:
    dense = {"densification_weight": 1.0, "densification_temperature": 4.0}
    made = distill_gvbsm(GvbsmParams(**FIELDS, **dense), known(), context("distill_gvbsm"))
    noise = np.random.default_rng(0).integers(0, 256, (20, 8, 8, 1)).astype(np.uint8)
    check(made, held(images=noise, labels=LABELS))
