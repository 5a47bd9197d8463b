"""The objectives of the distillers against closed forms, finite differences and plain loops."""

from __future__ import annotations

import copy
import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from harness.lab.distill.losses import (
    dm_loss,
    embedding,
    gradient_distance,
    gradients,
    tm_loss,
    unrolled,
)
from harness.lab.models.networks import NORMS, convnet
from tests.lab.fixtures import DIGITS


def drawn(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, dtype=torch.float64, generator=generator)


def network(seed: int = 0) -> nn.Module:
    """A small ConvNet with instance norm, as the distillers use."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return convnet(DIGITS, 4, 2, NORMS["instance"]).double()


def slopes_of(function, at: Tensor, entries: list[int], step: float = 1e-5) -> list[float]:
    """Central differences of a scalar function in some entries of a tensor."""
    slopes = []
    for entry in entries:
        moved = []
        for sign in (1, -1):
            other = at.detach().clone()
            other.view(-1)[entry] += sign * step
            moved.append(function(other).item())
        slopes.append((moved[0] - moved[1]) / (2 * step))
    return slopes


def assert_gradient(function, at: Tensor, entries: list[int]) -> None:
    at = at.detach().clone().requires_grad_()
    (found,) = torch.autograd.grad(function(at), at)
    expected = slopes_of(function, at, entries)
    assert any(abs(slope) > 1e-6 for slope in expected)
    assert found.view(-1)[entries].tolist() == pytest.approx(expected, rel=1e-4, abs=1e-8)


def test_the_embedding_is_what_the_last_layer_reads() -> None:
    net, images = network(), drawn(3, 1, 8, 8)
    features = embedding(net, images)
    assert features.shape == (3, 16)
    torch.testing.assert_close(net[-1](features), net(images))
    assert features.requires_grad
    assert not net[-1]._forward_pre_hooks


def test_dm_loss_by_hand_and_zero_for_equal_means() -> None:
    real = torch.tensor([[1.0, 0.0], [3.0, 4.0]])
    made = torch.tensor([[0.0, 5.0]])
    assert dm_loss(real, made).item() == (2 - 0) ** 2 + (2 - 5) ** 2
    assert dm_loss(real, real.repeat(3, 1)).item() == 0


def test_dm_gradient_has_its_closed_form() -> None:
    # With f the identity, d/dx_i of |a - mean x|^2 is -2 (a - mean x) / m.
    real, made = drawn(7, 5), drawn(4, 5, seed=1).requires_grad_()
    dm_loss(real, made).backward()
    expected = -2 * (real.mean(0) - made.detach().mean(0)) / 4
    torch.testing.assert_close(made.grad, expected.expand(4, 5))


def test_dm_gradient_through_a_network_by_finite_differences() -> None:
    net, real = network(), embedding(network(), drawn(6, 1, 8, 8)).detach()
    assert_gradient(
        lambda images: dm_loss(real, embedding(net, images)), drawn(2, 1, 8, 8, seed=2), [0, 30, 99]
    )


def test_cross_entropy_gradients_of_a_linear_network_have_their_closed_form() -> None:
    # d CE / dW = (p - y) x^T / n, d CE / db = mean (p - y).
    net = nn.Sequential(nn.Flatten(), nn.Linear(4, 3)).double()
    images, labels = drawn(5, 1, 2, 2), torch.tensor([0, 2, 1, 1, 0])
    error = net(images).detach().softmax(1) - functional.one_hot(labels, 3)
    weight, bias = gradients(net, images, labels)
    torch.testing.assert_close(weight, error.T @ images.flatten(1) / 5)
    torch.testing.assert_close(bias, error.mean(0))
    soft = gradients(net, images, functional.one_hot(labels, 3).double())
    torch.testing.assert_close(soft[0], weight)


def test_row_distance_by_hand() -> None:
    # Rows of a matrix: parallel (0), opposite (2), at a right angle (1). A bias does not count.
    real = [torch.tensor([[1.0, 0.0], [1.0, 1.0], [2.0, 0.0]]).double(), torch.ones(3).double()]
    made = [torch.tensor([[5.0, 0.0], [-1.0, -1.0], [0.0, 3.0]]).double(), -torch.ones(3).double()]
    assert gradient_distance(real, made).item() == pytest.approx(3, abs=1e-5)
    # A kernel counts by output channels, each flattened.
    kernel = drawn(2, 3, 3, 3)
    other = torch.stack([-kernel[0], kernel[1]])
    assert gradient_distance([kernel], [other]).item() == pytest.approx(2, abs=1e-5)
    # A row without a gradient is at distance 1, and does not divide by zero.
    assert gradient_distance([torch.zeros(2, 4)], [torch.ones(2, 4)]).item() == 2


def test_the_other_distances_are_those_of_one_long_vector() -> None:
    real, made = [drawn(3, 4), drawn(3)], [drawn(3, 4, seed=1), drawn(3, seed=2)]
    a, b = (np.concatenate([part.numpy().ravel() for part in side]) for side in (real, made))
    cosine = a @ b / math.sqrt(a @ a * (b @ b))
    found = gradient_distance(real, made, "cosine").item()
    assert found == pytest.approx(1 - cosine, abs=1e-6)
    found = gradient_distance(real, made, "mse").item()
    assert found == pytest.approx(((a - b) ** 2).sum())


@pytest.mark.parametrize("distance", ["cosine-rows", "cosine", "mse"])
def test_matched_gradients_differentiate_to_the_images(distance: str) -> None:
    net, labels = network(), torch.tensor([3, 3])
    real = gradients(net, drawn(6, 1, 8, 8), torch.full((6,), 3))

    def loss(images: Tensor) -> Tensor:
        made = gradients(net, images, labels, differentiable=True)
        return gradient_distance(real, made, distance)

    assert_gradient(loss, drawn(2, 1, 8, 8, seed=3), [1, 40, 100])


def stepped(net: nn.Module, batches, rate: float) -> nn.Module:
    """Torch's own optimiser on a copy."""
    net = copy.deepcopy(net)
    optimizer = torch.optim.SGD(net.parameters(), lr=rate)
    for images, labels in batches:
        optimizer.zero_grad()
        functional.cross_entropy(net(images), labels).backward()
        optimizer.step()
    return net


