"""Where a project's specs, records and renders are: what everything starts from."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from harness.errors import UserError, one_line
from harness.places import specs_of, store_of
from harness.plan.library import own_step_types
from harness.registry import PAPER_PACKAGES, installed
from harness.run.stale import Codes, probe_file
from harness.spec.paper import Paper, load_paper
from harness.store.store import Store
from harness.study.trust import trust, trusted

_YEAR_10000 = 253_402_300_800


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
    no_code: bool = False
    """Whether code of the paper may not be executed, even where its folder is trusted."""
    written: int | None = None
    """When files say that they were written, in seconds since 1970, where that is settled so that
    they are the same again; see `SOURCE_DATE_EPOCH` of reproducible-builds.org."""

    @property
    def home(self) -> Path:
        """The folder of the whole project, which its user trusts or does not."""
        return self.specs.resolve().parent

    @property
    def executes(self) -> bool:
        """Whether code that the specs name may be executed, which can then be imported.

        It may where it is installed, and where the folder is trusted; see `docs/trust.md`.
        """
        packages = self._own_packages
        if self.no_code or (packages and not trusted(self.home)):
            return False
        PAPER_PACKAGES.admit(packages)
        return True

    @property
    def _own_packages(self) -> dict[str, Path]:
        """The packages of the paper itself, each with the folder that it lies in."""
        about = self.paper.about
        named = (name for name in (about.steps, about.data, about.imports) if name)
        return {name.partition(".")[0]: self.home for name in named if not installed(name)}

    def trust(self) -> None:
        """Before something is run: trust the folder from now on, as whoever runs it does.

        Raises:
            UserError: code may not be executed.
        """
        if self.no_code:
            raise UserError(
                "--no-code: this command lets the paper's own code be executed; leave it out"
            )
        if not self.executes:
            trust(self.home)
            PAPER_PACKAGES.admit(self._own_packages)

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


def find_project(folder: Path | None = None, no_code: bool = False) -> Project:
    """The project of a folder, by default of the working directory.

    `REPRO_SPECS` names the folder with `paper.toml` where no folder is given, `REPRO_STORE` the
    store and `REPRO_BUILD` the folder for renders; what is not named is looked for in the nearest
    parent directory that has `specs/paper.toml`. `SOURCE_DATE_EPOCH` settles `Project.written`.

    Raises:
        UserError: there is no project here, or such a variable says what it cannot.
    """
    specs = specs_of(folder)
    if specs is None:
        raise UserError(
            "no specs/paper.toml in this folder or above it; run repro inside a project, "
            "name the folder in REPRO_SPECS, or begin one with `repro new-paper DIR`"
        )
    if specs == Path.cwd() / "specs":
        specs = Path("specs")  # messages name it as someone in the project's own folder would
    home = specs.resolve().parent
    root = store_of(specs)
    if root.exists() and not root.is_dir():
        raise UserError(f"{root}: a file, but the store is a folder; name another in REPRO_STORE")
    return Project(
        specs=specs,
        root=root,
        build=Path(os.environ.get("REPRO_BUILD") or home / "paper" / "build"),
        published=home / "store" / "published",
        designs=home / "designs",
        no_code=no_code,
        written=_settled_time(),
    )


def _settled_time() -> int | None:
    """What `SOURCE_DATE_EPOCH` says; none where it says nothing. UserError if it is no time."""
    stated = os.environ.get("SOURCE_DATE_EPOCH")
    if not stated:
        return None
    if not (re.fullmatch(r"[0-9]{1,12}", stated) and int(stated) < _YEAR_10000):
        raise UserError(
            f"SOURCE_DATE_EPOCH={one_line(stated)}: expected whole seconds since 1970, such as "
            "1767225600, or nothing"
        )
    return int(stated)
