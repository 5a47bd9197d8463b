"""The loss of batch-norm statistics: by hand, by an official formula, and what it cannot see."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from torch import nn
from torch.nn import functional

from harness.errors import UserError
from harness.lab.data import sets
from harness.lab.distill.recovery import climb
from harness.lab.measure.dcs.losses import BnLossParams, bn_loss
from harness.lab.measure.dcs.repeat import RepeatParams, repeat
from harness.lab.models import networks
from harness.lab.models.classifier import Classifier
from harness.lab.train.loop import Examples
from harness.plan.step import MemoryInput
from tests.lab.fixtures import DIGITS, NETWORK, as_input, context, held

TRAIN = sets.load(DIGITS).train
PER_CLASS = 4


@pytest.fixture
def teacher(tmp_path: Path) -> tuple[nn.Module, MemoryInput]:
    """A network whose norms keep the statistics of real images, and its record; float64."""
    network = networks.build(NETWORK, DIGITS, seed=3).double()
    for layer in network:
        layer.momentum = 1.0
    network(normalised(np.arange(200)))
    state = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    save_file(state, tmp_path / "weights.safetensors")
    return network.eval(), MemoryInput(files={"weights": tmp_path / "weights.safetensors"})


def normalised(rows: np.ndarray) -> torch.Tensor:
    pixels = torch.from_numpy(TRAIN.images[rows].transpose(0, 3, 1, 2) / 255)
    return (pixels - DIGITS.mean[0]) / DIGITS.std[0]


def subset(per_class: int = PER_CLASS, skip: int = 0) -> np.ndarray:
    rows = [np.flatnonzero(TRAIN.labels == k)[skip : skip + per_class] for k in range(10)]
    return np.concatenate(rows)


def bn_params(**fields) -> BnLossParams:
    """The loss of Equation 1 on the whole subset, but for `fields`."""
    settings = {
        "dataset": DIGITS,
        "network": NETWORK,
        "per_class": PER_CLASS,
        "variance": "biased",
        "aggregation": "whole",
        "batch_size": 20,
        "batches": "class-mixed",
        "momentum": 0.1,
        "augmentation": "none",
        "crop_scale": (0.3, 0.6),
        "first_layer_weight": 1.0,
        "variance_weight": 1.0,
        "bn_weight": 1.0,
        "cross_entropy": False,
        "perturbation_iterations": 0,
        "perturbation_size": 0.0,
    }
    return BnLossParams.model_validate(settings | fields)


def loss(teacher: MemoryInput, rows: np.ndarray, **fields) -> dict[str, float]:
    params = bn_params(**{"per_class": len(rows) // 10} | fields)
    images = held(indices=rows, labels=TRAIN.labels[rows])
    return bn_loss(params, {"images": images, "teacher": teacher}, context("bn_loss")).values


def official(network: nn.Module, batch: torch.Tensor, unbiased: bool = False) -> list[tuple]:
    """What a hook on each layer sees: distances of mean and variance, in a second way."""
    found = []

    def hook(layer: nn.Module, entering: tuple[torch.Tensor], _: torch.Tensor) -> None:
        mean = entering[0].mean(dim=(0, 2, 3))
        variance = entering[0].var(dim=(0, 2, 3), unbiased=unbiased)
        found.append(((mean - layer.running_mean).norm(), (variance - layer.running_var).norm()))

    norms = [layer for layer in network if isinstance(layer, nn.BatchNorm2d)]
    hooks = [layer.register_forward_hook(hook) for layer in norms]
    with torch.no_grad():
        network(batch)
    for handle in hooks:
        handle.remove()
    return [(mean.item(), variance.item()) for mean, variance in found]


def test_one_layer_by_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The identity before one norm: its statistics are those of the pixels themselves."""
    plain = nn.Sequential(nn.BatchNorm2d(1), nn.Flatten(), nn.Linear(64, 10)).double()
    plain[0].running_mean.fill_(0.25)
    plain[0].running_var.fill_(2.0)
    monkeypatch.setitem(networks.NETWORKS, NETWORK, lambda _: plain)
    save_file({n: t.numpy() for n, t in plain.state_dict().items()}, tmp_path / "w.safetensors")
    record = MemoryInput(files={"weights": tmp_path / "w.safetensors"})
    rows = subset()
    pixels = normalised(rows).numpy()
    found = loss(record, rows, first_layer_weight=10.0, variance_weight=3.0, bn_weight=0.5)
    mean, variance = abs(pixels.mean() - 0.25), abs(pixels.var() - 2.0)
    assert found["mean_term"] == pytest.approx(10 * mean)
    assert found["variance_term"] == pytest.approx(10 * variance)
    assert found["loss"] == pytest.approx(0.5 * 10 * (mean + 3 * variance))


