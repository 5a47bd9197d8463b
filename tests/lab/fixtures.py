"""What the tests of the lab share: the digits and recipes on them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from harness.lab.recipe import DatasetRef, Recipe
from harness.plan.step import MemoryInput, StepContext, StepResult

NETWORK = "convnet-digits"
DIGITS = DatasetRef(
    name="digits",
    fingerprint="76398b2d22e0c5929eea6a22e780264145d6adfb8eb15d3eb88d076eaa2859bf",
    classes=10,
    train_size=1347,
    test_size=450,
    smallest_class=131,
    resolution=8,
    channels=1,
    mean=(0.3053,),
    std=(0.3758,),
    flip=False,
)
HARD_LABELS = Recipe(
    epochs=60,
    batch_size=50,
    loss="cross-entropy",
    optimizer="sgd",
    learning_rate=0.5,
    momentum=0.9,
    nesterov=True,
    weight_decay=5e-4,
    scheduler="cosine",
    augmentation="rrc-flip",
    crop_scale=(0.08, 1.0),
)


def changed(recipe: Recipe, **fields: Any) -> Recipe:
    return Recipe.model_validate(recipe.model_dump() | fields)


def context(step: str, seed: int = 0) -> StepContext:
    return StepContext(step, seed)


def held(**arrays: np.ndarray) -> MemoryInput:
    return MemoryInput(held=arrays)


def as_input(result: StepResult, **files: Any) -> MemoryInput:
    return MemoryInput(result.values, dict(result.arrays), files)


def as_bytes(result: StepResult) -> Mapping[str, bytes]:
    """Everything that a step left, byte by byte."""
    parts = {name: array.tobytes() for name, array in result.arrays.items()}
    for file, tensors in result.tensors.items():
        parts |= {f"{file}/{name}": tensor.tobytes() for name, tensor in tensors.items()}
    return parts | {name: repr(value).encode() for name, value in result.values.items()}
