"""The parameter counts that the audit trusts are those of the networks that are run."""

from __future__ import annotations

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from harness.lab.models.networks import build
from harness.lab.recipe import DatasetRef
from harness.spec.paper import load_paper
from tests.judge.audit.papers import SPECS
from tests.lab.fixtures import DIGITS

PAPER = load_paper(SPECS)
NETWORKS = PAPER.networks
CIFAR10 = {"classes": 10, "resolution": 32, "channels": 3, "mean": (0.5,) * 3, "std": (0.5,) * 3}
"""CIFAR-10 is no data set of the paper, which counts a network on it all the same."""


def dataset(name: str) -> DatasetRef:
    """Only the shape of its images and the number of its classes matter here."""
    known = CIFAR10 if name == "cifar10" else PAPER.dataset(name).fields
    return DIGITS.model_copy(update={"name": name} | dict(known))


@pytest.mark.parametrize(
    ("name", "on"), [(n, d) for n, spec in NETWORKS.items() for d in spec.parameters]
)
def test_counts_are_those_of_the_network(name: str, on: str) -> None:
    shape = dataset(on)
    with torch.device("meta"):
        network = build(name, shape, seed=0).eval()
        logits = network(torch.zeros(2, shape.channels, shape.resolution, shape.resolution))
    assert logits.shape == (2, shape.classes), "it runs on the data set"
    assert NETWORKS[name].parameters[on] == sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize("name", NETWORKS)
def test_costs_are_those_of_the_network(name: str) -> None:
    spec = NETWORKS[name]
    shapes = [dataset(on) for on in spec.parameters]
    shape = next(shape for shape in shapes if shape.resolution == spec.resolution)
    with torch.device("meta"):
        network = build(name, shape, seed=0).eval()
        with FlopCounterMode(display=False) as counter:
            network(torch.zeros(1, shape.channels, spec.resolution, spec.resolution))
    assert spec.forward_flops == pytest.approx(counter.get_total_flops(), rel=0.03), (
        "whatever its classes"
    )


def test_no_network_is_left_uncounted() -> None:
    assert all(spec.parameters for spec in NETWORKS.values())
