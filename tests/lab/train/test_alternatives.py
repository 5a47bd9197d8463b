"""Alternatives of the large-scale recipes, each against a case computed by hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch import Tensor, nn

from harness.lab.models.classifier import Classifier
from harness.lab.probing import DATASET, NETWORK, RECIPE, chosen, taught
from harness.lab.recipe import Recipe
from harness.lab.train.loop import Average, Examples, evaluate, training
from harness.lab.train.schedule import Schedule
from harness.lab.train.student import StudentParams, student
from harness.lab.train.student_training import divergence, online
from tests.lab.fixtures import HARD_LABELS, as_bytes, changed, context


def weights(network: nn.Module) -> list[Tensor]:
    return [parameter.detach().clone() for parameter in network.parameters()]


def runs(recipe: Recipe) -> Iterator[tuple[Classifier, int]]:
    """The network after each update of a short run, with the number of the update."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(256, (12, 8, 8, 1), generator=generator, dtype=torch.uint8).numpy()
    examples = Examples.on("cpu", images, np.arange(12) % 4)
    classifier = Classifier.fresh(NETWORK, DATASET, "cpu", "float64", seed=0)
    for update in training(classifier, examples, recipe, 36, context("student")):
        yield classifier, update.number


def test_the_moving_average_follows_its_recursion_and_leaves_the_training_alone() -> None:
    plain = changed(RECIPE, augmentation="none")
    first = weights(Classifier.fresh(NETWORK, DATASET, "cpu", "float64", seed=0).network)
    live = [weights(classifier.network) for classifier, _ in runs(plain)]
    expected = first
    for now, (classifier, _) in zip(live, runs(changed(plain, ema=0.9)), strict=True):
        expected = [0.9 * a + 0.1 * w for a, w in zip(expected, now, strict=True)]
        for ours, theirs in zip(weights(classifier.network), expected, strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-14)


def test_the_average_of_numbers_that_are_known() -> None:
    """Weights 0, then 1, 2, 3 with decay 1/2: averages 1/2, 5/4, 17/8."""
    layer = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(layer.weight)
    average = Average(layer, 0.5)
    found = []
    for value in (1.0, 2.0, 3.0):
        nn.init.constant_(layer.weight, value)
        average.follow()
        average.swap()
        found.append(layer.weight.item())
        average.swap()
        assert layer.weight.item() == value
    assert found == [0.5, 1.25, 2.125]


def test_the_average_is_what_a_student_is_judged_by() -> None:
    """Norms keep the statistics of the training: only what is learned is averaged."""
    recipe = changed(RECIPE, ema=0.9)
    kind = StudentParams(dataset=DATASET, network=NETWORK, recipe=recipe, per_class=5)
    plain = kind.model_copy(update={"recipe": RECIPE})
    given = {"images": chosen(per_class=5)}
    averaged, last = (student(params, given, context("student")) for params in (kind, plain))
    assert averaged.arrays["curve"].tolist() == last.arrays["curve"].tolist()
    assert averaged.values["loss"] != last.values["loss"]
    *_, (classifier, _) = runs(recipe)
    *_, (other, _) = runs(RECIPE)
    images = torch.zeros(4, 1, 8, 8, dtype=torch.uint8)
    assert evaluate(classifier, Examples(images, torch.arange(4))).loss > 0
    for (name, ours), theirs in zip(
        classifier.network.named_buffers(), other.network.buffers(), strict=True
    ):
        assert torch.equal(ours, theirs), name


LONG = changed(HARD_LABELS, epochs=4, batch_size=10, warmup_epochs=2)


def rates(recipe: Recipe) -> list[float]:
    """Of every update; two of them make an epoch."""
    schedule = Schedule.of(recipe, 20, recipe.run_epochs * 20)
    return [schedule.rate(step) for step in range(schedule.steps)]


