"""Students and teachers, and whether the science is alive on real digits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from harness.errors import EvidenceError, UserError
from harness.lab.coresets.dynamics import (
    CadParams,
    DualParams,
    DynamicsParams,
    DynUncParams,
    cad_score,
    dual_score,
    dyn_unc_score,
    dynamics,
)
from harness.lab.coresets.select import (
    BetaParams,
    RandomParams,
    TopParams,
    select_beta,
    select_random,
    select_top,
)
from harness.lab.data import sets
from harness.lab.distill.stitch import StitchParams, stitch
from harness.lab.models.classifier import Classifier
from harness.lab.recipe import Recipe
from harness.lab.train.loop import Examples, evaluate
from harness.lab.train.student import StudentParams, student
from harness.lab.train.teacher import TeacherParams, teacher
from harness.plan.step import MemoryInput, StepInput, StepResult
from tests.lab.fixtures import (
    DIGITS,
    HARD_LABELS,
    NETWORK,
    as_bytes,
    as_input,
    changed,
    context,
    held,
)

DATA = sets.load(DIGITS)
EQUAL = np.sort(np.concatenate([np.flatnonzero(DATA.train.labels == c)[:131] for c in range(10)]))
EVERYTHING = held(indices=EQUAL, labels=DATA.train.labels[EQUAL])
"""Nearly all training data: as many of each class as the smallest has."""
PAPER_TO_DIGITS = {10: 5, 50: 20, 100: 30}
BATCH = {5: 50, 20: 100, 30: 100}
REFERENCE = changed(
    HARD_LABELS, epochs=30, batch_size=256, learning_rate=0.1, nesterov=False, weight_decay=1e-4
)


def train(images: StepInput, recipe: Recipe, seed: int = 0, **params) -> StepResult:
    per_class = len(images.array("labels")) // 10
    fields = {"per_class": per_class} | params
    made = StudentParams(dataset=DIGITS, network=NETWORK, recipe=recipe, **fields)
    return student(made, {"images": images}, context("student", seed))


def random_subset(per_class: int, seed: int = 0) -> MemoryInput:
    params = RandomParams(dataset=DIGITS, per_class=per_class)
    return as_input(select_random(params, {}, context("select_random", seed)))


def test_a_student_reports_its_epochs_and_every_test_image() -> None:
    recipe = changed(HARD_LABELS, epochs=7, batch_size=16)
    made = train(random_subset(5), recipe, per_class=5)
    assert set(made.values) == {"accuracy", "loss"}
    assert set(made.arrays) == {"correct", "curve"}
    assert made.arrays["curve"].shape == (7,)
    assert made.arrays["curve"].dtype == np.float32
    correct = np.unpackbits(made.arrays["correct"], count=450)
    assert correct.mean() == made.values["accuracy"]
    assert not made.tensors


def test_the_curve_is_the_mean_loss_of_the_epochs_examples() -> None:
    # At a vanishing rate nothing moves; without augmentation each epoch sees the same images.
    # Batch norm couples the images of a batch, so one batch is the whole set.
    frozen = changed(HARD_LABELS, epochs=3, batch_size=50, learning_rate=1e-12, augmentation="none")
    curve = train(random_subset(5), frozen).arrays["curve"]
    assert curve == pytest.approx(np.full(3, curve[0]), rel=1e-5)
    assert 1.5 < curve[0] < 3.5


def test_indices_and_the_images_they_point_to_train_the_same_student() -> None:
    recipe = changed(HARD_LABELS, epochs=2)
    subset = random_subset(5)
    indices, labels = subset.array("indices"), subset.array("labels")
    as_images = held(images=DATA.train.images[indices], labels=labels)
    assert as_bytes(train(subset, recipe)) == as_bytes(train(as_images, recipe))


def test_equal_seeds_give_equal_bytes(untouched_generators: None) -> None:
    recipe = changed(HARD_LABELS, epochs=3)
    first, again, other = (
        as_bytes(train(random_subset(5), recipe, seed, factor=2)) for seed in (0, 0, 1)
    )
    assert first == again
    assert first["curve"] != other["curve"]


def test_students_of_one_seed_meet_the_same_initial_network() -> None:
    # The first loss before any update, on the same images in one batch, shows the network.
    frozen = changed(HARD_LABELS, epochs=1, batch_size=50, augmentation="none")
    other_recipe = changed(frozen, weight_decay=0.1, learning_rate=0.2)
    subset = random_subset(5)
    first = train(subset, frozen, seed=4).arrays["curve"][0]
    assert train(subset, other_recipe, seed=4).arrays["curve"][0] == pytest.approx(first)
    assert train(subset, frozen, seed=5).arrays["curve"][0] != pytest.approx(first)


def test_an_input_of_another_size_than_declared_is_refused() -> None:
    with pytest.raises(UserError, match=r"6 images per class were declared.*holds 50"):
        train(random_subset(5), HARD_LABELS, per_class=6)


def test_steps_on_a_data_set_that_is_not_prepared_say_so() -> None:
    elsewhere = DIGITS.model_copy(update={"name": "imagenet1k"})
    params = StudentParams(dataset=elsewhere, network=NETWORK, recipe=HARD_LABELS, per_class=131)
    with pytest.raises(EvidenceError, match="repro data prepare imagenet1k"):
        student(params, {"images": EVERYTHING}, context("student"))
    published = TeacherParams(
        dataset=elsewhere, network="resnet18", recipe=HARD_LABELS, pretrained="IMAGENET1K_V1"
    )
    with pytest.raises(EvidenceError, match="repro data prepare imagenet1k"):
        teacher(published, {}, context("teacher"))


def test_a_teachers_weights_give_back_its_accuracy(tmp_path: Path) -> None:
    recipe = changed(REFERENCE, epochs=2, batch_size=64)
    params = TeacherParams(dataset=DIGITS, network=NETWORK, recipe=recipe)
    made = teacher(params, {}, context("teacher"))
    assert made.values["accuracy"] > 0.5
    save_file(dict(made.tensors["weights"]), tmp_path / "weights.safetensors")
    assert load_file(tmp_path / "weights.safetensors").keys() == made.tensors["weights"].keys()
    stored = Classifier.stored(NETWORK, DIGITS, "cpu", tmp_path / "weights.safetensors")
    result = evaluate(stored, Examples.on("cpu", DATA.test.images, DATA.test.labels))
    assert {"accuracy": result.accuracy, "loss": result.loss} == made.values


def shuffled(images: StepInput) -> MemoryInput:
    labels = np.random.default_rng(0).permutation(images.array("labels"))
    return held(indices=images.array("indices"), labels=labels)


def test_all_data_teach_the_digits_and_shuffled_labels_nothing() -> None:
    short = changed(HARD_LABELS, epochs=20, batch_size=128)
    assert train(EVERYTHING, short).values["accuracy"] >= 0.95
    lost = train(shuffled(EVERYTHING), changed(short, epochs=8)).values["accuracy"]
    # Ten classes; four standard deviations of 450 fair guesses are 5.7 points.
    assert abs(lost - 0.1) < 0.1


@pytest.mark.slow
def test_all_data_teach_the_digits_in_the_paper_recipe() -> None:
    recipe = changed(HARD_LABELS, batch_size=128)
    assert train(EVERYTHING, recipe).values["accuracy"] >= 0.95


Select = Callable[[StepResult, int], MemoryInput]


def accuracies(images: dict[int, StepInput]) -> list[float]:
    """Mean accuracy of three students at each of the three sizes."""
    means = []
    for per_class, subset in images.items():
        recipe = changed(HARD_LABELS, batch_size=BATCH[per_class])
        runs = [train(subset, recipe, seed) for seed in range(3)]
        means.append(float(np.mean([run.values["accuracy"] for run in runs])))
    return means


def draw(score: StepResult, per_class: int) -> MemoryInput:
    params = BetaParams(dataset=DIGITS, per_class=per_class, balanced=True, c_d=4.0)
    return as_input(select_beta(params, {"score": as_input(score)}, context("select_beta")))


def keep(score: StepResult, per_class: int) -> MemoryInput:
    params = TopParams(dataset=DIGITS, per_class=per_class, balanced=True)
    return as_input(select_top(params, {"score": as_input(score)}, context("select_top")))


@pytest.fixture(scope="module")
def scores() -> dict[str, dict[int, StepResult]]:
    """Scores of the three selecting methods by images per class."""
    everything = DynamicsParams(
        dataset=DIGITS, network=NETWORK, recipe=REFERENCE, samples=30 * 1347, looks=30
    )
    watched = {"dynamics": as_input(dynamics(everything, {}, context("dynamics")))}
    dyn_unc = dyn_unc_score(
        DynUncParams(signal="probability", drop_last=True), watched, context("dyn_unc_score")
    )
    dual = dual_score(
        DualParams(window=10, looks=20, signal="train_probability"), watched, context("dual_score")
    )
    cad = {}
    for size in PAPER_TO_DIGITS.values():
        samples = 60 * size * 10
        aligned = DynamicsParams(
            dataset=DIGITS,
            network=NETWORK,
            recipe=changed(HARD_LABELS, batch_size=BATCH[size]),
            samples=samples,
            looks=max(12, round(samples / 1347)),
        )
        run = {"dynamics": as_input(dynamics(aligned, {}, context("dynamics")))}
        span = CadParams(window="span", tail=2, signal="el2n")
        cad[size] = cad_score(span, run, context("cad_score"))
    sizes = PAPER_TO_DIGITS.values()
    return {
        "dyn-unc": dict.fromkeys(sizes, dyn_unc),
        "dual": dict.fromkeys(sizes, dual),
        "cad": cad,
    }


@pytest.mark.slow
def test_selections_of_the_methods_differ(scores: dict[str, dict[int, StepResult]]) -> None:
    for size in PAPER_TO_DIGITS.values():
        kept = {name: set(keep(by[size], size).array("indices")) for name, by in scores.items()}
        for first, second in (("dyn-unc", "dual"), ("dyn-unc", "cad"), ("dual", "cad")):
            common = len(kept[first] & kept[second]) / len(kept[first] | kept[second])
            assert common < 0.9, (size, first, second)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "select"),
    [("dyn-unc", keep), ("dual", keep), ("dual", draw), ("cad", keep)],
    ids=["dyn-unc", "dual", "dual-beta", "cad"],
)
def test_accuracy_rises_with_the_number_of_images(
    scores: dict[str, dict[int, StepResult]], method: str, select: Select
) -> None:
    small, middle, large = accuracies({n: select(s, n) for n, s in scores[method].items()})
    assert 0.5 < small < middle
    assert middle < large + 0.01
    assert large > 0.85


@pytest.mark.slow
def test_accuracy_of_stitched_images_rises_too(
    scores: dict[str, dict[int, StepResult]], tmp_path: Path
) -> None:
    params = TeacherParams(dataset=DIGITS, network=NETWORK, recipe=REFERENCE)
    weights = teacher(params, {}, context("teacher")).tensors["weights"]
    save_file(dict(weights), tmp_path / "weights.safetensors")
    judge = MemoryInput(files={"weights": tmp_path / "weights.safetensors"})
    images = {}
    for size in PAPER_TO_DIGITS.values():
        pool = keep(scores["cad"][size], 131)
        cut = StitchParams(
            dataset=DIGITS, network=NETWORK, per_class=size, factor=1, crop_scale=(0.08, 1.0)
        )
        made = stitch(cut, {"pool": pool, "teacher": judge}, context("stitch"))
        images[size] = as_input(made)
    small, middle, large = accuracies(images)
    assert 0.5 < small < middle
    assert middle < large + 0.01
    assert large > 0.8


@pytest.mark.slow
def test_small_sets_with_shuffled_labels_stay_near_chance() -> None:
    runs = [train(shuffled(random_subset(30, s)), HARD_LABELS, s) for s in range(3)]
    assert np.mean([run.values["accuracy"] for run in runs]) < 0.2
