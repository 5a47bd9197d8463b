"""SRe2L, DWA and FADRM: losses, gradients and steps against small computations of their own."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from torch import Generator, Tensor, nn
from torch.func import functional_call
from torch.nn import functional

from harness.errors import UserError
from harness.lab.data import sets
from harness.lab.data.pictures import through_jpeg
from harness.lab.distill.recover import (
    DwaParams,
    FadrmParams,
    RecoverParams,
    distill_dwa,
    distill_fadrm,
    distill_sre2l,
)
from harness.lab.distill.recovery import Recovery, batchnorm_layers, recovery_loss
from harness.lab.distill.synthesis import as_bytes
from harness.lab.measure.dcs.losses import bn_loss
from harness.lab.models import networks
from harness.lab.models.classifier import Classifier
from harness.lab.probing import DATASET
from harness.lab.train.teacher import TeacherParams
from harness.lab.train.teacher import teacher as train_teacher
from harness.plan.step import MemoryInput, StepResult
from tests.lab.fixtures import DIGITS, HARD_LABELS, NETWORK, as_input, changed, context, held
from tests.lab.fixtures import as_bytes as bytes_of
from tests.lab.measure.test_batchnorm import bn_params

TRAIN = sets.load(DATASET).train
CLASSES, BN = 4, 0.3
ROWS = np.concatenate([np.flatnonzero(TRAIN.labels == label)[:2] for label in range(CLASSES)])
START = held(indices=ROWS, labels=TRAIN.labels[ROWS])
COMMON: dict[str, Any] = {
    "dataset": DATASET,
    "network": NETWORK,
    "per_class": 2,
    "class_batch": 3,
    "iterations": 1,
    "learning_rate_pixels": 0.25,
    "bn_weight": BN,
    "first_layer_weight": 10.0,
    "variance_weight": 2.0,
    "augmentation": "none",
    "crop_scale": (0.3, 1.0),
    "roll": 0,
    "precision": "float64",
}
BLACK, WHITE = -2.0, 2.0
"""What pixels of the probe's data can be, once they are normalised."""


@pytest.fixture
def teacher(tmp_path: Path) -> tuple[nn.Module, MemoryInput]:
    """A network whose norms keep the statistics of real images, and its record; float64."""
    network = networks.build(NETWORK, DATASET, seed=3).double()
    for layer in network:
        layer.momentum = 1.0
    network(normalised(np.arange(24)))
    return network.eval(), recorded(network, tmp_path)


def recorded(network: nn.Module, folder: Path) -> MemoryInput:
    state = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    save_file(state, folder / "weights.safetensors")
    return MemoryInput(files={"weights": folder / "weights.safetensors"})


def normalised(rows: np.ndarray) -> Tensor:
    return (torch.from_numpy(TRAIN.images[rows].transpose(0, 3, 1, 2) / 255) - 0.5) / 0.25


def objective(network: nn.Module, images: Tensor, labels: Tensor, weights: Any = None) -> Tensor:
    """Without hooks, layer by layer: cross-entropy, and statistics of what enters the norms."""
    state = dict(network.state_dict()) | dict(weights or {})
    maps, matched, first = images, torch.zeros(()), True
    for place, layer in enumerate(network):
        if isinstance(layer, nn.BatchNorm2d):
            weight, first = 10.0 if first else 1.0, False
            mean, variance = maps.mean(dim=(0, 2, 3)), maps.var(dim=(0, 2, 3), unbiased=False)
            away = torch.sqrt(((mean - layer.running_mean) ** 2).sum())
            wide = torch.sqrt(((variance - layer.running_var) ** 2).sum())
            matched = matched + weight * (away + 2.0 * wide)
        own = {n.partition(".")[2]: t for n, t in state.items() if n.startswith(f"{place}.")}
        maps = functional_call(layer, own, (maps,))
    return functional.cross_entropy(maps, labels) + BN * matched


def slope(network: nn.Module, images: Tensor, labels: Tensor, weights: Any = None) -> Tensor:
    return torch.func.grad(lambda x: objective(network, x, labels, weights))(images)


