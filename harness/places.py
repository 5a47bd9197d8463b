"""Where the specs and the store of a project lie, by the environment and the working directory."""

from __future__ import annotations

import os
from pathlib import Path


def specs_above(start: Path) -> Path | None:
    """The nearest folder `specs` with a `paper.toml`, in a folder or above it; none if none is."""
    above = (folder / "specs" for folder in (start, *start.parents))
    return next((specs for specs in above if (specs / "paper.toml").is_file()), None)


def store_of(specs: Path) -> Path:
    """The folder of the store: what `REPRO_STORE` names, or `store` beside the specs."""
    return Path(os.environ.get("REPRO_STORE") or specs.resolve().parent / "store")
