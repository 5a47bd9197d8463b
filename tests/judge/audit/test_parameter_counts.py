"""The parameter counts that the audit trusts are those of real networks, built here in torch."""

from __future__ import annotations

from typing import Any

import pytest

from harness.spec.paper import load_paper
from tests.judge.audit.papers import SPECS

torch = pytest.importorskip("torch")
nn = torch.nn
SHAPES = {
    "cifar10": (3, 32, 10),
    "cifar100": (3, 32, 100),
    "tiny-imagenet": (3, 64, 200),
    "imagenet1k": (3, 224, 1000),
    "digits": (1, 8, 10),
}
"""Data set -> channels, side in pixels, classes."""


def convnet(depth: int, width: int, norm: Any, shape: tuple[int, int, int]) -> Any:
    """`depth` blocks of 3x3 convolution, norm, ReLU and 2x2 average pooling; one linear layer."""
    channels, side, classes = shape
    layers = []
    for index in range(depth):
        conv = nn.Conv2d(channels if index == 0 else width, width, 3, padding=1)
        layers += [conv, norm(width), nn.ReLU(), nn.AvgPool2d(2)]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(width * (side >> depth) ** 2, classes))


def mlp(shape: tuple[int, int, int]) -> Any:
    channels, side, classes = shape
    first = nn.Linear(channels * side**2, 128)
    return nn.Sequential(
        nn.Flatten(), first, nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, classes)
    )


class Block(nn.Module):  # type: ignore[misc]
    """A residual block of convolutions `(kernel, width)`, the first of which may have a stride."""

    def __init__(self, inputs: int, widths: list[tuple[int, int]], stride: int) -> None:
        super().__init__()
        layers: list[Any] = []
        at = inputs
        strided = next(i for i, (kernel, _) in enumerate(widths) if kernel == 3)
        for index, (kernel, width) in enumerate(widths):
            step = stride if index == strided else 1
            conv = nn.Conv2d(at, width, kernel, step, padding=kernel // 2, bias=False)
            layers += [conv, norm(width), nn.ReLU()]
            at = width
        self.body = nn.Sequential(*layers[:-1])
        self.skip = nn.Sequential()
        if stride != 1 or inputs != at:
            self.skip = nn.Sequential(nn.Conv2d(inputs, at, 1, stride, bias=False), norm(at))

    def forward(self, x: Any) -> Any:
        return torch.relu(self.body(x) + self.skip(x))


def norm(width: int) -> Any:
    """Instance norm with scale and shift: one group a channel."""
    return nn.GroupNorm(width, width)


def resnet(depth: int, stem: str, shape: tuple[int, int, int]) -> Any:
    """ResNet-18 of two convolutions a block, or ResNet-152 of bottlenecks."""
    counts = {18: (2, 2, 2, 2), 152: (3, 8, 36, 3)}[depth]
    if stem == "cifar":
        layers = [nn.Conv2d(3, 64, 3, padding=1, bias=False), norm(64), nn.ReLU()]
    else:
        conv = nn.Conv2d(3, 64, 7, 2, padding=3, bias=False)
        layers = [conv, norm(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    at = 64
    for stage, count in enumerate(counts):
        w = 64 * 2**stage
        widths = [(3, w), (3, w)] if depth == 18 else [(1, w), (3, w), (1, 4 * w)]
        for index in range(count):
            layers.append(Block(at, widths, 2 if stage and not index else 1))
            at = widths[-1][1]
    pooled = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    return nn.Sequential(*layers, pooled, nn.Linear(at, shape[2]))


def build(name: str, shape: tuple[int, int, int]) -> Any:
    if name == "mlp":
        return mlp(shape)
    if name == "convnet-digits":
        return convnet(2, 32, nn.BatchNorm2d, shape)
    if name.startswith("convnet-d"):
        return convnet(int(name[-1]), 128, norm, shape)
    if name.endswith(("-cifar", "-imagenet-stem")):
        base, _, stem = name.partition("-")
        return resnet(int(base.removeprefix("resnet")), stem, shape)
    from torchvision.models import get_model

    return get_model(name.replace("-", "_"), weights=None, num_classes=shape[2])


NETWORKS = load_paper(SPECS).networks


@pytest.mark.parametrize(
    ("name", "dataset"), [(n, d) for n, spec in NETWORKS.items() for d in spec.parameters]
)
def test_counts_are_those_of_the_network(name: str, dataset: str) -> None:
    channels, side, classes = shape = SHAPES[dataset]
    with torch.device("meta"):
        network = build(name, shape).eval()
        logits = network(torch.zeros(2, channels, side, side))
    assert logits.shape == (2, classes), "it runs on the data set"
    assert NETWORKS[name].parameters[dataset] == sum(p.numel() for p in network.parameters())


def test_no_network_is_left_uncounted() -> None:
    assert all(spec.parameters for spec in NETWORKS.values())