def sre2l(teacher: MemoryInput, **fields: Any) -> StepResult:
    params = RecoverParams(**COMMON | fields)
    return distill_sre2l(params, {"teacher": teacher}, context("distill_sre2l"))


def dwa(teacher: MemoryInput, **fields: Any) -> StepResult:
    climbs = {"perturbation_iterations": 2, "perturbation_size": 0.5}
    params = DwaParams(**COMMON | climbs | fields)
    return distill_dwa(params, {"start": START, "teacher": teacher}, context("distill_dwa"))


def fadrm(teacher: MemoryInput, **fields: Any) -> StepResult:
    params = FadrmParams(**COMMON | {"stages": (8, 8), "residual": 0.5} | fields)
    return distill_fadrm(params, {"start": START, "teacher": teacher}, context("distill_fadrm"))


def test_the_loss_and_its_slope_are_those_of_the_formula(
    teacher: tuple[nn.Module, MemoryInput],
) -> None:
    params = RecoverParams(**COMMON)
    own = Classifier(teacher[0], DATASET, "cpu", "float64")
    layers = batchnorm_layers(own)
    images, labels = normalised(ROWS[:3]).requires_grad_(), torch.tensor([2, 0, 1])
    loss = recovery_loss(params, own, layers, images, labels)
    assert loss.item() == pytest.approx(objective(teacher[0], images, labels).item(), rel=1e-12)
    (ours,) = torch.autograd.grad(loss, images)
    torch.testing.assert_close(ours, slope(teacher[0], images.detach(), labels))
    place = (1, 0, 4, 3)
    ends = []
    for sign in (1, -1):
        moved = images.detach().clone()
        moved[place] += sign * 1e-6
        ends.append(recovery_loss(params, own, layers, moved, labels).item())
    assert ours[place].item() == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-5)


def test_the_first_step_is_adams_within_black_and_white(
    teacher: tuple[nn.Module, MemoryInput],
) -> None:
    """Adam's first step is the rate times the sign of the slope, whatever its size."""
    made = fadrm(teacher[1], stages=(8,))
    for image, classes in ((0, [0, 1, 2]), (1, [3])):
        rows, labels = ROWS[[2 * label + image for label in classes]], torch.tensor(classes)
        start = normalised(rows)
        moved = start - 0.25 * slope(teacher[0], start, labels).sign()
        expected = as_bytes(moved.clamp(BLACK, WHITE), DATASET)
        own = made.arrays["images"][[2 * label + image for label in classes]]
        assert (own == expected).all()
    assert made.arrays["labels"].tolist() == [0, 0, 1, 1, 2, 2, 3, 3]


def test_the_second_stage_descends_from_the_mixture(teacher: tuple[nn.Module, MemoryInput]) -> None:
    """Two stages of one step, each the first of a new Adam: a step of the rate against the slope.

    Between them a quarter of what was reached and three quarters of the patch (FADRM's residual).
    """
    made = fadrm(teacher[1], iterations=1, class_batch=4, residual=0.25)
    labels = torch.arange(CLASSES)
    for image in (0, 1):
        patch = normalised(ROWS[image::2])
        reached = patch - 0.25 * slope(teacher[0], patch, labels).sign()
        mixed = 0.25 * reached.clamp(BLACK, WHITE) + 0.75 * patch
        ended = mixed - 0.125 * slope(teacher[0], mixed, labels).sign()
        expected = as_bytes(ended.clamp(BLACK, WHITE), DATASET)
        assert (made.arrays["images"][image::2] == expected).all()


def test_the_rate_falls_by_a_cosine_over_all_stages(
    teacher: tuple[nn.Module, MemoryInput], monkeypatch: pytest.MonkeyPatch
) -> None:
    rates: list[float] = []
    step = torch.optim.Adam.step

    def noted(self: torch.optim.Adam) -> None:
        rates.append(self.param_groups[0]["lr"])
        step(self)

    monkeypatch.setattr(torch.optim.Adam, "step", noted)
    fadrm(teacher[1], iterations=4, class_batch=4)
    expected = [0.25 * (1 + np.cos(np.pi * i / 8)) / 2 for i in range(8)]
    # The same for the first image of every class and for the second.
    assert rates == pytest.approx(expected * 2)


