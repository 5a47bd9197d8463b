"""Hyperparameters are those of the official codes, for each data set and IPC.

The tables are typed from the commands and configurations of the codes, not from the specs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.plan.settings import resolve_settings
from harness.spec.paper import load_paper

PAPER = load_paper(Path(__file__).parents[3] / "specs")


def used(method: str, dataset: str, ipc: int, **others: Any) -> dict[str, Any]:
    cases = {"dataset": dataset, "ipc": ipc, "paper.dataset": dataset, "paper.ipc": ipc} | others
    found = resolve_settings(PAPER.method(method), PAPER.profile("paper"), {}, cases)
    return {each.name.partition(".")[2]: each.value for each in found}


@pytest.mark.parametrize("method", ["dc", "dsa"])
@pytest.mark.parametrize(("ipc", "loops"), [(1, (1, 1)), (10, (10, 50)), (50, (50, 10))])
def test_gradient_matching(method: str, ipc: int, loops: tuple[int, int]) -> None:
    own = used(method, "cifar100", ipc)
    assert (own["outer_loops"], own["inner_loops"]) == loops
    assert (own["iterations"], own["real_batch_size"]) == (1000, 256)
    assert (own["learning_rate_pixels"], own["momentum"]) == (0.1, 0.5)
    assert (own["network_learning_rate"], own["network_batch_size"]) == (0.01, 256)
    start = {"dc": ("noise", "none"), "dsa": ("real", "dsa")}[method]
    assert (own["initial_images"], own["augmentation"]) == start


@pytest.mark.parametrize("dataset", ["cifar100", "tiny-imagenet"])
def test_distribution_matching(dataset: str) -> None:
    own = used("dm", dataset, 10)
    assert (own["iterations"], own["real_batch_size"]) == (20000, 256)
    assert (own["learning_rate_pixels"], own["momentum"]) == (1, 0.5)
    assert (own["initial_images"], own["augmentation"]) == ("real", "dsa")


# n, m, t_plus, learning rates of pixels and of the rate, its first value, synthetic batch
TM = {
    ("cifar100", 1): (20, 3, 20, 1000, 1e-5, 0.01, 0),
    ("cifar100", 10): (20, 2, 20, 1000, 1e-5, 0.01, 0),
    ("cifar100", 50): (80, 2, 40, 1000, 1e-5, 0.01, 125),
    ("tiny-imagenet", 1): (10, 2, 10, 1e4, 1e-4, 0.01, 0),
    ("tiny-imagenet", 10): (20, 2, 40, 1e4, 1e-4, 0.01, 200),
    ("tiny-imagenet", 50): (20, 2, 40, 1e4, 1e-4, 0.01, 300),
}
RATES = ("learning_rate_pixels", "learning_rate_rate")


@pytest.mark.parametrize(("dataset", "ipc"), TM)
def test_trajectory_matching(dataset: str, ipc: int) -> None:
    own = used("tm", dataset, ipc)
    names = ("n", "m", "t_plus", *RATES, "first_learning_rate", "synthetic_batch_size")
    assert tuple(own[name] for name in names) == TM[dataset, ipc]
    assert (own["iterations"], own["experts"], own["momentum"]) == (5000, 100, 0.5)


# n, t_minus, t_first, t_plus, learning rates of pixels and of the rate, synthetic batch, start
DATM = {
    ("cifar100", 10): (80, 0, 30, 50, 1000, 1e-5, 1000, "correctly-classified"),
    ("cifar100", 50): (80, 20, 70, 70, 1000, 1e-5, 1000, "real"),
    ("cifar100", 100): (80, 30, 70, 70, 50, 1e-5, 1000, "real"),
    ("tiny-imagenet", 10): (40, 10, 50, 50, 100, 1e-4, 500, "correctly-classified"),
    ("tiny-imagenet", 50): (20, 40, 70, 70, 100, 1e-4, 1000, "correctly-classified"),
}


@pytest.mark.parametrize(("dataset", "ipc"), DATM)
def test_difficulty_aligned_trajectory_matching(dataset: str, ipc: int) -> None:
    own = used("datm", dataset, ipc, expert_recipe="datm-experts")
    names = ("n", "t_minus", "t_first", "t_plus", *RATES, "synthetic_batch_size", "initial_images")
    assert tuple(own[name] for name in names) == DATM[dataset, ipc]
    assert (own["m"], own["learning_rate_labels"], own["momentum_labels"]) == (2, 10, 0.9)
    assert (own["iterations"], own["expansion"], own["skip_above"]) == (10000, 2000, 1)


def test_the_papers_own_datm_synthesis_has_the_values_of_table_2() -> None:
    own = used("datm", "tiny-imagenet", 50, expert_recipe="small-scale-experts")
    names = ("n", "m", "t_minus", "t_plus", "synthetic_batch_size", "learning_rate_pixels")
    assert [own[name] for name in names] == [80, 2, 20, 35, 250, 100]


@pytest.mark.parametrize(("recipe", "epochs"), [("small-scale-experts", 50), ("datm-experts", 100)])
def test_experts(recipe: str, epochs: int) -> None:
    cases = {"dataset": "tiny-imagenet", "paper.dataset": "tiny-imagenet"}
    found = resolve_settings(PAPER.recipe(recipe), PAPER.profile("paper"), {}, cases)
    own = {each.name.partition(".")[2]: each.value for each in found}
    assert (own["epochs"], own["learning_rate"], own["batch_size"]) == (epochs, 0.01, 256)
    assert (own["momentum"], own["weight_decay"], own["scheduler"]) == (0, 0, "constant")
    assert (own["augmentation"], own["zca"]) == ("dsa", False)


# iterations, images on a GPU, rate, patch, decay, share left out, roll, augmentation
GVBSM = {
    "imagenet1k": (4000, 80 / 2, 0.1, 16, 0.4, 0.0, 32, "rrc-flip"),
    "cifar100": (4000, 100 / 2, 0.05, 4, 0.8, 0.4, 32, "crop-flip"),
    "tiny-imagenet": (4000, 100 / 2, 0.05, 4, 0.8, 0.4, 32, "crop-flip"),
}


@pytest.mark.parametrize("dataset", GVBSM)
def test_generalised_matching(dataset: str) -> None:
    own = used("g-vbsm", dataset, 10)
    names = ("iterations", "batch_size", "learning_rate_pixels", "patch", "ema", "drop_rate")
    assert tuple(own[name] for name in (*names, "roll", "augmentation")) == GVBSM[dataset]
    assert (own["statistics_weight"], own["first_layer_weight"]) == (0.01, 10)
    assert (own["densification_weight"], own["densification_temperature"]) == (1, 4)


def test_the_backbones_of_generalised_matching() -> None:
    own = used("g-vbsm", "imagenet1k", 10)
    assert [own[f"backbone_{number}"] for number in range(1, 5)] == [
        "resnet18",
        "mobilenet-v2",
        "efficientnet-b0",
        "shufflenet-v2-x0-5",
    ]


# iterations, images on a GPU, weight of statistics, patch, real views
EDC = {
    "imagenet1k": (1000, 80 / 4, 0.1, 16, "rrc-flip"),
    "cifar100": (2000, 100 / 4, 0.01, 4, "crop-flip"),
    "tiny-imagenet": (2000, 100 / 4, 0.01, 4, "crop-flip"),
}


@pytest.mark.parametrize("dataset", EDC)
def test_matching_by_class(dataset: str) -> None:
    own = used("edc", dataset, 10)
    names = ("iterations", "batch_size", "statistics_weight", "patch", "real_augmentation")
    assert tuple(own[name] for name in names) == EDC[dataset]
    assert (own["learning_rate_pixels"], own["ema"], own["drop_rate"]) == (0.05, 0.8, 0)
    assert (own["augmentation"], own["crop_scale"], own["roll"]) == ("rrc-flip", [0.5, 1.0], 0)
    assert (own["class_share"], own["class_patches"], own["flatness_weight"]) == (0.5, "swapped", 0)
    start = "real" if dataset == "cifar100" else "rded"
    assert own["initial_images"] == start


def test_the_backbones_of_edc_are_those_of_generalised_matching_and_alexnet() -> None:
    edc, others = used("edc", "imagenet1k", 10), used("g-vbsm", "imagenet1k", 10)
    for number in range(1, 5):
        assert edc[f"backbone_{number}"] == others[f"backbone_{number}"]
    assert edc["backbone_5"] == "alexnet"
