"""Compiled equals eager, and a machine without a compiler is told once."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from harness.lab.models import running
from harness.lab.models.classifier import Classifier
from harness.lab.models.networks import build
from tests.lab.fixtures import DIGITS

COLOUR = DIGITS.model_copy(
    update={
        "resolution": 32,
        "channels": 3,
        "classes": 100,
        "mean": (0.5071, 0.4866, 0.4409),
        "std": (0.2673, 0.2564, 0.2762),
    }
)


def test_convnet_d3_has_the_parameters_of_the_fact_sheet() -> None:
    module = build("convnet-d3", COLOUR, seed=0)
    assert sum(p.numel() for p in module.parameters()) == 504_420
    tiny = COLOUR.model_copy(update={"resolution": 64, "classes": 200})
    assert sum(p.numel() for p in build("convnet-d4", tiny, seed=0).parameters()) == 857_160


def test_its_norm_is_that_of_each_channel_of_each_image() -> None:
    norm = build("convnet-d3", COLOUR, seed=0)[1].double()
    x = torch.randn(2, 128, 5, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        norm.weight.uniform_(0.5, 2, generator=torch.Generator().manual_seed(1))
        norm.bias.uniform_(-1, 1, generator=torch.Generator().manual_seed(2))
    mean = x.mean(dim=(2, 3), keepdim=True)
    variance = ((x - mean) ** 2).mean(dim=(2, 3), keepdim=True)
    expected = (x - mean) / (variance + 1e-5).sqrt()
    expected = expected * norm.weight[:, None, None] + norm.bias[:, None, None]
    torch.testing.assert_close(norm(x), expected)


def test_without_a_compiler_networks_stay_as_they_are_and_it_is_said_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "")
    running.can_compile.cache_clear()
    network = nn.Linear(2, 2)
    assert running.compiled(network) is network
    assert running.compiled(network) is network
    running.can_compile.cache_clear()
    assert capsys.readouterr().err.count("no C++ compiler") == 1


@pytest.mark.slow
@pytest.mark.skipif(not running.can_compile(), reason="no C++ compiler")
def test_compiled_answers_and_gradients_are_those_of_eager_for_every_batch_size(
    untouched_generators: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gradients(count: int) -> tuple[torch.Tensor, torch.Tensor]:
        classifier = Classifier.fresh("convnet-d3", COLOUR, "cpu", "bfloat16", seed=0)
        shape, draws = (count, 3, 32, 32), torch.Generator().manual_seed(count)
        logits = classifier.answer(torch.randn(shape, generator=draws))
        logits.square().mean().backward()
        moved = torch.cat([p.grad.flatten() for p in classifier.network.parameters()])
        return logits.detach(), moved

    fast = [gradients(count) for count in (16, 24, 7)]
    monkeypatch.setattr("harness.lab.models.classifier.compiled", lambda network: network)
    slow = [gradients(count) for count in (16, 24, 7)]
    for ours, theirs in zip(fast, slow, strict=True):
        for a, b in zip(ours, theirs, strict=True):
            assert (a - b).norm() < 0.03 * b.norm()
