"""Reading `.pt` files: tensors, numbers and lists of them, and nothing that could act.

Such a file is a zip of one pickle and the raw values of the tensors. Three gates stand before it:
the sizes in the zip's headers, the names in the pickle, and torch's own restricted reader. NumPy
numbers, which the official files hold, are read by stand-ins, so that no code of NumPy is given a
state that somebody else wrote.
"""

from __future__ import annotations

import pickletools
import re
import stat
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from harness.errors import UserError, one_line


class Refused(UserError):
    """A file or folder that somebody else made and that is not used, and why."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(one_line(f"{path}: {reason}"))


LARGEST = 4 << 30
"""Bytes of the largest file that is opened; the largest released one has 2.5 GB."""
LARGEST_PICKLE = 16 << 20
_TYPE = re.compile(r"[biuf][1248]")
_ORDERS: Mapping[str, Literal["<", ">", "="]] = {"<": "<", ">": ">", "|": "="}
"""Byte orders as NumPy pickles them; that of a single byte means nothing."""


class NumpyType:
    """Stands for `numpy.dtype`: one of the plain numbers, and its byte order."""

    def __init__(self, name: str, *flags: object) -> None:
        if not _TYPE.fullmatch(name):
            raise ValueError(f"NumPy values of type {name!r}")
        self.dtype = np.dtype(name)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.dtype = self.dtype.newbyteorder(_ORDERS[state[1]])


class NumpyArray:
    """Stands for `numpy.ndarray`; `values` is the array."""

    values: np.ndarray

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, kind, by_columns, data = state
        flat = np.frombuffer(data, kind.dtype)
        self.values = flat.reshape(shape, order="F" if by_columns else "C")


def _empty_array(*arguments: object) -> NumpyArray:
    return NumpyArray()


def _number(kind: NumpyType, data: bytes) -> float:
    value: float = np.frombuffer(data, kind.dtype)[0].item()
    return value


STAND_INS: Mapping[str, Callable[..., object]] = {
    "numpy.dtype": NumpyType,
    "numpy.ndarray": NumpyArray,
    "numpy.core.multiarray.scalar": _number,
    "numpy._core.multiarray.scalar": _number,
    "numpy.core.multiarray._reconstruct": _empty_array,
    "numpy._core.multiarray._reconstruct": _empty_array,
}
_STORAGES = ("Float", "Double", "Half", "Long", "Int", "Short", "Char", "Byte", "Bool")
ALLOWED = frozenset(
    {
        *STAND_INS,
        *(f"torch.{kind}Storage" for kind in _STORAGES),
        "torch._utils._rebuild_tensor_v2",
        "collections.OrderedDict",
        "_codecs.encode",
    }
)
"""Every name that a pickle may hold. Less than torch allows, since some of that can be told to
take any amount of memory."""


def read_torch(path: Path) -> Any:
    """The content of a `.pt` file. Tensors are mapped: they take memory when they are copied.

    Raises `Refused` for anything but a sound file of tensors, NumPy values, lists and numbers.
    """
    check_regular(path)
    _check_names(path, _pickle_of(path))
    stand_ins: list[Callable[..., Any] | tuple[Callable[..., Any], str]] = [
        (function, name) for name, function in STAND_INS.items()
    ]
    try:
        with torch.serialization.safe_globals(stand_ins):
            return torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except Exception as error:  # the file decides what goes wrong inside, so any error is its fault
        raise Refused(path, f"cannot be read as tensors ({_line(error)})") from None


def tensor_array(path: Path, tensor: object, name: str) -> np.ndarray:
    """A tensor or NumPy array of a file as an array of its own, of numbers, in C order.

    Raises `Refused` for anything else, and for shapes that the file does not have the values of.
    """
    if isinstance(tensor, NumpyArray) and hasattr(tensor, "values"):
        return tensor.values.copy()
    if not isinstance(tensor, torch.Tensor) or tensor.layout is not torch.strided:
        raise Refused(path, f"{name}: a tensor was expected, found {type(tensor).__name__}")
    if tensor.numel() * tensor.element_size() > tensor.untyped_storage().nbytes():
        raise Refused(path, f"{name}: shape {tuple(tensor.shape)} is more than the file holds")
    return tensor.detach().numpy().copy(order="C")


def check_regular(path: Path, largest: int = LARGEST) -> None:
    """Raise `Refused` unless this is a file of at most `largest` bytes."""
    try:
        found = path.stat()
    except (OSError, ValueError) as error:
        raise Refused(path, f"cannot be opened ({_line(error)})") from None
    if not stat.S_ISREG(found.st_mode):
        raise Refused(path, "a file was expected")
    if found.st_size > largest:
        raise Refused(path, f"{found.st_size} bytes, but no such file has more than {largest}")


def _pickle_of(path: Path) -> bytes:
    """The pickle inside, after the sizes that the zip's headers state are found to be honest."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            pickles = [entry for entry in entries if entry.filename.endswith("/data.pkl")]
            packed = [e for e in entries if e.compress_type != zipfile.ZIP_STORED]
            if packed or sum(e.file_size for e in entries) > path.stat().st_size:
                raise Refused(path, "its zip would unpack to more than the file; torch packs none")
            if len(pickles) != 1 or pickles[0].file_size > LARGEST_PICKLE:
                raise Refused(path, "one small data.pkl was expected in its zip, as torch writes")
            return archive.read(pickles[0])
    except Refused:
        raise
    except Exception as error:  # as above
        raise Refused(
            path,
            f"no zip as torch.save writes it since version 1.6 ({_line(error)}); older forms are "
            "plain pickles, which are not read: save its tensors again with a newer torch",
        ) from None


def _check_names(path: Path, pickled: bytes) -> None:
    """Raise `Refused` if the pickle names anything that is not allowed."""
    names: set[str] = set()
    try:
        for code, argument, _ in pickletools.genops(pickled):
            if code.name in ("GLOBAL", "INST"):
                names.add(str(argument).replace(" ", "."))
            elif code.name in ("STACK_GLOBAL", "EXT1", "EXT2", "EXT4"):
                names.add(code.name)
    except Exception as error:  # as above
        raise Refused(path, f"its pickle is damaged ({_line(error)})") from None
    strange = sorted(names - ALLOWED)
    if strange:
        raise Refused(
            path,
            f"its pickle names {strange[0][:100]!r}; only tensors, numbers and lists are read, "
            "and nothing of the file was run",
        )


def _line(error: BaseException) -> str:
    """The first line of an error, short."""
    text = str(error).strip().split("\n", 1)[0]
    return (text or type(error).__name__)[:160]
