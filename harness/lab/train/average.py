"""The moving average of a network's weights."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Average:
    """The average of the weights over updates, which stands in the network between two of them.

    It starts at the first weights; after every update, average = decay average + (1 - decay)
    weights. Only what is learned is averaged: statistics of norms stay those of the training, as in
    EDC's official code, which evaluates so.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self._decay = decay
        self._inside = list(network.parameters())
        self._outside = [parameter.detach().clone() for parameter in self._inside]

    @property
    def kept(self) -> dict[str, Tensor]:
        """The weights that are not in the network now, by name; for checkpoints."""
        return {f"average/{number}": tensor for number, tensor in enumerate(self._outside)}

    @torch.no_grad()
    def swap(self) -> None:
        """Put the average into the network and its weights aside, or the other way round."""
        for inside, outside in zip(self._inside, self._outside, strict=True):
            before = inside.detach().clone()
            inside.copy_(outside)
            outside.copy_(before)

    @torch.no_grad()
    def follow(self) -> None:
        """Count the weights of the network in; the average is outside."""
        for inside, outside in zip(self._inside, self._outside, strict=True):
            outside.mul_(self._decay).add_(inside, alpha=1 - self._decay)
