"""Data sets: what is here, checked, fetched and prepared by the module that `paper.toml` names."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol, cast

from harness.errors import UserError
from harness.plan.library import check_installed
from harness.study.project import Project
from harness.study.trust import NEEDS_CODE


class DataModule(Protocol):
    """The functions of the module that `data` names in `paper.toml`."""

    def path(self, name: str) -> Path:
        """Where the prepared form of a data set is or belongs."""
        ...

    def state(self, name: str, fields: Mapping[str, Any]) -> tuple[str, str]:
        """One word on a data set, and one line on what is missing."""
        ...

    def check(self, name: str, fields: Mapping[str, Any]) -> list[str]:
        """Say what is wrong with a data set, one line each."""
        ...

    def fetch(self, name: str) -> Path:
        """Download the publisher's files; returns their folder."""
        ...

    def prepare(self, name: str, skip_damaged: bool, report: Callable[[int, int], None]) -> Path:
        """Make the prepared form from the publisher's files; returns its folder.

        `report` is told how many files of how many are done.
        """
        ...


class ImportModule(Protocol):
    """The functions of the module that `imports` names in `paper.toml`."""

    def import_set(
        self,
        name: str,
        fields: Mapping[str, Any],
        path: Path,
        layout: str,
        space: str | None,
        number: int | None,
        soft_labels: str | None,
    ) -> Mapping[str, Any]:
        """Read a released set, check it and keep it; `fingerprint`, `images` and so on."""
        ...


@dataclass(frozen=True)
class DatasetState:
    """A data set of the specs, and whether it is here."""

    name: str
    label: str
    official: bool
    """Whether it is the one that the paper used."""
    state: str
    """One word, such as `missing`."""
    detail: str
    """One line on what is missing where."""
    path: str
    """Where its prepared form is or belongs."""


def list_datasets(project: Project) -> list[DatasetState]:
    """Every data set of the specs, by name."""
    module, found = _module(project), []
    for name, spec in sorted(project.paper.datasets.items()):
        state, detail = module.state(name, spec.fields)
        path = str(module.path(name))
        found.append(DatasetState(name, spec.label, spec.official, state, detail, path))
    return found


def check(project: Project, names: Sequence[str]) -> dict[str, list[str]]:
    """Find what is wrong with data sets, by default with those that are there: name -> lines."""
    check_installed(project.paper)
    module = _module(project)
    known = sorted(project.paper.datasets)
    there = [n for n in known if module.state(n, _fields(project, n))[0] != "missing"]
    return {name: module.check(name, _fields(project, name)) for name in names or there}


def fetch(project: Project, name: str) -> Path:
    """Download a data set's files from its publisher; their folder."""
    _fields(project, name)
    check_installed(project.paper)
    return _module(project).fetch(name)


def prepare(
    project: Project, name: str, skip_damaged: bool, report: Callable[[int, int], None]
) -> Path:
    """Prepare one data set and compare it with its spec; its folder.

    Args:
        report: is told how many files of how many are done.

    Raises:
        UserError: it is prepared, but is not the one of the spec.
    """
    check_installed(project.paper)
    fields, module = _fields(project, name), _module(project)
    folder = module.prepare(name, skip_damaged, report)
    problems = module.check(name, fields)
    if problems:
        raise UserError("\n  ".join(problems))
    return folder


def import_set(
    project: Project,
    name: str,
    path: Path,
    layout: str,
    space: str | None,
    number: int | None,
    soft_labels: str | None,
) -> Mapping[str, Any]:
    """Read a set that others released, check it and keep it.

    Returns:
        `fingerprint`, by which steps name it, `images`, `per_class`, `folder` and `notes`.
    """
    check_installed(project.paper)
    fields = _fields(project, name)
    module = cast(ImportModule, _imported(project, "imports", project.paper.about.imports))
    return module.import_set(name, fields, path, layout, space, number, soft_labels)


def path(project: Project, name: str) -> Path:
    """Where a data set's prepared form is or belongs."""
    _fields(project, name)
    return _module(project).path(name)


def _fields(project: Project, name: str) -> Mapping[str, Any]:
    return project.paper.dataset(name).fields


def _module(project: Project) -> DataModule:
    return cast(DataModule, _imported(project, "data", project.paper.about.data))


def _imported(project: Project, key: str, named: str) -> ModuleType:
    """The module that a key of `paper.toml` names."""
    if not project.executes:
        raise UserError(f"data sets: {NEEDS_CODE}")
    if not named:
        raise UserError(f"paper.toml names no module for this; add {key} = 'package.module'")
    try:
        return import_module(named)
    except ImportError as error:
        raise UserError(f"paper.toml: {key} = '{named}': {error}") from None
