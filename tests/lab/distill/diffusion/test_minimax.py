"""Minimax Diffusion on a tiny random transformer: losses, memories, phases and their images."""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Generator, Tensor
from torch.nn import functional

from harness.errors import UserError
from harness.lab.data import sets
from harness.lab.distill.diffusion import generate, minimax
from harness.lab.distill.diffusion.dit import Diffusion, no_class, tunable
from harness.lab.distill.diffusion.generate import TINY, MinimaxParams, distill_minimax
from harness.lab.distill.diffusion.minimax import Memory, Phase, minimax_losses
from harness.lab.distill.diffusion.pretrained import autoencoder, normal, transformer
from harness.plan.step import StepContext, StepResult
from tests.lab.distill.diffusion.fixtures import MANY_SIZES, Identity, resized
from tests.lab.fixtures import as_bytes, context

pytest.importorskip("diffusers")
pytestmark = pytest.mark.usefixtures("untouched_generators")
TRAIN = sets.load(generate.generating_probe()["dataset"]).train


def params(**fields: Any) -> MinimaxParams:
    return MinimaxParams.model_validate(generate.minimax_probe().params.model_dump() | fields)


def made(**fields: Any) -> StepResult:
    return distill_minimax(params(**fields), {}, context("distill_minimax"))


def phase(labels: range, ctx: StepContext, **fields: Any) -> Phase:
    """Of the probe's data, as the step makes it."""
    network = transformer(TINY, "cpu", "float64")
    return Phase(
        params(**fields),
        labels,
        network,
        tunable(network),
        autoencoder(TINY, "cpu", "float64"),
        minimax.of_classes(TRAIN, labels, "cpu"),
        ctx,
        Diffusion.linear("cpu"),
    )


def test_the_losses_are_the_least_and_the_greatest_cosine() -> None:
    own = torch.tensor([[1.0, 0.0], [3.0, 4.0]])
    reals = torch.tensor([[0.0, 2.0], [1.0, 1.0]])
    others = torch.tensor([[-1.0, 0.0], [4.0, 3.0]])
    typical, alike = minimax_losses(own, reals, others)
    # The first is at right angles to a real one; the second is 24/25 of the way to another.
    assert typical.item() == pytest.approx(1.0)
    assert alike.item() == pytest.approx(0.96)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 4)), max_size=12), st.integers(1, 5))
def test_a_memory_forgets_what_it_was_given_first(puts: list[tuple[int, int]], size: int) -> None:
    memory = Memory.empty(3, size, torch.zeros(1, 1, 2))
    expected: list[deque[float]] = [deque(maxlen=size) for _ in range(3)]
    for number, (label, count) in enumerate(puts):
        values = [float(10 * number + i) for i in range(count)]
        memory.put(label, torch.tensor([[value, -value] for value in values]))
        expected[label].extend(values)
    for label, values in enumerate(expected):
        assert sorted(memory.latents(label)[:, 0].tolist()) == sorted(values)


def test_the_loss_of_a_run_of_batches_is_that_of_plain_lists() -> None:
    """Every class of a batch against what was remembered before it, the shares averaged."""
    ours = phase(range(4), context("x"), label_dropout=0.4, lambda_r=0.7, lambda_d=0.3, memory=3)
    network, diffusion, own = ours.transformer, ours.diffusion, ours.params
    latent = torch.zeros(4, 8, 8, dtype=torch.float64)
    reals, others = (Memory.empty(4, 3, latent) for _ in range(2))
    real: dict[int, list[Tensor]] = defaultdict(list)
    pseudo: dict[int, list[Tensor]] = defaultdict(list)
    order = Generator().manual_seed(0)
    for number in range(6):
        rows = torch.randint(24, (5,), generator=order)
        found = ours.loss(rows, reals, others, Generator().manual_seed(number))
        drawn = Generator().manual_seed(number)
        clean, labels = ours.latents(rows, drawn), ours.examples.labels[rows]
        times = torch.randint(1000, (5,), generator=drawn)
        noise = normal(clean, drawn)
        nothing = torch.rand(5, generator=drawn) < 0.4
        shown = torch.where(nothing, no_class(network), labels)
        kept = diffusion.kept[times].view(5, 1, 1, 1)
        noised = kept.sqrt() * clean + (1 - kept).sqrt() * noise
        answer = network(noised, timestep=times, class_labels=shown).sample
        guess = (noised - (1 - kept).sqrt() * answer[:, :4]) / kept.sqrt()
        expected = diffusion.losses(answer, clean, times, noise).mean()
        for label in set(labels.tolist()):
            mine = [latent.flatten() for latent in guess[labels == label]]
            if pseudo[label]:
                pairs = [functional.cosine_similarity(a, b, 0) for a in mine for b in real[label]]
                alike = [functional.cosine_similarity(a, b, 0) for a in mine for b in pseudo[label]]
                share = 0.7 * (1 - min(pairs)) + 0.3 * max(alike)
                expected = expected + share / len(set(labels.tolist()))
            real[label] = [*real[label], *clean[labels == label].flatten(1)][-own.memory :]
            pseudo[label] = [*pseudo[label], *(m.detach() for m in mine)][-own.memory :]
        assert found.item() == pytest.approx(expected.item(), rel=1e-9)