@pytest.mark.parametrize("unbiased", [False, True])
def test_the_whole_subset_as_one_batch_of_the_official_hook(
    teacher: tuple[nn.Module, MemoryInput], unbiased: bool
) -> None:
    rows = subset()
    layers = official(teacher[0], normalised(rows), unbiased)
    found = loss(teacher[1], rows, variance="unbiased" if unbiased else "biased")
    assert len(layers) == 2
    assert found["mean_term"] == pytest.approx(sum(mean for mean, _ in layers))
    assert found["variance_term"] == pytest.approx(sum(variance for _, variance in layers))
    with torch.no_grad():
        logits = teacher[0](normalised(rows))
    expected = functional.cross_entropy(logits, torch.from_numpy(TRAIN.labels[rows])).item()
    assert found["cross_entropy"] == pytest.approx(expected)
    added = loss(teacher[1], rows, cross_entropy=True, bn_weight=0.01)
    without = loss(teacher[1], rows, bn_weight=0.01)
    assert added["loss"] == pytest.approx(without["loss"] + expected)


def test_batches_are_averaged_in_their_losses_or_move_the_statistics(
    teacher: tuple[nn.Module, MemoryInput],
) -> None:
    """Two batches, class-mixed: the first images of all classes, then the second ones."""
    firsts, seconds = subset(1), subset(1, skip=1)
    rows = subset(2)

    def averaged(*parts: np.ndarray) -> float:
        own = [official(teacher[0], normalised(part)) for part in parts]
        return np.mean([np.sum(layers) for layers in own])

    fields = {"batch_size": 10}
    found = loss(teacher[1], rows, aggregation="mean", **fields)
    assert found["loss"] == pytest.approx(averaged(firsts, seconds))
    first_only = loss(teacher[1], firsts)["loss"]
    almost_none = loss(teacher[1], rows, aggregation="running", momentum=1e-12, **fields)
    assert almost_none["loss"] == pytest.approx(first_only)
    last_only = loss(teacher[1], rows, aggregation="running", momentum=1.0, **fields)
    assert last_only["loss"] == pytest.approx(loss(teacher[1], seconds)["loss"])
    class_wise = loss(teacher[1], rows, aggregation="mean", batches="class-wise", **fields)
    assert class_wise["loss"] == pytest.approx(averaged(rows[:10], rows[10:]))
    assert class_wise["loss"] != pytest.approx(found["loss"], rel=1e-6)


@pytest.mark.parametrize(
    "fields",
    [{}, {"cross_entropy": True}, {"perturbation_iterations": 3, "perturbation_size": 0.5}],
    ids=["statistics", "cross-entropy", "perturbed"],
)
def test_neither_order_nor_a_duplicate_of_everything_is_seen(
    teacher: tuple[nn.Module, MemoryInput], fields: dict
) -> None:
    """A mean and a biased variance are those of the distribution: repeats cannot be penalised."""
    rows = subset()
    before = loss(teacher[1], rows, **fields)["loss"]
    shuffled = np.random.default_rng(0).permutation(rows)
    assert loss(teacher[1], shuffled, **fields)["loss"] == pytest.approx(before, rel=1e-12)
    twice = np.repeat(rows, 2)
    assert loss(teacher[1], twice, **fields)["loss"] == pytest.approx(before, rel=1e-12)
    other = loss(teacher[1], subset(skip=PER_CLASS), **fields)["loss"]
    assert other != pytest.approx(before, rel=1e-3)


