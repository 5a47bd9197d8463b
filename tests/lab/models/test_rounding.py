import pytest
import torch
from torch import nn

from harness.lab.models import running
from harness.lab.models.running import bfloat16_products

LITTLE = 2**-10
"""Lost beside 1 in the 8 bits of bfloat16, kept in the 24 of float32."""


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "has_bfloat16", lambda: False)


def layer(kind: str) -> tuple[nn.Module, torch.Tensor]:
    made = nn.Linear(4, 3) if kind == "linear" else nn.Conv2d(4, 3, 1)
    shape = (2, 4) if kind == "linear" else (2, 4, 5, 5)
    drawn = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weight in made.parameters():
            weight.copy_(torch.randn(weight.shape, generator=drawn))
    return made, torch.randn(shape, generator=drawn)


@pytest.mark.parametrize("kind", ["linear", "convolution"])
def test_factors_and_sums_are_rounded_as_autocast_rounds_them(kind: str, without: None) -> None:
    network, inputs = layer(kind)
    found = {}
    for name, arithmetic in (
        ("rounded", bfloat16_products("cpu")),
        ("autocast", torch.autocast("cpu", torch.bfloat16)),
    ):
        network.zero_grad()
        with arithmetic:
            outputs = network(inputs)
        assert outputs.dtype == torch.bfloat16
        outputs.float().square().sum().backward()
        found[name] = [outputs.float().detach(), *(weight.grad for weight in network.parameters())]
    for ours, theirs in zip(found["rounded"], found["autocast"], strict=True):
        # Half a unit in the last of eight bits, and the order of a few sums.
        torch.testing.assert_close(ours, theirs, rtol=2**-7, atol=2**-7)


@pytest.mark.parametrize("compiles", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_what_bfloat16_cannot_hold_is_lost_before_the_product(
    compiles: bool, without: None
) -> None:
    network = nn.Linear(2, 1, bias=False)
    forward = running.compiled(network) if compiles else network
    both = torch.tensor([[1 + LITTLE, -1.0], [1.0, -1.0]])
    for weights in both, both.flip(0):
        with torch.no_grad(), bfloat16_products("cpu"):
            network.weight.copy_(weights[:1].abs() * torch.tensor([[1.0, -1.0]]))
            # In float32 the difference would be one or two LITTLE.
            assert forward(weights.abs()).tolist() == [[0.0]] * 2
