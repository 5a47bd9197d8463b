"""Compiling a network where that is possible; how a network is run is in no identity."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor, nn

from harness.lab.models.rounding import has_bfloat16

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
