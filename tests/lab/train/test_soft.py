"""Soft labels: the divergence by hand, and students that learn from a teacher."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from safetensors.numpy import save_file

from harness.lab.data import sets
from harness.lab.models.classifier import Classifier
from harness.lab.models.networks import build
from harness.lab.train.augment import cutmix
from harness.lab.train.loop import Examples, training
from harness.lab.train.student import StudentParams, student_online, student_stored
from harness.lab.train.student_training import divergence, online, stored
from harness.lab.train.teacher import SoftLabelsParams, soft_labels
from harness.plan.step import MemoryInput
from tests.lab.fixtures import DIGITS, HARD_LABELS, NETWORK, changed, context, held
from tests.lab.train.test_loop import toy

SOFT = changed(
    HARD_LABELS,
    loss="kl",
    labels="stored",
    temperature=4.0,
    optimizer="adamw",
    learning_rate=0.01,
    epochs=60,
    crop_scale=(0.5, 1.0),
)


def by_hand(p_logits: np.ndarray, q_logits: np.ndarray, heat: float) -> np.ndarray:
    """KL(q || p) of each row, from the definition."""

    def soft(z: np.ndarray) -> np.ndarray:
        e = np.exp(z / heat - (z / heat).max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    p, q = soft(p_logits), soft(q_logits)
    return (q * np.log(q / p)).sum(axis=1)


@pytest.mark.parametrize("heat", [1.0, 20.0])
def test_divergence_by_hand_in_every_convention(heat: float) -> None:
    random = np.random.default_rng(0)
    ours, target = random.normal(size=(5, 7)) * 3, random.normal(size=(5, 7)) * 3
    rows = by_hand(ours, target, heat)

    def loss(**fields) -> float:
        recipe = changed(SOFT, temperature=heat, **fields)
        return divergence(torch.from_numpy(ours), torch.from_numpy(target), recipe).item()

    assert loss() == pytest.approx(rows.mean())
    assert loss(kl_t2=True) == pytest.approx(rows.mean() * heat**2)
    assert loss(kl_reduction="mean") == pytest.approx(rows.mean() / 7)


def test_gradient_is_that_of_lemma_1() -> None:
    # d KL / dz = (p - q) / T, without the factor T squared.
    z = torch.randn(1, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    target = z.flip(1)
    z.requires_grad_()
    divergence(z, target, changed(SOFT, temperature=20.0)).backward()
    expected = ((z / 20).softmax(1) - (target / 20).softmax(1)) / 20
    torch.testing.assert_close(z.grad, expected.detach())


def test_stored_labels_follow_the_image_and_not_the_view() -> None:
    targets = torch.randn(8, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    objective = stored(targets, SOFT)
    logits, chosen = torch.zeros(2, 2, dtype=torch.float64), torch.tensor([5, 1])
    expected = by_hand(np.zeros((2, 2)), targets[[5, 1]].numpy(), 4.0).mean()
    assert objective(logits, chosen, torch.empty(0)).item() == pytest.approx(expected)


def test_online_labels_are_the_teachers_answer_to_the_very_view() -> None:
    teacher, _ = toy()
    view = torch.rand(3, 1, 1, 1, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    answer = teacher.network(view).detach()
    objective = online(teacher, changed(SOFT, labels="online"), teacher.dataset)
    assert objective(answer, torch.empty(0), view).item() == pytest.approx(0, abs=1e-12)
    other = objective(answer + torch.tensor([1.0, 0.0]), torch.empty(0), view).item()
    assert other == pytest.approx(
        by_hand(answer.numpy() + np.array([1, 0]), answer.numpy(), 4.0).mean()
    )


def test_a_student_online_reaches_its_teacher_on_the_views() -> None:
    teacher, examples = toy()
    learner, _ = toy()
    with torch.no_grad():
        learner.network[1].weight.zero_()
        learner.network[1].bias.zero_()
    recipe = changed(SOFT, labels="online", augmentation="none", batch_size=8, learning_rate=0.05)
    recipe = changed(recipe, temperature=1.0, weight_decay=0.0)
    objective = online(teacher, recipe, teacher.dataset)
    list(training(learner, examples, recipe, 8 * 800, context("x"), objective=objective))
    pixels = learner.pixels(examples.images)
    ours, wanted = (c.logits(pixels).softmax(1).detach() for c in (learner, teacher))
    torch.testing.assert_close(ours, wanted, atol=2e-3, rtol=0)


def taught(tmp_path) -> MemoryInput:
    """A teacher of the digits, trained here."""
    classifier = Classifier.fresh(NETWORK, DIGITS, "cpu", "float32", seed=0)
    train = sets.load(DIGITS).train
    examples = Examples.on("cpu", train.images, train.labels)
    recipe = changed(HARD_LABELS, learning_rate=0.1, augmentation="none")
    for _ in training(classifier, examples, recipe, 6000, context("teacher")):
        pass
    state = {k: v.numpy() for k, v in classifier.network.state_dict().items()}
    save_file(state, tmp_path / "weights.safetensors")
    return MemoryInput(files={"weights": tmp_path / "weights.safetensors"})


def test_soft_labels_and_the_students_that_learn_from_them(tmp_path) -> None:
    teacher = taught(tmp_path)
    train = sets.load(DIGITS).train
    rows = np.concatenate([np.flatnonzero(train.labels == c)[:5] for c in range(10)])
    images = held(indices=rows, labels=train.labels[rows])
    params = SoftLabelsParams(dataset=DIGITS, network=NETWORK, per_class=5, mode="eval")
    made = soft_labels(params, {"images": images, "teacher": teacher}, context("soft_labels"))
    assert made.arrays["logits"].shape == (50, 10)
    assert made.values["accuracy"] > 0.9
    labels = held(**made.arrays)
    common = {"dataset": DIGITS, "network": NETWORK, "per_class": 5}
    fixed = student_stored(
        StudentParams(recipe=SOFT, **common),
        {"images": images, "soft_labels": labels},
        context("student_stored"),
    )
    mixed = {"augmentation": "rrc-flip-cutmix", "cutmix_alpha": 1.0}
    recipe = changed(SOFT, labels="online", teacher=NETWORK, **mixed)
    live = student_online(
        StudentParams(recipe=recipe, **common),
        {"images": images, "teacher": teacher},
        context("student_online"),
    )
    assert fixed.values["accuracy"] > 0.6
    assert live.values["accuracy"] > 0.6


def test_cutmix_pastes_one_box_of_one_permutation() -> None:
    count, side = 6, 16
    pixels = torch.arange(count, dtype=torch.float64)[:, None, None, None].expand(-1, 2, side, side)
    shares = []
    for seed in range(200):
        mixed = cutmix(pixels, 1.0, torch.Generator().manual_seed(seed))
        changed_places = (mixed != pixels)[:, 0]
        rows, columns = np.nonzero(changed_places.any(dim=0).numpy())
        if len(rows) == 0:
            continue
        box = (slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1))
        inside = mixed[:, :, box[0], box[1]].flatten(1)
        assert torch.equal(inside, inside[:, :1].expand_as(inside))
        assert sorted(inside[:, 0].tolist()) == list(range(count))
        shares.append(inside.shape[1] / (2 * side**2))
    # lambda is uniform, so boxes not cut off at the border would fill one half on average.
    assert 0.2 < np.mean(shares) < 0.5


def test_contradicting_recipes_are_refused() -> None:
    with pytest.raises(ValidationError, match="exactly where labels"):
        changed(HARD_LABELS, loss="kl")
    with pytest.raises(ValidationError, match="exactly where labels"):
        changed(HARD_LABELS, labels="stored")
    with pytest.raises(ValidationError, match="must be 'online'"):
        changed(SOFT, augmentation="rrc-flip-cutmix")
    with pytest.raises(ValidationError, match="cutmix_alpha is above 0"):
        changed(SOFT, labels="online", augmentation="rrc-flip-cutmix")
    with pytest.raises(ValidationError, match="no teacher can read"):
        changed(SOFT, labels="online", zca=True)


def test_a_teacher_in_train_mode_uses_the_statistics_of_the_batch(tmp_path) -> None:
    state = build(NETWORK, DIGITS, seed=0).state_dict()
    save_file({k: v.numpy() for k, v in state.items()}, tmp_path / "w.safetensors")
    teacher = MemoryInput(files={"weights": tmp_path / "w.safetensors"})
    train = sets.load(DIGITS).train
    images = held(indices=np.arange(20), labels=train.labels[:20])

    def logits(mode: str) -> np.ndarray:
        params = SoftLabelsParams(dataset=DIGITS, network=NETWORK, per_class=2, mode=mode)
        return soft_labels(params, {"images": images, "teacher": teacher}, context("x")).arrays[
            "logits"
        ]

    assert not np.allclose(logits("eval"), logits("train"))
