"""A pretrained diffusion transformer of classes: its fine-tuned weights and its sampling."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Generator, Tensor, nn

from harness.lab.distill.diffusion.denoising import BETA_END, BETA_START, STEPS
from harness.lab.distill.diffusion.generate import MinimaxParams
from harness.lab.distill.diffusion.latents import normal
from harness.lab.distill.diffusion.pretrained import diffusers


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
