"""A pretrained diffusion transformer of classes (DiT): its diffusion, fine-tuned weights, sampling.

It was trained with a thousand steps of linearly growing noise. Formulas of Ho et al. 2020 and, for
the learned variance, of Nichol and Dhariwal 2021. Clean latents x and noised ones z are
(n, c, h, w), times int64 (n,) from 0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Generator, Tensor, nn

from harness.lab.distill.diffusion.generate import MinimaxParams
from harness.lab.distill.diffusion.pretrained import diffusers, normal

STEPS = 1000
BETA_START, BETA_END = 1e-4, 2e-2
BIN = 1 / 255
"""Half of the width of a grey value, when 256 of them span [-1, 1]."""
LEAST = 1e-12
"""A probability below this counts as this, so that its logarithm is finite."""


@dataclass(frozen=True)
class Diffusion:
    """z = sqrt(kept) x + sqrt(1 - kept) noise."""

    betas: Tensor
    """float64 (steps,)."""

    @classmethod
    def linear(cls, device: str) -> Diffusion:
        return cls(torch.linspace(BETA_START, BETA_END, STEPS, dtype=torch.float64).to(device))

    @cached_property
    def kept(self) -> Tensor:
        """Share of the signal's variance that is left at each time."""
        return (1 - self.betas).cumprod(dim=0)

    @cached_property
    def kept_before(self) -> Tensor:
        return torch.cat([self.kept.new_ones(1), self.kept[:-1]])

    @cached_property
    def least_log_variance(self) -> Tensor:
        """Log-variance of the posterior q(z before | z, x), which is 0 at the first time; there the
        second stands in."""
        variance = self.betas * (1 - self.kept_before) / (1 - self.kept)
        return torch.cat([variance[1:2], variance[1:]]).log()

    def noised(self, clean: Tensor, times: Tensor, noise: Tensor) -> Tensor:
        signal, share = self._at(self.kept.sqrt(), times, clean), 1 - self.kept
        return signal * clean + self._at(share.sqrt(), times, clean) * noise

    def cleaned(self, noised: Tensor, times: Tensor, noise: Tensor) -> Tensor:
        """The clean latents that the given noise would turn into the noised ones."""
        signal, share = self._at(self.kept.sqrt(), times, noised), 1 - self.kept
        return (noised - self._at(share.sqrt(), times, noised) * noise) / signal

    def mean_before(self, clean: Tensor, noised: Tensor, times: Tensor) -> Tensor:
        """Mean of the posterior q(z before | z, x)."""
        left = 1 - self.kept
        of_clean = self.betas * self.kept_before.sqrt() / left
        of_noised = (1 - self.kept_before) * (1 - self.betas).sqrt() / left
        return self._at(of_clean, times, clean) * clean + self._at(of_noised, times, clean) * noised

    def log_variance(self, share: Tensor, times: Tensor) -> Tensor:
        """Log-variance between the least, at a share of -1, and that of beta, at 1."""
        least = self._at(self.least_log_variance, times, share)
        most = self._at(self.betas.log(), times, share)
        return least + (share + 1) / 2 * (most - least)

    def losses(self, answer: Tensor, clean: Tensor, times: Tensor, noise: Tensor) -> Tensor:
        """DiT's loss of each image (n,), from the network's answer (n, 2 c, h, w).

        The squared error of the noise, and the variational bound in bits, which only the variance
        learns from. Both are means over the latent.
        """
        predicted, share = answer.chunk(2, dim=1)
        noised = self.noised(clean, times, noise)
        guess = self.cleaned(noised, times, predicted.detach())
        mean, log_variance = (
            self.mean_before(guess, noised, times),
            self.log_variance(share, times),
        )
        least = self._at(self.least_log_variance, times, clean).expand_as(clean)
        true = self.mean_before(clean, noised, times)
        later = divergence(true, least, mean, log_variance)
        first = -bin_log_likelihood(clean, mean, log_variance)
        bound = torch.where(times[:, None, None, None] == 0, first, later) / math.log(2)
        return ((predicted - noise).square() + bound).flatten(1).mean(dim=1)

    def _at(self, numbers: Tensor, times: Tensor, like: Tensor) -> Tensor:
        return numbers[times].to(like.dtype)[:, None, None, None]