def test_a_warm_up_outside_the_epochs_comes_before_them() -> None:
    outside = changed(LONG, warmup_counted=False)
    assert (LONG.run_epochs, outside.run_epochs) == (4, 6)
    assert rates(outside)[:4] == pytest.approx([0.125, 0.25, 0.375, 0.5])
    # The four epochs then fall as four epochs without a warm-up do.
    assert rates(outside)[4:] == pytest.approx(rates(changed(LONG, warmup_epochs=0)))
    assert rates(LONG)[4:] == pytest.approx([0.5, 0.5 * (1 + 0.5**0.5) / 2, 0.25, 0.0732233])


def test_a_step_falls_after_its_own_epochs_whatever_came_before() -> None:
    step = changed(LONG, scheduler="step", step_after_epochs=3, step_factor=0.1)
    found = rates(changed(step, warmup_counted=False))
    assert found[4:] == pytest.approx([0.5] * 6 + [0.05] * 2)
    official = changed(step, loop="official", warmup_counted=False)
    # Four epochs make five, of which 4 // 2 + 2 are at the full rate.
    assert rates(official)[4:] == pytest.approx([0.5] * 8 + [0.05] * 2)


def test_a_warm_up_starts_at_its_share_of_the_rate() -> None:
    found = rates(changed(LONG, warmup_start=0.2))
    assert found[:5] == pytest.approx([0.2, 0.3, 0.4, 0.5, 0.5])
    assert found[4:] == rates(LONG)[4:]


def shuffled(recipe: Recipe, factor: int) -> StudentParams:
    return StudentParams(
        dataset=DATASET, network=NETWORK, recipe=recipe, factor=factor, per_class=5
    )


def test_without_patch_shuffle_patched_images_train_as_others_do() -> None:
    given = {"images": chosen(per_class=5)}
    none = changed(RECIPE, patch_shuffle="none")
    made = [
        as_bytes(student(shuffled(recipe, factor), given, context("student")))
        for recipe, factor in ((none, 2), (RECIPE, 1), (RECIPE, 2))
    ]
    assert made[0] == made[1] != made[2]


def test_one_patch_is_the_same_work_whoever_shuffles() -> None:
    none = changed(RECIPE, patch_shuffle="none")
    assert shuffled(none, 1) == shuffled(RECIPE, 1)
    assert shuffled(none, 2) != shuffled(RECIPE, 2)


def test_labels_that_are_stored_are_rounded_to_16_bits() -> None:
    recipe = changed(RECIPE, loss="kl", labels="online", temperature=1.0, label_storage="per-epoch")
    teacher = Classifier.stored(NETWORK, DATASET, "cpu", taught().tensors("weights"), "float64")
    views = torch.linspace(-1, 1, 2 * 64, dtype=torch.float64).view(2, 1, 8, 8)
    said = torch.tensor([[0.1, 0.7, 0.3, 0.2]] * 2, dtype=torch.float64)
    teacher.network.eval()
    answers = teacher.answer(views).detach()
    rounded = torch.from_numpy(answers.numpy().astype(np.float16).astype(np.float64))
    rows = torch.arange(2)
    loss = online(teacher, recipe, DATASET)(said, rows, views)
    assert loss == divergence(said, rounded, recipe) != divergence(said, answers, recipe)


def test_only_labels_of_views_can_be_stored_per_epoch() -> None:
    with pytest.raises(ValidationError, match="labels must be 'online'"):
        changed(RECIPE, label_storage="per-epoch")


def test_an_average_that_was_cut_off_goes_on() -> None:
    """The weights that are aside are in the checkpoint too."""
    kept: dict[str, np.ndarray] = {}

    class Once:
        def load(self) -> dict[str, np.ndarray] | None:
            return kept or None

        def due(self) -> bool:
            return not kept

        def save(self, state: dict[str, np.ndarray]) -> None:
            kept.update(state)

        def part(self, name: str) -> Once:
            return self

    params = shuffled(changed(RECIPE, ema=0.9), 1)
    given = {"images": chosen(per_class=5)}
    ctx = replace(context("student"), checkpoints=Once())
    whole = student(params, given, ctx)
    assert any(name.startswith("kept/average/") for name in kept)
    assert as_bytes(student(params, given, ctx)) == as_bytes(whole)
