"""Forward hooks on the layers of a network."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from harness.lab.models.running import last_linear, layer_inputs


def layers() -> nn.Sequential:
    return nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2), nn.Tanh())


def test_each_pass_gives_the_inputs_of_the_named_layers_with_their_graph() -> None:
    network, received = layers(), []
    with layer_inputs({"a": network[0], "b": network[2]}, lambda *pair: received.append(pair)):
        for image in (images := torch.randn(2, 5, 3, generator=torch.Generator())):
            network(image)
    assert [name for name, _ in received] == ["a", "b"] * 2
    for image, (_, first), (_, second) in zip(images, received[::2], received[1::2], strict=True):
        assert torch.equal(first, image)
        assert torch.equal(second, network[1](network[0](image)))
        assert second.requires_grad
    assert last_linear(network) is network[2]


def test_no_hook_outlives_its_context_or_an_error_in_it() -> None:
    network, received = layers(), []

    def receive(name: int, entering: Tensor) -> None:
        received.append(name)
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"), layer_inputs({0: network[0]}, receive):
        network(torch.zeros(1, 3))
    network(torch.zeros(1, 3))
    assert received == [0]
