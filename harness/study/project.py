"""Where a project's specs, records and renders are: what everything starts from."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from harness.errors import UserError
from harness.plan.library import own_step_types
from harness.run.stale import Codes, probe_file
from harness.spec.paper import Paper, load_paper
from harness.store.store import Store


@dataclass(frozen=True)
class Project:
    """A folder of specs and a store of records."""

    specs: Path
    root: Path
    """Where the store lies."""
    build: Path
    """Where rendered tables and plots go."""
    published: Path
    """Results that came with the project."""
    designs: Path
    """Where designs of variations are written down before they run."""
    notices: dict[str, None] = field(default_factory=dict, compare=False)
    """Lines for whoever reads numbers that were judged so far, each once."""

    @cached_property
    def paper(self) -> Paper:
        return load_paper(self.specs)

    @cached_property
    def store(self) -> Store:
        return Store(self.root, self.published)

    @cached_property
    def codes(self) -> Codes:
        """The code of the paper's steps, with what is known of it."""
        types = own_step_types(self.paper)
        return Codes(types, probe_file(self.paper.about.steps), self.store)


def find_project(folder: Path | None = None) -> Project:
    """The project of a folder, by default of the working directory.

    `REPRO_SPECS` names the folder with `paper.toml` where no folder is given, `REPRO_STORE` the
    store and `REPRO_BUILD` the folder for renders; what is not named is looked for in the nearest
    parent directory that has `specs/paper.toml`.

    Raises:
        UserError: there is no project here.
    """
    named = None if folder else os.environ.get("REPRO_SPECS")
    specs = Path(named) if named else _nearest_specs(folder or Path.cwd())
    home = specs.resolve().parent
    root = Path(os.environ.get("REPRO_STORE") or home / "store")
    if root.exists() and not root.is_dir():
        raise UserError(f"{root}: a file, but the store is a folder; name another in REPRO_STORE")
    if str(home) not in sys.path:
        sys.path.append(str(home))  # a paper may keep its steps beside its specs
    return Project(
        specs=specs,
        root=root,
        build=Path(os.environ.get("REPRO_BUILD") or home / "paper" / "build"),
        published=home / "store" / "published",
        designs=home / "designs",
    )


def _nearest_specs(start: Path) -> Path:
    for folder in (start.absolute(), *start.absolute().parents):
        if (folder / "specs" / "paper.toml").is_file():
            # Messages name specs as someone in the project's own folder would.
            return Path("specs") if folder == Path.cwd() else folder / "specs"
    raise UserError(
        "no specs/paper.toml in this folder or above it; run repro inside a project, "
        "name the folder in REPRO_SPECS, or begin one with `repro new-paper DIR`"
    )
