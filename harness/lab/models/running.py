"""How a network is run, which is in no identity: compiled or not, and in which arithmetic.

And what its layers draw while it runs, and what enters them.
"""

from __future__ import annotations

import platform
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

PRODUCTS = (torch.conv2d, torch._C._nn.linear)


@contextmanager
def bfloat16_products(device: str) -> Iterator[None]:
    """Convolutions and linear layers multiply bfloat16 numbers and add in float32.

    On GPUs, and on processors with such arithmetic, by `torch.autocast`. Other processors would
    emulate each product, and take 1.8 times as long as rounding the factors and the sums does
    (measured on a Xeon with AVX-512 alone); a product of two bfloat16 numbers is exact in float32,
    so both are the same arithmetic but for the order of the sums.
    """
    kind = device.partition(":")[0]
    with torch.autocast(kind, torch.bfloat16):
        if kind == "cpu" and not has_bfloat16():
            with RoundedProducts():
                yield
        else:
            yield


@cache
def has_bfloat16() -> bool:
    """Whether this processor is known to have instructions for products of bfloat16.

    Those of other makers than Intel and AMD are left to torch, which knows them better.
    """
    if platform.machine() not in ("x86_64", "AMD64"):
        return True
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()


class RoundedProducts(TorchFunctionMode):
    """Within it, the products' inputs, weights and results are rounded to bfloat16."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        if func not in PRODUCTS:
            return func(*args, **(kwargs or {}))
        inputs, weight, bias, *rest = args
        with torch.autocast("cpu", enabled=False):
            bias = None if bias is None else _rounded(bias)
            sums = func(_rounded(inputs), _rounded(weight), bias, *rest, **(kwargs or {}))
        return sums.to(torch.bfloat16)


def _rounded(values: Tensor) -> Tensor:
    return values.to(torch.bfloat16).to(torch.float32)


COMPILERS = ("c++", "g++", "clang++")


def compiled(network: nn.Module) -> Callable[[Tensor], Tensor]:
    """The network, compiled once for every batch size, or as it is without a C++ compiler."""
    if not can_compile():
        return network
    # Else the compiler drops the rounding of what is widened again at once.
    faster: Callable[[Tensor], Tensor] = torch.compile(
        network, options={"emulate_precision_casts": not has_bfloat16()}
    )

    def call(pixels: Tensor) -> Tensor:
        torch._dynamo.maybe_mark_dynamic(pixels, 0)
        return faster(pixels)

    return call


@cache
def can_compile() -> bool:
    """Whether there is a C++ compiler; says so, once, where there is none."""
    found = any(shutil.which(name) for name in COMPILERS)
    if not found:
        print(
            "repro: no C++ compiler is on the PATH, so networks are not compiled: several times "
            "slower, the same work",
            file=sys.stderr,
        )
    return found


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
