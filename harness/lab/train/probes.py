"""Probes of the steps that train and label."""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.lab.probing import DATASET, NETWORK, RECIPE, chosen, taught
from harness.lab.recipe import Recipe
from harness.lab.train.steps import SoftLabelsParams, StudentParams, TeacherParams
from harness.plan.step import MemoryInput, Probe


def teacher() -> Probe:
    return Probe(TeacherParams(dataset=DATASET, network=NETWORK, recipe=RECIPE), {})


def student() -> Probe:
    params = StudentParams(dataset=DATASET, network=NETWORK, recipe=RECIPE, factor=2, per_class=5)
    return Probe(params, {"images": chosen(per_class=5)})


def soft_labels() -> Probe:
    params = SoftLabelsParams(dataset=DATASET, network=NETWORK, per_class=2, mode="train")
    return Probe(params, {"images": chosen(per_class=2), "teacher": taught()})


def student_stored() -> Probe:
    recipe = _softened(labels="stored", augmentation="dsa", dsa_strategy="color_scale", kl_t2=True)
    params = StudentParams(dataset=DATASET, network=NETWORK, recipe=recipe, per_class=5)
    row, column = np.indices((20, DATASET.classes))
    logits = MemoryInput(held={"logits": 3 * np.sin(1.3 * row + 2.1 * column)})
    return Probe(params, {"images": chosen(per_class=5), "soft_labels": logits})


def student_online() -> Probe:
    recipe = _softened(
        labels="online", augmentation="rrc-flip-cutmix", cutmix_alpha=1.0, teacher=NETWORK
    )
    params = StudentParams(dataset=DATASET, network=NETWORK, recipe=recipe, per_class=5)
    return Probe(params, {"images": chosen(per_class=5), "teacher": taught()})


def _softened(**fields: Any) -> Recipe:
    """The recipe of the other probes with soft labels and AdamW."""
    soft = {"loss": "kl", "temperature": 4.0, "optimizer": "adamw", "learning_rate": 0.01}
    return Recipe.model_validate(RECIPE.model_dump() | soft | fields)
