"""The training loop: budget, order, schedule and optimiser."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.utils import skip_init
from torchvision.ops import StochasticDepth

from harness.errors import EvidenceError
from harness.lab.models.classifier import Classifier
from harness.lab.recipe import Recipe
from harness.lab.train.loop import Examples, evaluate, random_batches, training, untrained
from harness.lab.train.schedule import Schedule, batch_sizes, make_optimizer
from tests.lab.fixtures import DIGITS, HARD_LABELS, NETWORK, changed, context


def test_batches_of_an_epoch_end_with_what_is_left() -> None:
    assert batch_sizes(10, 4, 20) == [4, 4, 2, 4, 4, 2]
    assert batch_sizes(10, 4, 13) == [4, 4, 2, 3]
    assert batch_sizes(3, 50, 6) == [3, 3]


def test_a_single_example_left_over_joins_the_batch_before_it() -> None:
    assert batch_sizes(9, 4, 18) == [4, 5, 4, 5]
    assert batch_sizes(8, 4, 9) == [4, 5]


@given(examples=st.integers(2, 60), batch=st.integers(2, 20), samples=st.integers(2, 300))
def test_a_run_sees_exactly_its_samples_in_batches_of_two_or_more(
    examples: int, batch: int, samples: int
) -> None:
    sizes = batch_sizes(examples, batch, samples)
    assert sum(sizes) == samples
    assert min(sizes) >= 2
    assert max(sizes) <= batch + 1
    stream = torch.cat(list(random_batches(examples, sizes, torch.Generator().manual_seed(0))))
    visits = np.bincount(stream.numpy(), minlength=examples)
    assert visits.max() - visits.min() <= 1


def test_epochs_come_in_different_orders() -> None:
    first, second = random_batches(50, [50, 50], torch.Generator().manual_seed(0))
    assert sorted(first.tolist()) == sorted(second.tolist()) == list(range(50))
    assert not torch.equal(first, second)


def rate(recipe: Recipe, step: int, steps: int, warmup: int = 0) -> float:
    return Schedule(recipe, steps, per_epoch=4, warmup=warmup, drop=steps).rate(step)


def test_cosine_falls_from_the_rate_to_zero_as_torchs_does() -> None:
    ours = [rate(HARD_LABELS, step, 40) for step in range(40)]
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.5)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=40)
    for expected in ours:
        assert expected == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-9)
        optimizer.step()
        scheduler.step()
    assert rate(HARD_LABELS, 20, 40) == pytest.approx(0.25)
    assert rate(HARD_LABELS, 40, 40) == 0


def test_warm_up_rises_linearly_inside_the_run() -> None:
    rates = [rate(HARD_LABELS, step, 14, 4) for step in range(15)]
    assert rates[:5] == pytest.approx([0.125, 0.25, 0.375, 0.5, 0.5])
    assert rates[9] == pytest.approx(0.25)
    assert rates[14] == 0


def test_a_constant_rate_is_constant() -> None:
    flat = changed(HARD_LABELS, scheduler="constant")
    assert {rate(flat, step, 9) for step in range(9)} == {0.5}


def toy() -> tuple[Classifier, Examples]:
    """Softmax regression on eight one-pixel images: everything can be computed by hand."""
    dataset = DIGITS.model_copy(
        update={"classes": 2, "resolution": 1, "mean": (0.0,), "std": (1.0,)}
    )
    linear = torch.nn.Linear(1, 2).double()
    with torch.no_grad():
        linear.weight.copy_(torch.tensor([[0.3], [-0.2]]))
        linear.bias.copy_(torch.tensor([0.1, 0.0]))
    network = torch.nn.Sequential(torch.nn.Flatten(), linear)
    images = np.arange(0, 240, 30, dtype=np.uint8).reshape(8, 1, 1, 1)
    examples = Examples.on("cpu", images, np.array([0, 0, 1, 0, 1, 0, 1, 1]))
    return Classifier(network, dataset, "cpu", "float64"), examples


@pytest.mark.parametrize("nesterov", [True, False])
def test_sgd_with_momentum_decay_and_warm_up_equals_a_hand_computed_run(nesterov: bool) -> None:
    classifier, examples = toy()
    recipe = changed(
        HARD_LABELS, batch_size=8, augmentation="none", nesterov=nesterov, warmup_epochs=1
    )
    x, y = examples.images.numpy().reshape(8) / 255, np.eye(2)[examples.labels.numpy()]
    w, b = np.array([0.3, -0.2], np.float32).astype(float), np.array([0.1, 0], np.float32)
    theta, velocity = np.concatenate([w, b.astype(float)]), np.zeros(4)
    losses = []
    # The whole set is one batch, so the order does not matter; 4 epochs, the first a warm-up.
    for rate in (0.5, 0.5, 0.5 * (1 + math.cos(math.pi / 3)) / 2, 0.125):
        logits = np.outer(x, theta[:2]) + theta[2:]
        p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        losses.append(-np.log((p * y).sum(axis=1)).mean())
        gradient = np.concatenate([x @ (p - y) / 8, (p - y).mean(axis=0)]) + 5e-4 * theta
        velocity = 0.9 * velocity + gradient
        theta = theta - rate * (gradient + 0.9 * velocity if nesterov else velocity)
    updates = list(training(classifier, examples, recipe, 32, context("toy")))
    assert [update.loss.item() for update in updates] == pytest.approx(losses, rel=1e-9)
    linear = classifier.network[1]
    ours = [*linear.weight.flatten().tolist(), *linear.bias.tolist()]
    assert ours == pytest.approx(theta.tolist(), rel=1e-9)


def test_adamw_with_a_tiny_gradient_history_steps_by_the_rate() -> None:
    # The first step of Adam is rate x sign of the gradient, whatever the gradient's size.
    classifier, examples = toy()
    recipe = changed(
        HARD_LABELS,
        batch_size=8,
        augmentation="none",
        optimizer="adamw",
        learning_rate=0.01,
        weight_decay=0.0,
    )
    before = classifier.network[1].bias.detach().clone()
    list(training(classifier, examples, recipe, 8, context("toy")))
    moved = (classifier.network[1].bias.detach() - before).abs()
    torch.testing.assert_close(moved, torch.full_like(moved, 0.01), rtol=1e-4, atol=0)


def test_batches_report_what_the_network_said_before_the_update() -> None:
    classifier, examples = toy()
    recipe = changed(HARD_LABELS, batch_size=8, augmentation="none")
    with torch.no_grad():
        expected = classifier.logits(classifier.pixels(examples.images))
    update = next(training(classifier, examples, recipe, 8, context("toy")))
    torch.testing.assert_close(update.logits, expected[update.chosen])


def test_a_diverged_network_is_an_error_and_not_a_number() -> None:
    classifier, examples = toy()
    with torch.no_grad():
        classifier.network[1].bias.fill_(torch.inf)
    with pytest.raises(EvidenceError, match="diverged"):
        evaluate(classifier, examples)


def test_training_leaves_the_global_generators_alone(untouched_generators: None) -> None:
    classifier = Classifier.fresh(NETWORK, DIGITS, "cpu", "float32", seed=0)
    images = np.zeros((12, 8, 8, 1), np.uint8)
    examples = Examples.on("cpu", images, np.arange(12) % 10)
    assert len(list(training(classifier, examples, HARD_LABELS, 24, context("x"), factor=2))) == 2


def official(epochs: int) -> Recipe:
    return changed(
        HARD_LABELS,
        epochs=epochs,
        scheduler="step",
        loop="official",
        step_factor=0.1,
        learning_rate=0.01,
        batch_size=4,
    )


@pytest.mark.parametrize("leaving_out", [nn.Dropout(0.5), StochasticDepth(0.5, "row")])
def test_layers_that_draw_draw_from_the_seed_alone(
    leaving_out: nn.Module, untouched_generators: None
) -> None:
    """Each update from a seed of its own, so that a run that was cut off finds it again."""
    images = torch.linspace(0, 255, 4 * 64).byte().view(4, 1, 8, 8)
    examples = Examples(images, torch.arange(4))
    recipe = changed(HARD_LABELS, batch_size=4, learning_rate=1e-12, augmentation="none")

    def logits(seed: int) -> Tensor:
        network = nn.Sequential(nn.Flatten(), leaving_out, skip_init(nn.Linear, 64, 10))
        nn.init.constant_(network[2].weight, 0.1)
        nn.init.zeros_(network[2].bias)
        run = training(
            Classifier(network, DIGITS, "cpu", "float32"), examples, recipe, 20, context("x", seed)
        )
        return torch.stack([update.logits[update.chosen.argsort()] for update in run])

    first = logits(seed=0)
    assert torch.equal(first, logits(seed=0))
    assert not torch.equal(first, logits(seed=1))
    assert not torch.equal(first[0], first[1])


def test_the_official_loop_runs_one_epoch_more_and_drops_after_index_half_plus_one() -> None:
    recipe = official(300)
    assert recipe.run_epochs == 301
    # IPC 10 of 100 classes in batches of 256: four updates an epoch.
    recipe = changed(recipe, batch_size=256)
    schedule = Schedule.of(recipe, examples=1000, samples=301_000)
    rates = [schedule.rate(step) for step in range(schedule.steps)]
    assert len(rates) == 1204
    by_epoch = [rates[4 * epoch : 4 * epoch + 4] for epoch in range(301)]
    for epoch, inside in enumerate(by_epoch):
        assert inside == pytest.approx([0.01 if epoch <= 151 else 0.001] * 4)
    assert [step for step in range(1204) if schedule.starts_afresh(step)] == [152 * 4]


def test_a_longer_evaluation_drops_at_its_own_middle() -> None:
    recipe = changed(official(300), evaluation_epochs=1000)
    assert (recipe.run_epochs, recipe.epochs_before_drop) == (1001, 502)


def test_the_plain_loop_drops_once_and_keeps_its_optimizer() -> None:
    recipe = changed(official(300), loop="plain", step_after_epochs=151)
    schedule = Schedule.of(recipe, examples=8, samples=300 * 8)
    rates = [schedule.rate(step) for step in range(600)]
    assert schedule.steps == 600
    assert rates == pytest.approx([0.01] * 302 + [0.001] * 298)
    assert not any(schedule.starts_afresh(step) for step in range(600))
    with pytest.raises(ValueError, match="needs step_after_epochs"):
        changed(recipe, step_after_epochs=0)


def test_a_compressed_step_schedule_drops_at_the_same_share() -> None:
    schedule = Schedule.of(official(300), examples=5000, samples=30_000)
    assert schedule.steps == 7500
    assert schedule.drop == round(7500 * 152 / 301)


def test_the_official_drop_loses_the_momentum_and_the_plain_one_does_not() -> None:
    def moves(loop: str) -> np.ndarray:
        """Changes of a bias at each update, when the gradient is switched off at the drop."""
        classifier, examples = toy()
        recipe = changed(
            official(4),
            loop=loop,
            batch_size=8,
            augmentation="none",
            nesterov=False,
            step_after_epochs=4,
            weight_decay=0.0,
            evaluation_epochs=4 if loop == "official" else 5,
        )
        places = []

        def objective(logits, chosen, seen):
            return logits[:, 0].sum() * (1.0 if len(places) < 4 else 0.0)

        for _ in training(classifier, examples, recipe, 40, context("x"), objective=objective):
            places.append(classifier.network[1].bias[0].item())
        return np.diff(places)

    # E = 4: five epochs and the drop after index 3, so here after four of five updates.
    kept = 0.9 + 0.9**2 + 0.9**3 + 0.9**4
    assert moves("plain")[-1] == pytest.approx(-0.001 * 8 * kept, rel=1e-5)
    assert moves("official")[-1] == 0
    assert moves("official")[:-1] == pytest.approx(moves("plain")[:-1])


def test_a_floored_cosine_is_cut_off_where_it_reaches_its_floor() -> None:
    half = changed(HARD_LABELS, cosine_floor=0.5)
    # EDC's half-period cosine: (1 + cos(pi e / 2E)) / 2.
    for step in range(41):
        expected = 0.5 * (1 + math.cos(math.pi * step / 80)) / 2
        assert rate(half, step, 40) == pytest.approx(expected)


def test_a_cosine_by_epoch_is_flat_inside_each() -> None:
    recipe = changed(HARD_LABELS, scheduler_interval="epoch")
    rates = [rate(recipe, step, 40) for step in range(40)]
    for start in range(0, 40, 4):
        assert set(rates[start : start + 4]) == {rate(HARD_LABELS, start, 40)}


def test_decay_of_weights_alone_spares_biases_and_norms() -> None:
    network = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    recipe = changed(HARD_LABELS, decayed_parameters="weights")
    for optimizer in ("sgd", "adamw"):
        made = make_optimizer(network, changed(recipe, optimizer=optimizer))
        decays = {id(p): g["weight_decay"] for g in made.param_groups for p in g["params"]}
        for parameter in network.parameters():
            assert decays[id(parameter)] == (5e-4 if parameter.ndim > 1 else 0)


def test_batch_norms_may_take_a_batch_in_twice() -> None:
    """As RDED's training does, by a second forward pass; one of more weight is the same."""
    recipe = changed(HARD_LABELS, precision="float64")
    twice = changed(recipe, statistics_updates=2)
    once, heavy = (
        untrained(NETWORK, DIGITS, each, context("student")).network for each in (recipe, twice)
    )
    seen = torch.rand(5, 1, 8, 8, dtype=torch.float64, generator=torch.manual_seed(0))
    once.train()(seen)
    once(seen)
    heavy.train()(seen)
    for name, wanted in once.state_dict().items():
        if "running" in name:
            torch.testing.assert_close(heavy.state_dict()[name], wanted, rtol=1e-12, atol=1e-12)
    assert any("running" in name for name in once.state_dict())
