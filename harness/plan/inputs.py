"""Files as typed parameters: their digests are in the identity of the step that reads them.

A step's parameters say `data: InputFiles`, and a spec lists paths, of files or folders, relative to
the project. What the step gets is each file with its SHA-256, so that an edited file is other work.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path, PurePosixPath
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, ValidationInfo

from harness.errors import nearest

_UNWANTED = {"__pycache__", ".git", ".venv", "node_modules"}
"""Folders that are no input, where git does not say what is."""
GONE = "gone"
"""The digest of a file that is not there."""


class Inputs:
    """Digests of the files of a project, each computed once; for the time of one plan."""

    def __init__(self, home: Path, gone: bool = False) -> None:
        """`gone`: whether what is not there has the digest `GONE`, for a plan that is not run."""
        self.home = home
        self._gone = gone
        self._digests: dict[Path, str] = {}

    def digests(self, path: str) -> Iterator[tuple[str, str]]:
        """File, relative to the project -> SHA-256: of a file, or of all in a folder.

        Raises:
            ValueError: nothing is called so, or it lies outside the project.
        """
        if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
            raise ValueError(f"'{path}': expected a path inside the project, relative to it")
        place = self.home / path
        if not place.exists():
            if self._gone:
                yield path, GONE
                return
            beside = place.parent.iterdir() if place.parent.is_dir() else ()
            near = nearest(place.name, (each.name for each in beside))
            raise ValueError(f"'{path}': no such file in {self.home}; {near}")
        for file in sorted(_within(place)) if place.is_dir() else [place]:
            if file.is_file():  # not what git still tracks and is deleted
                if file not in self._digests:
                    self._digests[file] = _digest(file)
                yield file.relative_to(self.home).as_posix(), self._digests[file]


def digests_now(home: Path, files: Iterable[str]) -> dict[str, str]:
    """File, relative to the project -> its SHA-256, for the files that are there."""
    return {file: _digest(home / file) for file in files if (home / file).is_file()}


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _within(folder: Path) -> list[Path]:
    """The files below a folder as git sees them: tracked, or not ignored; without git, all."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=folder, capture_output=True, check=False,
    )  # fmt: skip
    if listed.returncode == 0:
        return [folder / os.fsdecode(name) for name in listed.stdout.split(b"\0") if name]
    found = (file for file in folder.rglob("*") if file.is_file())
    return [file for file in found if not _UNWANTED & set(file.relative_to(folder).parts)]


def _read(value: Any, info: ValidationInfo) -> Any:
    if isinstance(value, Mapping):
        return value  # of a record or a planned step
    paths = [value] if isinstance(value, str) else list(value)
    if not isinstance(info.context, Inputs):
        raise ValueError("files are looked up while planning, and this is no plan")
    return dict(pair for path in paths for pair in info.context.digests(path))


_READ = BeforeValidator(_read)
InputFiles = Annotated[dict[str, str], _READ]
"""File, relative to the project -> SHA-256. In a spec: a path, or a list of paths."""


@cache
def file_fields(params: type[BaseModel]) -> frozenset[str]:
    """The parameters of a model that are `InputFiles`, or may be."""
    return frozenset(
        name
        for name, field in params.model_fields.items()
        if _READ in field.metadata
        or (
            get_origin(field.annotation) in (Union, UnionType)
            and any(_READ in get_args(each) for each in get_args(field.annotation))
        )
    )


@cache
def reads_files(params: type[BaseModel]) -> bool:
    """Whether a model has `InputFiles` anywhere: what it says may be other files soon."""
    seen: set[int] = set()
    left: list[Any] = [params]
    while left:
        part = left.pop()
        if part is _READ:
            return True
        if id(part) in seen:  # all of them are held by the model; comparing types is slow
            continue
        seen.add(id(part))
        left += get_args(part)
        if isinstance(part, type) and issubclass(part, BaseModel):
            for field in part.model_fields.values():
                left += [field.annotation, *field.metadata]
    return False
