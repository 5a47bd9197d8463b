"""The diffusion transformer: against its formulas, and what is tuned, guided and sampled of it."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Generator, Tensor
from torch.nn import functional

from harness.lab.distill.diffusion import generate
from harness.lab.distill.diffusion.dit import Diffusion, guided, no_class, sampled, tunable
from harness.lab.distill.diffusion.generate import TINY, MinimaxParams
from harness.lab.distill.diffusion.pretrained import transformer
from harness.lab.distill.diffusion.tiny import CLASSES

pytest.importorskip("diffusers")
pytestmark = pytest.mark.usefixtures("untouched_generators")


def params(**fields: Any) -> MinimaxParams:
    return MinimaxParams.model_validate(generate.minimax_probe().params.model_dump() | fields)


def network() -> Any:
    return transformer(TINY, "cpu", "float64")


def answer(network: Any, latents: Tensor, labels: list[int], time: int = 7) -> Tensor:
    times = torch.full((len(latents),), time)
    return network(latents, timestep=times, class_labels=torch.tensor(labels)).sample


def drawn(*shape: int) -> Tensor:
    return torch.randn(shape, generator=Generator().manual_seed(3), dtype=torch.float64)


class Dit:
    """DiT (Peebles and Xie 2023) in plain tensors, from the weights of diffusers' form."""

    def __init__(self, network: Any, heads: int = 2, patch: int = 2) -> None:
        self.weights = dict(network.named_parameters())
        self.depth, self.heads, self.patch = len(network.transformer_blocks), heads, patch

    def linear(self, name: str, given: Tensor) -> Tensor:
        return given @ self.weights[f"{name}.weight"].T + self.weights[f"{name}.bias"]

    def time(self, times: Tensor) -> Tensor:
        """128 cosines and as many sines of frequencies from 1 down to nearly 1 / 10000."""
        frequencies = 10000 ** (-torch.arange(128) / 128)
        angles = times[:, None].float() * frequencies
        return torch.cat([angles.cos(), angles.sin()], dim=1).double()

    def place(self, side: int, width: int) -> Tensor:
        """Sines and cosines of the column, then of the row, of each patch."""
        omega = 10000.0 ** (-torch.arange(width // 4).double() / (width // 4))
        row, column = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
        parts = [along.flatten()[:, None].double() * omega for along in (column, row)]
        return torch.cat([f(p) for p in parts for f in (torch.sin, torch.cos)], dim=1)

    def norm(self, tokens: Tensor) -> Tensor:
        spread = tokens.var(dim=-1, unbiased=False, keepdim=True)
        return (tokens - tokens.mean(dim=-1, keepdim=True)) / (spread + 1e-6).sqrt()

    def attend(self, name: str, tokens: Tensor) -> Tensor:
        parts = (self.linear(f"{name}.to_{part}", tokens) for part in "qkv")
        query, key, value = (p.unflatten(2, (self.heads, -1)).transpose(1, 2) for p in parts)
        alike = (query @ key.transpose(2, 3) / math.sqrt(query.shape[-1])).softmax(dim=-1)
        return self.linear(f"{name}.to_out.0", (alike @ value).transpose(1, 2).flatten(2))

    def __call__(self, latents: Tensor, times: Tensor, labels: Tensor) -> Tensor:
        patches = functional.conv2d(
            latents,
            self.weights["pos_embed.proj.weight"],
            self.weights["pos_embed.proj.bias"],
            stride=self.patch,
        )
        side, width = patches.shape[-1], patches.shape[1]
        tokens = patches.flatten(2).transpose(1, 2) + self.place(side, width)
        first = "transformer_blocks.0.norm1.emb"
        hidden = functional.silu(
            self.linear(f"{first}.timestep_embedder.linear_1", self.time(times))
        )
        told = self.linear(f"{first}.timestep_embedder.linear_2", hidden)
        told = told + self.weights[f"{first}.class_embedder.embedding_table.weight"][labels]
        told = functional.silu(told)
        for number in range(self.depth):
            block = f"transformer_blocks.{number}"
            shift, scale, gate, shift_2, scale_2, gate_2 = (
                part[:, None] for part in self.linear(f"{block}.norm1.linear", told).chunk(6, dim=1)
            )
            seen = self.norm(tokens) * (1 + scale) + shift
            tokens = tokens + gate * self.attend(f"{block}.attn1", seen)
            seen = self.norm(tokens) * (1 + scale_2) + shift_2
            wide = functional.gelu(self.linear(f"{block}.ff.net.0.proj", seen), approximate="tanh")
            tokens = tokens + gate_2 * self.linear(f"{block}.ff.net.2", wide)
        shift, scale = (part[:, None] for part in self.linear("proj_out_1", told).chunk(2, dim=1))
        out = self.linear("proj_out_2", self.norm(tokens) * (1 + scale) + shift)
        grid = out.unflatten(1, (side, side)).unflatten(3, (self.patch, self.patch, -1))
        return grid.permute(0, 5, 1, 3, 2, 4).flatten(4, 5).flatten(2, 3)


@pytest.mark.parametrize("time", [0, 20, 500, 999])
def test_it_is_the_transformer_of_the_paper(time: int) -> None:
    """diffusers' own tells another time, and norms with another term."""
    ours, latents = network(), drawn(2, 4, 8, 8)
    expected = Dit(ours)(latents, torch.full((2,), time), torch.tensor([1, 3]))
    assert torch.allclose(answer(ours, latents, [1, 3], time), expected, rtol=1e-5, atol=1e-6)


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


def test_factors_multiply_what_stands_before_them() -> None:
    tuned = network()
    tunable(tuned)
    block, given = tuned.transformer_blocks[0], drawn(2, 3, 8)
    plain = block.attn1.to_q.layer(given)
    with torch.no_grad():
        block.attn1.to_q.factors.copy_(torch.arange(8))
    assert torch.allclose(block.attn1.to_q(given), plain * torch.arange(8))


def test_all_blocks_learn_the_classes_as_one() -> None:
    tuned = network()
    tunable(tuned)
    table = tuned.transformer_blocks[0].norm1.emb.class_embedder.embedding_table
    answer(tuned, drawn(1, 4, 8, 8), [1]).square().sum().backward()
    assert (table.weight.grad[1] != 0).any()
    assert (table.weight.grad[[0, 2, 3, CLASSES]] == 0).all()
    assert tuned.transformer_blocks[1].norm1.emb.class_embedder.embedding_table is table


def test_only_the_first_channels_are_guided() -> None:
    latents, plain = drawn(2, 4, 8, 8), network()
    labels, time = torch.tensor([0, 2]), torch.tensor(7)
    own, other = answer(plain, latents, [0, 2]), answer(plain, latents, [no_class(plain)] * 2)
    ours = guided(plain, latents, time, labels, params(guidance=4.0, guided_channels=3))
    expected = torch.cat([(4 * own - 3 * other)[:, :3], own[:, 3:]], dim=1)
    assert torch.allclose(ours, expected)
    assert torch.allclose(guided(plain, latents, time, labels, params(guidance=1.0)), own)


@pytest.mark.parametrize("steps", [2, 7])
@torch.no_grad()
def test_sampling_is_ancestral_over_evenly_spaced_times(steps: int) -> None:
    """As DiT's own code has it, with the variance that the network chooses."""
    plain, label = network(), torch.tensor([2])
    own, generator = params(sampling_steps=steps), Generator().manual_seed(9)
    kept = Diffusion.linear("cpu").kept
    times = torch.linspace(0, 999, steps, dtype=torch.float64).round().long()
    latents = torch.randn((1, 4, 8, 8), generator=generator, dtype=torch.float64)
    for place in reversed(range(steps)):
        time = times[place]
        now, before = kept[time], kept[times[place - 1]] if place else torch.ones(())
        beta = 1 - now / before
        noise, share = guided(plain, latents, time, label, own).chunk(2, dim=1)
        clean = (latents - (1 - now).sqrt() * noise) / now.sqrt()
        mean = (before.sqrt() * beta * clean + (1 - beta).sqrt() * (1 - before) * latents) / (
            1 - now
        )
        latents = mean
        if place:
            least = (beta * (1 - before) / (1 - now)).log()
            log_variance = (share + 1) / 2 * beta.log() + (1 - share) / 2 * least
            draw = torch.randn((1, 4, 8, 8), generator=generator, dtype=torch.float64)
            latents = latents + (log_variance / 2).exp() * draw
    ours = sampled(plain, label, own, [Generator().manual_seed(9)])
    assert torch.allclose(ours, latents, rtol=1e-3, atol=1e-3 * latents.abs().max().item())


def test_an_image_does_not_depend_on_those_it_is_made_with() -> None:
    plain, wanted = network(), torch.tensor([1, 3])

    def generators(*seeds: int) -> list[Generator]:
        return [Generator().manual_seed(seed) for seed in seeds]

    both = sampled(plain, wanted, params(), generators(5, 6))
    alone = sampled(plain, wanted[1:], params(), generators(6))
    assert torch.allclose(both[1], alone[0])
    assert not torch.allclose(both[0], both[1])
