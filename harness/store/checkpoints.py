"""How far a long step has come: kept beside the records until its record is there.

    checkpoints/ab/<identity>/<part>.state   SHA-256 of what follows, then safetensors

A checkpoint is worth a part of one run and nothing more: one that cannot be read, or that other
code or another kind of machine has made, is passed over, and the step starts anew.
"""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from harness.store.files import write_atomic

if TYPE_CHECKING:
    import numpy as np

EVERY = 60.0
"""Seconds between two checkpoints of one step."""
_DIGEST = 32
"""Bytes of the digest in front."""


class StepCheckpoints:
    """The checkpoints of one step, for whoever holds its lease. Satisfies `Checkpoints`."""

    def __init__(
        self, root: Path, identity: str, made_by: str, every: float = EVERY, part: str = "whole"
    ) -> None:
        """`made_by` tells the code and the machine apart on which a run can be gone on with."""
        self._root = root
        self._identity = identity
        self._made_by = made_by
        self._every = every
        self._part = part
        self._last = time.monotonic()

    def load(self) -> Mapping[str, np.ndarray] | None:
        """See `Checkpoints.load`."""
        from safetensors import SafetensorError
        from safetensors.numpy import load

        try:
            held = self._path.read_bytes()
            if hashlib.sha256(held[_DIGEST:]).digest() != held[:_DIGEST]:
                return None
            made_by, state = held[_DIGEST : 2 * _DIGEST], load(held[2 * _DIGEST :])
        except (OSError, SafetensorError):
            return None
        return state if made_by == self._maker else None

    def due(self) -> bool:
        """See `Checkpoints.due`."""
        return time.monotonic() - self._last >= self._every

    def save(self, state: Mapping[str, np.ndarray]) -> None:
        """See `Checkpoints.save`. A disk that is full costs the checkpoint, not the run."""
        from safetensors.numpy import save

        body = self._maker + save(dict(state))
        with suppress(OSError):
            write_atomic(self._root, self._path, hashlib.sha256(body).digest() + body)
        self._last = time.monotonic()

    def part(self, name: str) -> StepCheckpoints:
        """See `Checkpoints.part`."""
        return StepCheckpoints(self._root, self._identity, self._made_by, self._every, name)

    @property
    def kept(self) -> bool:
        """Whether anything is kept of the step, of any part, usable or not."""
        return any(self._path.parent.glob("*.state"))

    def drop(self) -> None:
        """Forget all parts: the step has its record."""
        shutil.rmtree(self._path.parent, ignore_errors=True)

    @property
    def _maker(self) -> bytes:
        return hashlib.sha256(self._made_by.encode()).digest()

    @property
    def _path(self) -> Path:
        folder = self._root / "checkpoints" / self._identity[:2] / self._identity
        return folder / f"{self._part}.state"


def clean_checkpoints(root: Path, finished: set[str]) -> None:
    """Delete the checkpoints of steps that have a record."""
    for folder in (root / "checkpoints").glob("??/*"):
        if folder.name in finished:
            shutil.rmtree(folder, ignore_errors=True)