def start_of(net: nn.Module) -> dict[str, Tensor]:
    return {name: p.detach().clone().requires_grad_() for name, p in net.named_parameters()}


def test_unrolled_steps_are_those_of_plain_sgd() -> None:
    net = network()
    before = copy.deepcopy(net.state_dict())
    batches = [(drawn(3, 1, 8, 8, seed=s), torch.tensor([s, 4, 9])) for s in range(4)]
    found = unrolled(net, start_of(net), batches, 0.3)
    expected = stepped(net, batches, 0.3)
    for name, parameter in expected.named_parameters():
        torch.testing.assert_close(found[name], parameter)
    for name, tensor in net.state_dict().items():
        assert torch.equal(tensor, before[name])


def test_running_statistics_of_the_network_stay() -> None:
    net = convnet(DIGITS, 4, 1, NORMS["batch"]).double().train()
    unrolled(net, start_of(net), [(drawn(4, 1, 8, 8), torch.arange(4))], 0.1)
    assert torch.equal(net[1].running_mean, torch.zeros(4).double())


def test_tm_loss_is_one_where_nothing_moved_and_zero_at_the_target() -> None:
    start, target = start_of(network(0)), start_of(network(1))
    assert tm_loss(start, start, target).item() == 1
    assert tm_loss(start, target, target).item() == 0
    half = {name: (start[name] + target[name]) / 2 for name in start}
    assert tm_loss(start, half, target).item() == pytest.approx(0.25)
    assert tm_loss(start, unrolled(network(), start, [], 0.1), target).item() == 1


@pytest.mark.parametrize("learned", ["images", "rate", "targets"])
def test_tm_loss_differentiates_to_what_is_learned(learned: str) -> None:
    net, target = network(), start_of(stepped(network(), [(drawn(9, 1, 8, 8), torch.arange(9))], 1))
    start = start_of(net)
    held = {
        "images": drawn(2, 1, 8, 8, seed=5),
        "rate": torch.tensor([0.2], dtype=torch.float64),
        "targets": drawn(2, 10, seed=6),
    }

    def loss(changed: Tensor) -> Tensor:
        use = held | {learned: changed}
        pair = (use["images"], use["targets"].softmax(dim=1))
        return tm_loss(start, unrolled(net, start, [pair] * 3, use["rate"]), target)

    assert_gradient(loss, held[learned], [0] if learned == "rate" else [0, 7, 19])


def test_the_rate_that_tm_learns_falls_to_the_right_side() -> None:
    """One step on the very batch of the target: its own rate is the best, and has no slope."""
    net, batch = network(), (drawn(5, 1, 8, 8), torch.arange(5))
    start, target = start_of(net), start_of(stepped(net, [batch], 0.4))

    def slope(at: float) -> float:
        rate = torch.tensor(at, dtype=torch.float64, requires_grad=True)
        loss = tm_loss(start, unrolled(net, start, [batch], rate), target)
        return torch.autograd.grad(loss, rate)[0].item()

    assert slope(0.3) < 0 < slope(0.5)
    # The loss is (1 - rate / 0.4)^2 here.
    assert slope(0.3) == pytest.approx(-2 * (1 - 0.75) / 0.4)
    assert slope(0.4) == pytest.approx(0, abs=1e-9)