def divergence(mean: Tensor, log_variance: Tensor, other: Tensor, other_log: Tensor) -> Tensor:
    """Kullback-Leibler divergence of one normal distribution from another, in nats."""
    spread = (log_variance - other_log).exp() + (mean - other).square() * (-other_log).exp()
    return (other_log - log_variance - 1 + spread) / 2


def bin_log_likelihood(values: Tensor, mean: Tensor, log_variance: Tensor) -> Tensor:
    """Log-probability of the grey value around each number, in nats.

    The outermost of the 256 reach to infinity.
    """
    scale = (-log_variance / 2).exp()
    below = torch.special.ndtr((values - mean - BIN) * scale)
    above = torch.special.ndtr((values - mean + BIN) * scale)
    below = torch.where(values < -1 + BIN, torch.zeros_like(below), below)
    above = torch.where(values > 1 - BIN, torch.ones_like(above), above)
    return (above - below).clamp(min=LEAST).log()


class Scaled(nn.Module):
    """A layer whose outputs are multiplied by learned factors, 1 at first."""

    def __init__(self, layer: nn.Module, width: int) -> None:
        super().__init__()
        self.layer = layer
        weight = next(layer.parameters())
        self.factors = nn.Parameter(torch.ones(width, device=weight.device, dtype=weight.dtype))

    def forward(self, *given: Any) -> Tensor:
        made: Tensor = self.layer(*given) * self.factors
        return made


def tunable(transformer: Any) -> list[nn.Parameter]:
    """Prepare a transformer for DiffFit (Xie et al. 2023), and return the weights that it trains.

    All biases, the embeddings of the classes, and factors that are put behind the projections of
    attention, the attention and the feed-forward part of the first half of the blocks. Every block
    of diffusers' has embeddings of its own; here they are made one, as they are in the original.
    """
    blocks = transformer.transformer_blocks
    width = transformer.inner_dim
    transformer.requires_grad_(False)
    for number, block in enumerate(blocks):
        block.norm1.emb = blocks[0].norm1.emb
        if number < len(blocks) // 2:
            attention, forward = block.attn1, block.ff.net
            for name in ("to_q", "to_k", "to_v"):
                setattr(attention, name, Scaled(getattr(attention, name), width))
            attention.to_out[0] = Scaled(Scaled(attention.to_out[0], width), width)
            forward[2] = Scaled(forward[2], width)
    found = [
        weight
        for name, weight in transformer.named_parameters()
        if name.endswith((".bias", ".factors")) or ".class_embedder." in name
    ]
    for weight in found:
        weight.requires_grad_(True)
    return found


def no_class(transformer: Any) -> int:
    """The label that stands for no class."""
    count: int = transformer.config.num_embeds_ada_norm
    return count


def guided(transformer: Any, noised: Tensor, time: Tensor, labels: Tensor, p: MinimaxParams) -> Any:
    """The answer (n, 2 c, h, w) to latents of some classes, guided away from that to no class.

    Only the first channels are guided, as DiT's own code does; of the others, the answer to the
    class is left as it is.
    """
    nothing = torch.full_like(labels, no_class(transformer))
    both = transformer(
        torch.cat([noised, noised]),
        timestep=time.expand(2 * len(labels)),
        class_labels=torch.cat([labels, nothing]),
    ).sample
    answer, other = both.chunk(2)
    first = slice(p.guided_channels)
    answer = answer.clone()
    answer[:, first] = other[:, first] + p.guidance * (answer[:, first] - other[:, first])
    return answer


@torch.no_grad()
def sampled(
    transformer: Any, labels: Tensor, params: MinimaxParams, generators: Sequence[Generator]
) -> Tensor:
    """A latent (c, h, w) of each label by denoising; each label has a generator of its own."""
    scheduler = diffusers().DDPMScheduler(
        num_train_timesteps=STEPS,
        beta_start=BETA_START,
        beta_end=BETA_END,
        variance_type="learned_range",
        clip_sample=False,
        timestep_spacing="linspace",
    )
    scheduler.set_timesteps(params.sampling_steps)
    side, channels = transformer.config.sample_size, transformer.config.in_channels
    empty = transformer.proj_out_2.weight.new_empty((len(labels), channels, side, side))
    latents = normal(empty, *generators)
    for time in scheduler.timesteps:
        answer = guided(transformer, latents, time.to(latents.device), labels, params)
        latents = scheduler.step(answer, time, latents, generator=list(generators)).prev_sample
    return latents
