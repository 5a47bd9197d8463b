"""The trainings behind the verdicts: whole pipelines on digits, one for each seed.

A pipeline trains its own reference networks, selects a subset of the training split by each method
at each size, and trains a student on every subset. All of it draws from the one seed. A planted
change alters the students alone, which are trained on the same subsets.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from safetensors.numpy import save_file

from benchmarks.bench import ROOT
from harness.lab.train.student import student_together
from harness.plan.exhibit import plan_exhibit
from harness.plan.library import step_types
from harness.plan.step import MemoryInput, Share, StepContext, StepInput, StepType, dotted
from harness.run.call import call, call_together
from harness.spec.paper import Paper, load_paper

Counts: TypeAlias = dict[str, list[int]]
METHODS = ("Random", "K-centers", "Herding", "Dyn-Unc")
SIZES = (20, 40)
"""Images per class."""
NETWORK, EPOCHS = "mlp", 20
RECIPE: dict[str, Any] = {
    "epochs": EPOCHS,
    "batch_size": 50,
    "loss": "cross-entropy",
    "optimizer": "sgd",
    "learning_rate": 0.05,
    "momentum": 0.9,
    "nesterov": True,
    "weight_decay": 5e-4,
    "scheduler": "cosine",
    "augmentation": "none",
}
REFERENCE = RECIPE | {"epochs": 5}


@dataclass(frozen=True)
class Arm:
    """How students are trained: as stated, or with one change planted."""

    name: str
    seeds: int
    recipe: Mapping[str, Any] = field(default_factory=dict)
    network: str = NETWORK
    pixels: Mapping[str, Any] = field(default_factory=dict)
    """Mean and standard deviation by which the student's images are normalised."""
    wrong_labels: float = 0.0
    """Share of the training labels that are exchanged for that of another class."""


STATED = Arm("as stated", 64)
CHANGES = (
    Arm("half the learning rate", 24, {"learning_rate": 0.025}),
    Arm("15 epochs in place of 20", 24, {"epochs": 15}),
    Arm("one label in twenty wrong", 24, wrong_labels=0.05),
    Arm("pixels normalised as CIFAR-10's", 24, pixels={"mean": [0.4914], "std": [0.247]}),
    Arm("a ConvNet in place of the MLP", 12, network="convnet-digits"),
)


def train(arm: Arm) -> Counts:
    """Cell -> images of the test split that each seed's student has right."""
    return {
        f"{method}, IPC {size}": _students(arm, method, size)
        for method in METHODS
        for size in SIZES
    }


def _students(arm: Arm, method: str, size: int) -> list[int]:
    dataset = _dataset()
    params: dict[str, Any] = {
        "dataset": {**dataset, **arm.pixels},
        "network": arm.network,
        "recipe": {**RECIPE, **arm.recipe},
        "per_class": size,
    }
    shares = []
    for seed in range(arm.seeds):
        shown = _spoilt(subsets(seed)[method, size], arm.wrong_labels, seed)
        shares.append(Share({"images": shown}, StepContext("student", seed)))
    done = call_together(dotted(student_together), params, shares, StepContext("student", 0))
    shares_right = [float(str(result.values["accuracy"])) for result in done]
    return [round(share * dataset["test_size"]) for share in shares_right]


def _spoilt(subset: StepInput, share: float, seed: int) -> StepInput:
    """The subset with a share of its labels exchanged."""
    draws = np.random.default_rng(StepContext("labels", seed).derive("wrong"))
    labels = np.array(subset.array("labels"))
    hit = draws.choice(len(labels), round(share * len(labels)), replace=False)
    labels[hit] = (labels[hit] + draws.integers(1, 10, len(hit))) % 10
    return MemoryInput({}, {"indices": subset.array("indices"), "labels": labels})


@cache
def subsets(seed: int) -> dict[tuple[str, int], StepInput]:
    """Method and size -> the subset that the seed's own pipeline selects."""
    reference = {"dataset": _dataset(), "network": NETWORK, "recipe": REFERENCE}
    teacher = _done("teacher", reference | {"pretrained": ""}, {}, seed)
    shown = REFERENCE["epochs"] * _dataset()["train_size"]
    watched = _done("dynamics", reference | {"samples": shown, "looks": 10}, {}, seed)
    window = {"window": 5, "signal": "probability", "drop_last": True}
    score = _done("dyn_unc_score", window, {"dynamics": watched}, seed)
    found: dict[tuple[str, int], StepInput] = {}
    for size in SIZES:
        drawn = {"dataset": _dataset(), "per_class": size}
        balanced = drawn | {"balanced": True}
        seen = balanced | {"network": NETWORK}
        by = {"teacher": teacher}
        found["Random", size] = _done("select_random", drawn, {}, seed)
        found["K-centers", size] = _done("select_centers", seen | {"kcenter": "greedy"}, by, seed)
        found["Herding", size] = _done("select_herding", seen | {"pick": "nearest"}, by, seed)
        highest = balanced | {"keep": "highest"}
        found["Dyn-Unc", size] = _done("select_top", highest, {"score": score}, seed)
    return found


def _done(
    name: str, params: Mapping[str, Any], inputs: Mapping[str, StepInput], seed: int
) -> StepInput:
    """What a step makes, as later steps read it."""
    result = call(_steps()[name].function, params, inputs, StepContext(name, seed))
    files = {}
    for file, tensors in result.tensors.items():
        files[file] = Path(tempfile.mkdtemp()) / file
        save_file(dict(tensors), files[file])
    return MemoryInput(result.values, result.arrays, files)


@cache
def _paper() -> Paper:
    return load_paper(ROOT / "specs")


@cache
def _steps() -> Mapping[str, StepType]:
    return step_types(_paper())


@cache
def _dataset() -> dict[str, Any]:
    """Digits, as the project's own plans have them."""
    planned = plan_exhibit(_paper(), "table7", "digits", 1)
    student = next(step for step in planned.steps.values() if step.name == "student")
    return dict(student.params["dataset"])  # type: ignore[arg-type]
