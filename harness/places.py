"""Where the specs and the store of a project lie, by the environment and the working directory."""

from __future__ import annotations

import os
from pathlib import Path


def specs_of(folder: Path | None = None) -> Path | None:
    """The folder of the specs: what `REPRO_SPECS` names, or the nearest `specs` with a `paper.toml`
    in the working directory or above it; where a folder is given, in that or above it. None if
    none is."""
    named = None if folder else os.environ.get("REPRO_SPECS")
    if named:
        return Path(named)
    start = (folder or Path.cwd()).absolute()
    above = (each / "specs" for each in (start, *start.parents))
    return next((specs for specs in above if (specs / "paper.toml").is_file()), None)


def store_of(specs: Path) -> Path:
    """The folder of the store: what `REPRO_STORE` names, or `store` beside the specs."""
    return Path(os.environ.get("REPRO_STORE") or specs.resolve().parent / "store")