def test_noise_has_unit_variance_and_is_its_own_for_every_batch(
    teacher: tuple[nn.Module, MemoryInput], untouched_generators: None
) -> None:
    made = sre2l(teacher[1], learning_rate_pixels=1e-9, per_class=6)
    pixels = made.arrays["images"] / 255
    # Of a standard normal cut off at +-2, scaled to a quarter.
    assert pixels.mean() == pytest.approx(0.5, abs=0.02)
    assert pixels.std() / 0.25 == pytest.approx(0.96, abs=0.03)
    assert len({image.tobytes() for image in made.arrays["images"]}) == 24
    assert bytes_of(made) == bytes_of(sre2l(teacher[1], learning_rate_pixels=1e-9, per_class=6))


def test_a_view_is_one_crop_and_roll_for_the_whole_batch(
    teacher: tuple[nn.Module, MemoryInput],
) -> None:
    params = RecoverParams(**COMMON | {"augmentation": "rrc-flip", "roll": 3})
    own = Classifier(teacher[0], DATASET, "cpu", "float64")
    recovery = Recovery(params, own, (), context("x"))
    image = normalised(ROWS[:1]).expand(5, 1, 8, 8)
    seen = [recovery.view(image, Generator().manual_seed(seed)) for seed in range(6)]
    for view in seen:
        assert view.shape == (5, 1, 8, 8)
        torch.testing.assert_close(view, view[:1].expand_as(view))
    assert len({view[0].numpy().tobytes() for view in seen}) == 6
    rolled = Recovery(RecoverParams(**COMMON | {"roll": 3}), own, (), context("x"))
    view = rolled.view(image, Generator().manual_seed(1))
    shifts = [(a, b) for a in range(4) for b in range(4)]
    assert any(torch.equal(view, image.roll(shift, dims=(2, 3))) for shift in shifts)


def test_dwa_climbs_before_each_batch_and_starts_again_with_the_next_image(
    teacher: tuple[nn.Module, MemoryInput],
) -> None:
    network, record = teacher
    made = dwa(record)
    for image in range(2):
        weights = {n: p.detach().clone() for n, p in network.named_parameters()}
        for classes in ([0, 1, 2], [3]):
            places = [2 * label + image for label in classes]
            start, labels = normalised(ROWS[places]), torch.tensor(classes)

            def loss(w: Any, x: Tensor = start, y: Tensor = labels) -> Tensor:
                buffers = dict(network.named_buffers())
                return functional.cross_entropy(functional_call(network, {**buffers, **w}, (x,)), y)

            for _ in range(2):
                up = torch.func.grad(loss)(weights)
                length = torch.sqrt(sum((g**2).sum() for g in up.values()))
                weights = {n: w + 0.25 * up[n] / length for n, w in weights.items()}
            moved = start - 0.25 * slope(network, start, labels, weights).sign()
            expected = as_bytes(moved.clamp(BLACK, WHITE), DATASET)
            assert (made.arrays["images"][places] == expected).all()
    unmoved = dwa(record, perturbation_size=0.0)
    assert (unmoved.arrays["images"] == fadrm(record, stages=(8,)).arrays["images"]).all()
    assert (unmoved.arrays["images"] != made.arrays["images"]).any()


@pytest.mark.parametrize("residual", [0.0, 0.25, 1.0])
def test_patches_are_mixed_in_at_the_next_resolution(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, residual: float
) -> None:
    """With a rate of almost nothing, all that happens is resizing and mixing."""
    any_side = nn.Sequential(
        nn.Conv2d(1, 3, 3, padding=1), nn.BatchNorm2d(3), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(3, CLASSES),
    ).double()  # fmt: skip
    monkeypatch.setitem(networks.NETWORKS, NETWORK, lambda _: any_side)
    fields = {"stages": (4, 8), "residual": residual, "learning_rate_pixels": 1e-9}
    made = fadrm(recorded(any_side, tmp_path), **fields)
    patches = normalised(ROWS)
    to = partial(functional.interpolate, mode="bilinear", align_corners=False)
    coarse = to(to(patches, size=(4, 4)), size=(8, 8))
    expected = as_bytes(residual * coarse + (1 - residual) * patches, DATASET)
    # A value on the border of two bytes may fall to either side.
    assert np.abs(made.arrays["images"].astype(int) - expected).max() <= 1
    assert made.arrays["losses"].shape == (4, 2)


