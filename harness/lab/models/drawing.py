"""What layers draw: first weights, dropout and stochastic depth."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


def draws(network: nn.Module) -> bool:
    """Whether a layer leaves something out at random when the network trains.

    torch's and torchvision's call the probability `p`, timm's `drop_prob`.
    """
    shares = (getattr(m, name, 0) for m in network.modules() for name in ("p", "drop_prob"))
    return any(isinstance(share, float) and share > 0 for share in shares)


@contextmanager
def drawing_from(seed: int, device: str) -> Iterator[None]:
    """Inside, layers draw their first weights, and dropout, by `seed` alone.

    Layers know no generator but the global ones, of the CPU and of their device. Those stay as they
    were.
    """
    on_gpu = [torch.device(device)] if device.startswith("cuda") else []
    with torch.random.fork_rng(devices=on_gpu):
        # Not torch.manual_seed, which would also reseed the generators of all GPUs.
        torch.default_generator.manual_seed(seed)
        for gpu in on_gpu:
            with torch.cuda.device(gpu):
                torch.cuda.manual_seed(seed)
        yield
