"""Writing a step's result into a directory that no reader sees yet."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import UserError
from harness.plan.step import Json, StepResult
from harness.store.digest import (
    canonical,
    digest_array,
    digest_file,
    digest_json,
    quick_digest_file,
)
from harness.store.files import write_synced
from harness.store.record import LOG, MANIFEST, RECORD, Output, Record

if TYPE_CHECKING:
    import numpy as np

_NAME = re.compile(r"\w[\w.-]*")
_KINDS = "biufcUS"
"""Booleans, numbers and strings: what can be read back without pickle."""


def check_values(step: str, values: Mapping[str, Json]) -> None:
    """Raise UserError unless every value is JSON. Not-a-number is allowed: it is a finding."""
    for name, value in values.items():
        try:
            canonical(value)
        except (TypeError, ValueError) as error:
            raise UserError(
                f"step {step!r} returned a value {name!r} that is not JSON ({error}); "
                "return Python numbers, strings, lists and dictionaries, and arrays as arrays"
            ) from None


def write_outputs(directory: Path, step: str, result: StepResult) -> dict[str, Output]:
    """Write arrays as `.npy` and tensors as safetensors, and say what was written.

    Raises UserError for names that cannot be file names, for a name used twice, and for element
    types that would need pickle.
    """
    outputs: dict[str, Output] = {}
    for name in sorted(result.arrays):
        _check_name(step, name, outputs)
        outputs[name] = _write_array(directory, step, name, result.arrays[name])
    for name in sorted(result.tensors):
        _check_name(step, name, outputs)
        outputs[name] = _write_tensors(directory, step, name, result.tensors[name])
    return outputs


def write_provenance(directory: Path, record: Record, log: str) -> None:
    """Write `record.json`, the log, and last the manifest of every file."""
    write_synced(directory / RECORD, canonical(record.to_json()))
    write_synced(directory / LOG, log.encode("utf-8", errors="replace"))
    files = {
        path.name: {
            "sha256": digest_file(path),
            "xxh3": quick_digest_file(path),
            "bytes": path.stat().st_size,
        }
        for path in sorted(directory.iterdir())
    }
    held = {"files": files, "digest": digest_json(files)}
    write_synced(directory / MANIFEST, canonical(held))


def tensors_digest(tensors: Mapping[str, Any]) -> str:
    """Digest of a safetensors file's content: of each tensor, by name."""
    return digest_json({name: digest_array(tensor) for name, tensor in tensors.items()})


def _write_array(directory: Path, step: str, name: str, array: np.ndarray) -> Output:
    import numpy as np

    plain = _plain(step, name, array)
    buffer = io.BytesIO()
    np.save(buffer, plain, allow_pickle=False)
    file = f"{name}.npy"
    write_synced(directory / file, buffer.getvalue())
    return Output(
        file=file,
        sha256=digest_array(plain),
        shape=list(plain.shape),
        dtype=plain.dtype.str,
    )


def _write_tensors(
    directory: Path, step: str, name: str, tensors: Mapping[str, np.ndarray]
) -> Output:
    from safetensors.numpy import save

    plain = {key: _plain(step, f"{name}/{key}", tensors[key]) for key in sorted(tensors)}
    file = f"{name}.safetensors"
    write_synced(directory / file, save(plain))
    return Output(file=file, sha256=tensors_digest(plain), shape=[], dtype="safetensors")


def _plain(step: str, name: str, array: Any) -> np.ndarray:
    """The array in C order and little-endian; UserError for what only pickle could store."""
    import numpy as np

    plain = np.asarray(array, order="C")
    if plain.dtype.kind not in _KINDS:
        raise UserError(
            f"step {step!r} returned an array {name!r} of {plain.dtype}; stored are booleans, "
            "numbers and strings, never Python objects (they would need pickle)"
        )
    return plain.astype(plain.dtype.newbyteorder("<"), copy=False)


def _check_name(step: str, name: str, taken: Mapping[str, Output]) -> None:
    if not _NAME.fullmatch(name) or name in taken:
        raise UserError(
            f"step {step!r} returned an output named {name!r}; a name is made of letters, "
            "numerals, '_', '-' and '.', and is used once among arrays and tensors"
        )
