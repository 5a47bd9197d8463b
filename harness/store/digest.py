"""Canonical JSON and SHA-256 digests of values, arrays and files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np


def canonical(value: Any) -> bytes:
    """JSON with sorted keys, no spaces and ASCII only; not-a-number is written `NaN`.

    Raises TypeError for what JSON cannot hold.
    """
    if isinstance(value, Mapping):
        value = dict(value)
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode("ascii")


def digest_json(value: Any) -> str:
    """Hexadecimal SHA-256 of the canonical JSON."""
    return hashlib.sha256(canonical(value)).hexdigest()


def digest_file(path: Path) -> str:
    """Hexadecimal SHA-256 of the bytes of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def quick_digest_file(path: Path) -> str:
    """Hexadecimal XXH3 of 128 bits of the bytes of a file: about five times as fast as SHA-256.

    It tells damage as surely; whoever wants to can make two files that share it.
    """
    from xxhash import xxh3_128

    with path.open("rb", buffering=0) as file:
        return hashlib.file_digest(file, xxh3_128).hexdigest()


def digest_array(array: np.ndarray) -> str:
    """SHA-256 over element type, shape and little-endian elements in C order.

    Unlike the digest of an `.npy` file it does not depend on how numpy words the file's header.
    """
    little = array.astype(array.dtype.newbyteorder("<"), order="C", copy=False)
    head = f"{little.dtype.str} {list(little.shape)}\n".encode()
    hasher = hashlib.sha256(head)
    hasher.update(little.tobytes() if little.ndim == 0 else little.data)
    return hasher.hexdigest()
