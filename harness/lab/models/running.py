"""How a network is run, which is in no identity: compiled or not, and in which arithmetic."""

from __future__ import annotations

import platform
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

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
