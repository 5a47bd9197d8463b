"""Forward hooks: reading what enters the layers of a network while it runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

from torch import Tensor, nn

Name = TypeVar("Name")


@contextmanager
def layer_inputs(
    layers: Mapping[Name, nn.Module], receive: Callable[[Name, Tensor], None]
) -> Iterator[None]:
    """Within the context, call `receive` with the name and the input of each layer that runs.

    Each layer has one forward pre-hook, which is removed at the end of the context. The inputs
    keep their graph.
    """

    def hook(name: Name) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
        return lambda layer, entering: receive(name, entering[0])

    handles = [layer.register_forward_pre_hook(hook(name)) for name, layer in layers.items()]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def last_linear(network: nn.Module) -> nn.Linear:
    """The last linear layer, whose input are the features of a classifier."""
    return [module for module in network.modules() if isinstance(module, nn.Linear)][-1]
