"""A released set once its files are read, whatever their layout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

Space: TypeAlias = Literal["pixels", "mean-std", "mtt-mean-std", "zca"]
"""How stored values are scaled; see `harness.lab.imports.spaces`."""


@dataclass(frozen=True)
class Imported:
    """A released set, of images or of rows of the training split."""

    labels: np.ndarray
    """int64 (n,), classes from 0."""
    images: np.ndarray | None = None
    """uint8, or float32 as stored, (n, height, width, channels)."""
    indices: np.ndarray | None = None
    """int64 (n,), where there are no images."""
    soft_labels: np.ndarray | None = None
    """float32 (n, classes): learned logits, whose largest is the label."""
    learning_rate: float | None = None
    """Learned with the images."""
    space: Space = "pixels"
    notes: tuple[str, ...] = ()
    """Remarks on these files for a reader of the results."""

    def arrays(self) -> dict[str, np.ndarray]:
        """Every array that is there, by its name."""
        named = {
            "images": self.images,
            "indices": self.indices,
            "labels": self.labels,
            "soft_labels": self.soft_labels,
        }
        return {name: array for name, array in named.items() if array is not None}