def test_the_middle_of_every_image_is_read_and_half_are_mirrored() -> None:
    wide = replace(
        phase(range(2), context("x"), side=8),
        autoencoder=Identity(),
        examples=minimax.of_classes(MANY_SIZES, range(2), "cpu"),
    )
    rows = torch.arange(len(MANY_SIZES.labels))
    seen = wide.latents(rows, Generator().manual_seed(1)) / 4 / 2 + 0.5
    mirrored = 0
    for row, found in enumerate(seen):
        image = MANY_SIZES.images.image(row)
        height, width = image.shape[:2]
        short = min(height, width)
        top, left = (height - short) // 2, (width - short) // 2
        expected = resized(image[top : top + short, left : left + short], 8)
        flipped = not torch.allclose(found, expected, atol=1e-5)
        mirrored += flipped
        assert torch.allclose(found, expected.flip(-1) if flipped else expected, atol=1e-5)
    assert 0 < mirrored < len(rows)


def test_every_epoch_has_an_order_of_its_own() -> None:
    ours = phase(range(4), context("x"), batch_size=5)
    each, whole = ours.batches()
    assert (each, whole) == (4, 8)
    epochs = [torch.cat([ours.batch(4 * e + i) for i in range(4)]).tolist() for e in range(2)]
    assert all(len(set(rows)) == 20 for rows in epochs)
    assert epochs[0] != epochs[1]


def test_image_n_of_a_class_is_made_of_that_class(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def sampled(network: Any, labels: Tensor, own: MinimaxParams, drawn: Any) -> Tensor:
        asked.extend(labels.tolist())
        return torch.zeros(len(labels), 4, 8, 8, dtype=torch.float64)

    monkeypatch.setattr(minimax, "sampled", sampled)
    result = made(per_class=5, phase_classes=3, epochs=1)
    assert asked == result.arrays["labels"].tolist() == [c for c in range(4) for _ in range(5)]


def test_it_leaves_as_many_images_of_every_class_as_asked_for() -> None:
    result = made(per_class=2, phase_classes=3)
    assert result.arrays["images"].shape == (8, 8, 8, 1)
    assert result.arrays["images"].dtype == np.uint8
    # Eighteen images and six, in batches of four: the rest of an epoch is left out.
    assert len(result.arrays["losses"]) == 2 * (18 // 4 + 6 // 4)
    assert as_bytes(result) == as_bytes(made(per_class=2, phase_classes=3))


def test_every_phase_begins_with_the_generator_as_published() -> None:
    """The second of two is what it would be alone."""
    both = made(per_class=2, phase_classes=2).arrays
    second = phase(range(2, 4), context("distill_minimax").part(1, 2), per_class=2)
    losses = second.tune()
    assert np.array_equal(both["losses"][len(losses) :], losses)
    assert np.array_equal(both["images"][4:], second.images())


def test_images_are_made_with_the_mean_of_the_weights() -> None:
    for ema in (0.0, 0.6):
        ours = phase(range(4), context("x"), ema=ema, epochs=1)
        before = [weight.detach().clone() for weight in ours.tuned]
        passed: list[list[Tensor]] = []
        step = torch.optim.AdamW.step

        def watched(self: Any, *given: Any, step: Any = step, seen: Any = passed) -> Any:
            found = step(self, *given)
            seen.append([w.detach().clone() for w in self.param_groups[0]["params"]])
            return found

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(torch.optim.AdamW, "step", watched)
            ours.tune()
        for after in passed:
            before = [ema * old + (1 - ema) * new for old, new in zip(before, after, strict=True)]
        assert len(passed) == 6
        for expected, found in zip(before, ours.tuned, strict=True):
            assert torch.allclose(expected, found)


def test_tuning_lowers_the_loss() -> None:
    losses = made(learning_rate=0.02, epochs=12, phase_classes=4, lambda_d=0, lambda_r=0).arrays[
        "losses"
    ]
    assert losses[-12:].mean() < losses[:12].mean()


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"batch_size": 13}, "12 training images, fewer than one batch of 13"),
        ({"side": 32}, "side would be 32, but it has 16"),
        ({"guided_channels": 5}, "guided_channels is 5, but the latents .* have 4 channels"),
        (
            {"dataset": {**generate.generating_probe()["dataset"].model_dump(), "classes": 3}},
            "classes of the data set would be 3, but it has 4",
        ),
    ],
)
def test_what_does_not_fit_is_refused(
    fields: dict[str, Any], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = sets.load(generate.generating_probe()["dataset"])
    monkeypatch.setattr(sets, "load", lambda dataset: whole)
    with pytest.raises(UserError, match=says):
        made(**fields)
