"""Networks: their sizes, their initialisation, and published weights."""

from __future__ import annotations

import pytest
import torch

from harness.errors import UserError
from harness.lab.models import running
from harness.lab.models.classifier import Classifier
from harness.lab.models.networks import build
from tests.lab.fixtures import DIGITS, NETWORK

IMAGENET = DIGITS.model_copy(
    update={
        "name": "imagenet1k",
        "classes": 1000,
        "resolution": 224,
        "channels": 3,
        "mean": (0.485, 0.456, 0.406),
        "std": (0.229, 0.224, 0.225),
    }
)


@pytest.mark.parametrize(
    ("network", "dataset", "parameters"),
    [
        # Two convolutions, two batch norms of 32 channels, and a linear layer on 2 x 2 x 32.
        (NETWORK, DIGITS, (9 * 32 + 32) + (9 * 32 * 32 + 32) + 4 * 32 + (128 * 10 + 10)),
        # As torchvision documents it.
        ("resnet18", IMAGENET, 11_689_512),
    ],
)
def test_parameter_counts(network, dataset, parameters) -> None:
    module = build(network, dataset, seed=0)
    assert sum(p.numel() for p in module.parameters()) == parameters


def test_initialisation_depends_on_the_seed_alone(untouched_generators: None) -> None:
    def weights(seed: int) -> torch.Tensor:
        return torch.cat([p.flatten() for p in build(NETWORK, DIGITS, seed).parameters()])

    first = weights(1)
    with torch.random.fork_rng():
        torch.rand(3)
        assert torch.equal(first, weights(1))
    assert not torch.equal(first, weights(2))


def test_an_unknown_network_names_the_nearest() -> None:
    with pytest.raises(UserError, match=r"unknown network 'resnet81'; did you mean 'resnet18'"):
        build("resnet81", DIGITS, seed=0)


def test_predictions_are_those_of_the_normalised_images_whatever_the_batching() -> None:
    classifier = Classifier.fresh(NETWORK, DIGITS, "cpu", "float64", seed=0)
    images = torch.randint(
        0, 256, (1500, 1, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
    )
    classifier.network.eval()
    with torch.no_grad():
        expected = classifier.network((images.double() / 255 - 0.3053) / 0.3758)
    classifier.network.train()
    torch.testing.assert_close(torch.cat(list(classifier.predict(images))), expected)


@pytest.mark.parametrize("compiles", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_bfloat16_stays_near_float32_and_keeps_its_weights(
    compiles: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not compiles:  # as where there is no compiler, which takes long
        monkeypatch.setattr(running, "can_compile", lambda: False)
    wide, narrow = (
        Classifier.fresh(NETWORK, DIGITS, "cpu", precision, seed=0)
        for precision in ("float32", "bfloat16")
    )
    pixels = torch.rand(16, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    ours, exact = narrow.logits(pixels), wide.logits(pixels)
    assert ours.dtype == torch.float32
    assert {p.dtype for p in narrow.network.parameters()} == {torch.float32}
    assert 0 < (ours - exact).abs().max() < 0.05 * exact.abs().max()