def test_what_starts_from_images_needs_one_for_each(teacher: tuple[nn.Module, MemoryInput]) -> None:
    with pytest.raises(UserError, match=r"a recovery of 1 images a class .* holds 2 to 2"):
        dwa(teacher[1], per_class=1)


@pytest.mark.parametrize("make", [sre2l, dwa, fadrm])
def test_a_network_without_batch_norm_remembers_nothing(make: Any, tmp_path: Path) -> None:
    plain = networks.build("convnet-digits-instance", DATASET, seed=0).double()
    with pytest.raises(UserError, match="needs a teacher with BatchNorm layers"):
        make(recorded(plain, tmp_path), network="convnet-digits-instance")


def test_jpeg_loses_a_little_and_only_where_it_is_asked_for() -> None:
    images = np.linspace(0, 255, 2 * 16 * 16 * 3).reshape(2, 16, 16, 3).astype(np.uint8)
    assert through_jpeg(images, 0) is images
    lost = np.abs(through_jpeg(images, 75).astype(int) - images)
    assert 0 < lost.max() < 60
    grey = through_jpeg(images[..., :1], 95)
    assert grey.shape == (2, 16, 16, 1)
    assert np.abs(grey.astype(int) - images[..., :1]).mean() < 2


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> list[MemoryInput]:
    """Two networks of their own, trained on digits."""
    recipe = changed(HARD_LABELS, epochs=4, learning_rate=0.1)
    params = TeacherParams(dataset=DIGITS, network=NETWORK, recipe=recipe)
    records = []
    for seed in range(2):
        state = train_teacher(params, {}, context("teacher", seed)).tensors["weights"]
        file = tmp_path_factory.mktemp("trained") / "weights.safetensors"
        save_file(dict(state), file)
        records.append(MemoryInput(files={"weights": file}))
    return records


@pytest.mark.parametrize("step", ["distill_sre2l", "distill_dwa", "distill_fadrm"])
def test_a_synthesis_lowers_its_loss_on_a_network_that_it_has_not_seen(
    trained: list[MemoryInput], step: str
) -> None:
    teacher, other = trained
    chosen = [np.flatnonzero(sets.load(DIGITS).train.labels == label)[:2] for label in range(10)]
    rows = np.concatenate(chosen)
    blank = held(
        images=np.random.default_rng(0).integers(0, 256, (20, 8, 8, 1)).astype(np.uint8),
        labels=np.repeat(np.arange(10), 2),
    )
    digits = held(indices=rows, labels=np.repeat(np.arange(10), 2))
    fields = COMMON | {"dataset": DIGITS, "class_batch": 10, "iterations": 40, "roll": 1}
    made: StepResult
    if step == "distill_sre2l":
        before = blank
        made = distill_sre2l(RecoverParams(**fields), {"teacher": teacher}, context(step))
    elif step == "distill_dwa":
        before = digits
        climbs = {"perturbation_iterations": 3, "perturbation_size": 0.015}
        given = {"teacher": teacher, "start": digits}
        made = distill_dwa(DwaParams(**fields, **climbs), given, context(step))
    else:
        before = digits
        stages = {"stages": (8, 8), "residual": 0.5}
        given = {"teacher": teacher, "start": digits}
        made = distill_fadrm(FadrmParams(**fields, **stages), given, context(step))
    assert made.values["last_loss"] < made.values["first_loss"]
    measured = bn_params(per_class=2, bn_weight=BN, cross_entropy=True, variance_weight=2.0)
    after, was = (
        bn_loss(measured, {"images": images, "teacher": other}, context("bn_loss")).values["loss"]
        for images in (as_input(made), before)
    )
    assert after < 0.9 * was
