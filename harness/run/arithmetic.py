"""The arithmetic that a step's parameters name is the one that a GPU does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def exact(device: str) -> Iterator[None]:
    """On a GPU, products of float32 are in float32 and convolutions repeat to the bit.

    Left to itself, cuDNN rounds the factors of float32 convolutions to the 10 bits of TF32, and
    picks whichever algorithm is fastest at the moment, some of which add in no fixed order.
    """
    if device == "cpu":
        yield
        return
    import torch

    products = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        with torch.backends.cudnn.flags(
            enabled=True, benchmark=False, deterministic=True, allow_tf32=False
        ):
            yield
    finally:
        torch.set_float32_matmul_precision(products)
