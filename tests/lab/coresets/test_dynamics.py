"""The watched run: its budget, what each signal is, and when it is taken."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from harness.errors import UserError
from harness.lab.coresets import dynamics, runs
from harness.lab.coresets.dynamics import DynamicsParams
from harness.lab.data import sets
from harness.lab.models.classifier import Classifier
from harness.lab.recipe import Recipe
from harness.lab.train.loop import Examples
from harness.lab.train.schedule import Schedule
from harness.plan.step import StepResult
from tests.lab.fixtures import DIGITS, HARD_LABELS, NETWORK, as_bytes, changed, context

GENTLE = changed(HARD_LABELS, learning_rate=0.1, batch_size=100, augmentation="none")


def watch(recipe: Recipe, samples: int, looks: int, seed: int = 0) -> StepResult:
    params = DynamicsParams(
        dataset=DIGITS, network=NETWORK, recipe=recipe, samples=samples, looks=looks
    )
    return dynamics.dynamics(params, {}, context("dynamics", seed))


def test_signals_have_their_shapes_and_ranges() -> None:
    made = watch(GENTLE, samples=2000, looks=4)
    assert set(made.arrays) == {"probability", "el2n", "train_probability"}
    for array in made.arrays.values():
        assert array.shape == (4, 1347)
        assert array.dtype == np.float32
        assert np.isfinite(array).all()
        assert (array >= 0).all()
    assert (made.arrays["probability"] <= 1).all()
    # The norm of a difference of two probability vectors, one of them one-hot.
    p, el2n = made.arrays["probability"].astype(float), made.arrays["el2n"].astype(float)
    assert (el2n <= np.sqrt(2) * (1 - p) + 1e-6).all()
    assert (el2n >= (1 - p) * np.sqrt(10 / 9) - 1e-6).all()
    assert made.values["epochs"] == pytest.approx(2000 / 1347)


def test_el2n_and_probability_of_a_constant_network_have_closed_forms() -> None:
    classifier = Classifier.fresh(NETWORK, DIGITS, "cpu", "float64", seed=0)
    train = sets.load(DIGITS).train
    examples = Examples.on("cpu", train.images, train.labels)
    last = classifier.network[-1]
    with torch.no_grad():
        last.weight.zero_()
        last.bias.zero_()
    probability, el2n = runs.look(classifier, examples)
    assert probability == pytest.approx(np.full(1347, 0.1))
    assert el2n == pytest.approx(np.full(1347, np.sqrt(0.9)))
    with torch.no_grad():
        last.bias[3] = 1e3
    probability, el2n = runs.look(classifier, examples)
    assert probability == pytest.approx((train.labels == 3).astype(float))
    assert el2n == pytest.approx(np.where(train.labels == 3, 0, np.sqrt(2)))


def test_the_budget_is_spent_to_the_sample_and_the_rate_annealed_over_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[int] = []
    progress: list[float] = []
    plain, rate = runs.training, Schedule.rate

    def counted(*args, **kwargs):
        for update in plain(*args, **kwargs):
            seen.append(len(update.chosen))
            yield update

    def noted(schedule: Schedule, step: int) -> float:
        progress.append(rate(schedule, step) / schedule.recipe.learning_rate)
        return rate(schedule, step)

    monkeypatch.setattr(runs, "training", counted)
    monkeypatch.setattr(Schedule, "rate", noted)
    watch(GENTLE, samples=3001, looks=3)
    assert sum(seen) == 3001
    assert progress[0] == 1
    # The last update is one step short of zero, though the recipe speaks of 60 epochs.
    assert progress[-1] == pytest.approx((1 - np.cos(np.pi / len(seen))) / 2, rel=1e-6)


def test_looks_are_evenly_spaced_and_the_last_is_at_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    events: list[str] = []
    plain, looked = runs.training, runs.look

    def counted(*args, **kwargs):
        for update in plain(*args, **kwargs):
            events.append("update")
            yield update

    def noted(*args):
        events.append("look")
        return looked(*args)

    monkeypatch.setattr(runs, "training", counted)
    monkeypatch.setattr(runs, "look", noted)
    watch(GENTLE, samples=1000, looks=4)
    updates = [events[:k].count("update") for k, event in enumerate(events) if event == "look"]
    # Ten updates: 2.5, 5, 7.5 and 10, each at the end of the update it falls into.
    assert updates == [3, 5, 8, 10]


def test_train_probability_is_that_of_the_latest_visit_or_else_of_the_look() -> None:
    made = watch(GENTLE, samples=1000, looks=10)
    evaluated, visited = made.arrays["probability"], made.arrays["train_probability"]
    fresh = [int((visited[k] != evaluated[k]).sum()) for k in range(10)]
    # After k batches of 100 in a first epoch, 100 k examples have been visited.
    assert fresh == pytest.approx([100 * (k + 1) for k in range(10)], abs=3)
    moved = (visited[4] != visited[3]) & (visited[3] != evaluated[3])
    assert not moved.any()


def test_the_run_learns() -> None:
    made = watch(changed(GENTLE, learning_rate=0.1), samples=5 * 1347, looks=5)
    assert made.values["accuracy"] > 0.9
    assert np.all(np.diff(made.arrays["probability"].mean(axis=1)) > 0)


def test_more_looks_than_updates_are_refused() -> None:
    with pytest.raises(UserError, match="11 looks do not fit into a run of 10 updates"):
        watch(GENTLE, samples=1000, looks=11)


def test_looking_does_not_change_the_run() -> None:
    few, many = watch(GENTLE, 1000, 1), watch(GENTLE, 1000, 10)
    assert few.values == many.values
    assert np.array_equal(few.arrays["probability"][-1], many.arrays["probability"][-1])


def test_equal_seeds_give_equal_bytes(untouched_generators: None) -> None:
    first, again, other = (as_bytes(watch(HARD_LABELS, 600, 2, seed)) for seed in (0, 0, 1))
    assert first == again
    assert first["el2n"] != other["el2n"]


def test_the_beginning_of_a_longer_run_is_what_that_run_was_then() -> None:
    """An early checkpoint: nothing of it is annealed, unlike the end of a run of its own length."""
    whole = watch(GENTLE, samples=4 * 1347, looks=4)
    fields = {"dataset": DIGITS, "network": NETWORK, "recipe": GENTLE, "looks": 2}
    params = DynamicsParams(**fields, samples=2 * 1347, schedule_samples=4 * 1347)
    early = dynamics.dynamics(params, {}, context("dynamics"))
    for name, array in early.arrays.items():
        assert (array == whole.arrays[name][:2]).all()
    assert early.values["epochs"] == 2
    annealed = watch(GENTLE, samples=2 * 1347, looks=2)
    assert (annealed.arrays["el2n"][1] != early.arrays["el2n"][1]).any()
    with pytest.raises(ValueError, match="a beginning is no longer than its run"):
        DynamicsParams(**fields, samples=2 * 1347, schedule_samples=1347)
