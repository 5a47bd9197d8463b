"""Minimax Diffusion on a tiny random transformer: its losses, memories, tuning and sampling."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Generator

from harness.errors import UserError
from harness.lab.distill.diffusion import probes
from harness.lab.distill.diffusion.dit import guided, no_class, sampled, tunable
from harness.lab.distill.diffusion.minimax import Memory, distill_minimax, minimax_losses
from harness.lab.distill.diffusion.pretrained import transformer
from harness.lab.distill.diffusion.steps import MinimaxParams
from harness.lab.distill.diffusion.tiny import CLASSES, TINY
from harness.plan.step import StepResult
from tests.lab.fixtures import as_bytes, context

pytest.importorskip("diffusers")
pytestmark = pytest.mark.usefixtures("untouched_generators")


def params(**fields: Any) -> MinimaxParams:
    return MinimaxParams.model_validate(probes.distill_minimax().params.model_dump() | fields)


def made(**fields: Any) -> StepResult:
    return distill_minimax(params(**fields), {}, context("distill_minimax"))


def network() -> Any:
    return transformer(TINY, "cpu", "float64")


def answer(network: Any, latents: torch.Tensor, labels: list[int]) -> torch.Tensor:
    times = torch.full((len(latents),), 7)
    return network(latents, timestep=times, class_labels=torch.tensor(labels)).sample


def drawn(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=Generator().manual_seed(3), dtype=torch.float64)


def test_the_losses_are_the_least_and_the_greatest_cosine() -> None:
    own = torch.tensor([[1.0, 0.0], [3.0, 4.0]])
    reals = torch.tensor([[0.0, 2.0], [1.0, 1.0]])
    others = torch.tensor([[-1.0, 0.0], [4.0, 3.0]])
    typical, alike = minimax_losses(own, reals, others)
    # The first is at right angles to a real one; the second is 24/25 of the way to another.
    assert typical.item() == pytest.approx(1.0)
    assert alike.item() == pytest.approx(0.96)


def test_what_is_typical_and_alone_costs_nothing() -> None:
    own = drawn(1, 5)
    typical, alike = minimax_losses(own, 3 * own, -own)
    assert (typical.item(), alike.item()) == pytest.approx((0, -1))


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 4)), max_size=12), st.integers(1, 5))
def test_a_memory_forgets_what_it_was_given_first(puts: list[tuple[int, int]], size: int) -> None:
    memory = Memory.empty(3, size, torch.zeros(1, 1, 2))
    expected: list[deque[float]] = [deque(maxlen=size) for _ in range(3)]
    for number, (label, count) in enumerate(puts):
        values = [float(10 * number + i) for i in range(count)]
        memory.put(label, torch.tensor([[value, -value] for value in values]))
        expected[label].extend(values)
    for label, values in enumerate(expected):
        assert sorted(memory.of(label)[:, 0].tolist()) == sorted(values)


def test_what_is_tuned_is_small_and_changes_nothing_at_first() -> None:
    plain, tuned = network(), network()
    weights = tunable(tuned)
    latents = drawn(2, 4, 8, 8)
    assert torch.equal(answer(tuned, latents, [0, 3]), answer(plain, latents, [0, 3]))
    names = dict(tuned.named_parameters())
    chosen = {name for name, weight in names.items() if weight.requires_grad}
    assert {id(names[name]) for name in chosen} == {id(weight) for weight in weights}
    # Factors stand behind query, key, value, and twice behind attention, once behind the rest; in
    # the first of two blocks only.
    factors = sorted(name for name in chosen if name.endswith("factors"))
    assert len(factors) == 6
    assert all(name.startswith("transformer_blocks.0.") for name in factors)
    assert {name for name in names if name.endswith(".bias")} <= chosen
    rest = {name for name in chosen if not name.endswith((".bias", ".factors"))}
    assert rest == {"transformer_blocks.0.norm1.emb.class_embedder.embedding_table.weight"}


def test_all_blocks_learn_the_classes_as_one() -> None:
    tuned = network()
    tunable(tuned)
    table = tuned.transformer_blocks[0].norm1.emb.class_embedder.embedding_table
    before = answer(tuned, drawn(1, 4, 8, 8), [1])
    answer(tuned, drawn(1, 4, 8, 8), [1]).square().sum().backward()
    assert (table.weight.grad[1] != 0).any()
    assert (table.weight.grad[[0, 2, 3, CLASSES]] == 0).all()
    assert tuned.transformer_blocks[1].norm1.emb.class_embedder.embedding_table is table
    assert torch.equal(answer(tuned, drawn(1, 4, 8, 8), [1]), before)


def test_only_the_first_channels_are_guided() -> None:
    latents, plain = drawn(2, 4, 8, 8), network()
    labels, time = torch.tensor([0, 2]), torch.tensor(7)
    own, other = answer(plain, latents, [0, 2]), answer(plain, latents, [no_class(plain)] * 2)
    ours = guided(plain, latents, time, labels, params(guidance=4.0, guided_channels=3))
    expected = torch.cat([(4 * own - 3 * other)[:, :3], own[:, 3:]], dim=1)
    assert torch.allclose(ours, expected)
    assert torch.allclose(guided(plain, latents, time, labels, params(guidance=1.0)), own)


def test_an_image_does_not_depend_on_those_it_is_made_with() -> None:
    plain, wanted = network(), torch.tensor([1, 3])

    def generators(*seeds: int) -> list[Generator]:
        return [Generator().manual_seed(seed) for seed in seeds]

    both = sampled(plain, wanted, params(), generators(5, 6))
    alone = sampled(plain, wanted[1:], params(), generators(6))
    assert torch.allclose(both[1], alone[0])
    assert not torch.allclose(both[0], both[1])


def test_it_leaves_as_many_images_of_every_class_as_asked_for() -> None:
    result = made(per_class=2, phase_classes=3)
    assert result.arrays["images"].shape == (8, 8, 8, 1)
    assert result.arrays["images"].dtype == np.uint8
    assert result.arrays["labels"].tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    # Eighteen images and six, in batches of four: the rest of an epoch is left out.
    assert len(result.arrays["losses"]) == 2 * (18 // 4 + 6 // 4)
    assert as_bytes(result) == as_bytes(made(per_class=2, phase_classes=3))


def test_phases_do_not_know_of_each_other() -> None:
    """The first phase makes the same images, whatever classes come after it."""
    two, rest = made(phase_classes=2).arrays, made(phase_classes=3).arrays
    assert not np.array_equal(two["images"][2], rest["images"][2])
    again = made(phase_classes=2, lambda_r=0.0, lambda_d=0.0).arrays
    assert not np.array_equal(two["images"], again["images"])


def test_without_tuning_the_published_generator_is_left() -> None:
    """A mean of weights that never moves is what was published."""
    still = made(ema=0.999999999999, phase_classes=4).arrays["images"]
    other = made(ema=0.999999999999, phase_classes=4, lambda_r=3.0).arrays["images"]
    assert np.array_equal(still, other)
    assert not np.array_equal(still, made(ema=0.0, phase_classes=4).arrays["images"])


def test_the_mean_of_the_weights_at_decay_0_is_the_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    lower = made(ema=0.0, learning_rate=0.02, epochs=12, phase_classes=4, lambda_d=0, lambda_r=0)
    losses = lower.arrays["losses"]
    assert losses[-12:].mean() < losses[:12].mean()


def test_a_phase_without_a_whole_batch_is_refused() -> None:
    with pytest.raises(UserError, match="12 training images, fewer than one batch of 13"):
        made(batch_size=13)