def test_an_unbiased_variance_and_batches_see_a_duplicate(
    teacher: tuple[nn.Module, MemoryInput],
) -> None:
    rows = subset()
    tiled = as_input(
        repeat(
            RepeatParams(dataset=DIGITS, per_class=2 * PER_CLASS),
            {"images": held(indices=rows, labels=TRAIN.labels[rows])},
            context("repeat"),
        )
    ).array("indices")
    for fields, least in (
        ({"variance": "unbiased"}, 1e-5),
        ({"aggregation": "mean", "batch_size": 20, "batches": "class-wise"}, 1e-3),
        ({"aggregation": "running", "momentum": 0.1, "batch_size": 30}, 1e-3),
    ):
        before, after = (loss(teacher[1], part, **fields)["loss"] for part in (rows, tiled))
        assert abs(after / before - 1) > least, fields


def test_half_of_a_subset_twice_is_another_subset(
    teacher: tuple[nn.Module, MemoryInput],
) -> None:
    rows = subset()
    params = RepeatParams(dataset=DIGITS, per_class=PER_CLASS)
    images = held(indices=rows, labels=TRAIN.labels[rows])
    halved = repeat(params, {"images": images}, context("repeat")).arrays["indices"]
    found = loss(teacher[1], halved)["loss"]
    assert found != pytest.approx(loss(teacher[1], rows)["loss"], rel=1e-3)
    assert found == pytest.approx(loss(teacher[1], subset(PER_CLASS // 2))["loss"], rel=1e-12)


def test_the_climb_goes_up_by_its_size_and_leaves_the_statistics(
    teacher: tuple[nn.Module, MemoryInput],
) -> None:
    rows = subset()
    examples = Examples.on("cpu", TRAIN.images[rows], TRAIN.labels[rows])
    path = teacher[1].tensors("weights")
    classifier = Classifier.stored(NETWORK, DIGITS, "cpu", path)
    before = {name: t.clone() for name, t in classifier.network.state_dict().items()}
    expected = functional.cross_entropy(
        classifier.network.eval()(normalised(rows)), examples.labels
    )
    gradients = torch.autograd.grad(expected, list(classifier.network.parameters()))
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    climb(classifier, examples, steps=1, size=0.25)
    moved = [
        (parameter - before[name]).flatten()
        for name, parameter in classifier.network.named_parameters()
    ]
    torch.testing.assert_close(torch.cat(moved), 0.25 * flat / flat.norm())
    for name, tensor in classifier.network.named_buffers():
        assert torch.equal(tensor, before[name])
    rising = [loss(teacher[1], rows)["cross_entropy"]]
    for steps, size in ((1, 0.1), (4, 0.4), (8, 0.8)):
        fields = {"perturbation_iterations": steps, "perturbation_size": size}
        rising.append(loss(teacher[1], rows, **fields)["cross_entropy"])
    assert rising == sorted(rising)


def test_crops_are_drawn_from_the_seed(
    teacher: tuple[nn.Module, MemoryInput], untouched_generators: None
) -> None:
    rows = subset()
    cropped = loss(teacher[1], rows, augmentation="rrc-flip")
    assert cropped == loss(teacher[1], rows, augmentation="rrc-flip")
    assert cropped["loss"] != pytest.approx(loss(teacher[1], rows)["loss"], rel=1e-3)


def test_what_cannot_be_measured_is_refused(
    tmp_path: Path, teacher: tuple[nn.Module, MemoryInput]
) -> None:
    rows = subset()
    with pytest.raises(UserError, match="3 images of each of 10 classes"):
        loss(teacher[1], rows, per_class=3)
    with pytest.raises(UserError, match="balanced"):
        loss(teacher[1], np.append(rows[:-1], rows[0]))
    other = networks.build("convnet-d3", DIGITS, seed=0)
    state = {name: tensor.numpy() for name, tensor in other.state_dict().items()}
    save_file(state, tmp_path / "other.safetensors")
    params = bn_params(network="convnet-d3")
    inputs = {
        "images": held(indices=rows, labels=TRAIN.labels[rows]),
        "teacher": MemoryInput(files={"weights": tmp_path / "other.safetensors"}),
    }
    with pytest.raises(UserError, match="needs a teacher with BatchNorm layers"):
        bn_loss(params, inputs, context("bn_loss"))
