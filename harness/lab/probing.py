"""The tiny fixed inputs that the probes of the lab share.

If a change of code moves the numbers that a step's probe makes, the revision of the step has to be
raised. Neither torch nor numpy is imported before a probe runs, because a step's declaration stands
beside its probe.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from harness.lab.recipe import DatasetRef, Recipe
from harness.later import np
from harness.plan.step import Json, MemoryInput

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

STRATEGY = "color_crop_cutout_flip_scale_rotate"
DSA_OTHERWISE: tuple[Mapping[str, Json], ...] = ({"dsa_strategy": ""}, {"dsa_strategy": STRATEGY})


PLAIN_SGD: dict[str, Json] = {"momentum": 0.0, "nesterov": False}
BY_DSA: dict[str, Json] = {"augmentation": "dsa", "dsa_strategy": STRATEGY}


def recipes(*changes: dict[str, Json]) -> tuple[Mapping[str, Json], ...]:
    """Variants of a probe, whose recipes differ so."""
    return tuple({"recipe": change} for change in changes)


def chosen(per_class: int) -> MemoryInput:
    """The first `per_class` training images of every class."""

    from harness.lab.data import sets

    labels = sets.load(DATASET).train.labels
    rows = [np.flatnonzero(labels == label)[:per_class] for label in range(DATASET.classes)]
    indices = np.concatenate(rows)
    return MemoryInput(held={"indices": indices, "labels": labels[indices]})


def taught(network: str = NETWORK) -> MemoryInput:
    """A network as it is initialised."""
    from harness.lab.models.networks import build

    state = build(network, DATASET, seed=0).double().state_dict()
    weights = {name: tensor.numpy() for name, tensor in state.items()}
    return MemoryInput(files={"weights": weights_file(f"weights-{network}", weights)})


def weights_file(name: str, tensors: Mapping[str, np.ndarray]) -> Path:
    """A safetensors file for a probe to read; it vanishes with the process."""
    from safetensors.numpy import save_file

    path = Path(_folder().name) / f"{name}.safetensors"
    save_file(dict(tensors), path)
    return path


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="probe-")
