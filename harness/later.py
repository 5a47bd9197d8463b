"""numpy and torch, imported when something of them is first asked for.

Planning and reading import modules whose functions use them, and need neither themselves.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__all__ = ["np", "torch"]


class _Later:
    """Stands for a module."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        return getattr(import_module(self._name), name)


if TYPE_CHECKING:
    import numpy as np
    import torch
else:
    np, torch = _Later("numpy"), _Later("torch")
