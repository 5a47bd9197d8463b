"""A copy of the code: what is queued runs what was submitted, whatever is edited since."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Iterable
from pathlib import Path

from harness.errors import UserError


def snapshot(functions: Iterable[str], place: Path) -> None:
    """Copy the harness and the top-level packages of dotted functions to `place`.

    Raises UserError for a package that cannot be found.
    """
    packages = {"harness", *(name.partition(".")[0].partition(":")[0] for name in functions)}
    for package in sorted(packages):
        found = importlib.util.find_spec(package)
        if found is None or found.origin is None:
            raise UserError(f"package {package!r} is not here, but steps need it; install it")
        source = Path(found.origin)
        if source.name == "__init__.py":
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(source.parent, place / package, ignore=ignored)
        else:
            place.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, place / source.name)
