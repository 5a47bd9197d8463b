"""The commands about data sets, whose functions are in the module that `paper.toml` names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol, cast

from harness.cli.output import console, print_grid, print_json
from harness.cli.project import Project
from harness.errors import UserError


class DataModule(Protocol):
    """What the module that `data` names in `paper.toml` has to offer."""

    def path(self, name: str) -> Path:
        """Where the prepared form of a data set is or belongs."""
        ...

    def state(self, name: str, fields: Mapping[str, Any]) -> tuple[str, str]:
        """One word on a data set, and one line on what is missing."""
        ...

    def check(self, name: str, fields: Mapping[str, Any]) -> list[str]:
        """What is wrong with a data set, one line each."""
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
    """What the module that `imports` names in `paper.toml` has to offer."""

    def import_set(
        self,
        name: str,
        fields: Mapping[str, Any],
        path: Path,
        layout: str,
        space: str | None,
        number: int | None,
    ) -> Mapping[str, Any]:
        """Read a released set, check it and keep it; `fingerprint`, `images` and so on."""
        ...


def list_datasets(project: Project, as_json: bool) -> None:
    module = _module(project)
    found = []
    for name, spec in sorted(project.paper.datasets.items()):
        word, line = module.state(name, spec.fields)
        found.append(
            {
                "name": name,
                "label": spec.label,
                "official": spec.official,
                "state": word,
                "detail": line,
                "path": str(module.path(name)),
            }
        )
    if as_json:
        print_json({"datasets": found})
        return
    for item in found:
        line = f"{item['name']}: {item['state']} – {item['detail']}"
        console().print(line, markup=False, highlight=False, soft_wrap=True)


def check(project: Project, names: Sequence[str], as_json: bool) -> bool:
    """Print what is wrong with data sets, by default those that are there; whether all is well."""
    module = _module(project)
    known = sorted(project.paper.datasets)
    there = [n for n in known if module.state(n, _fields(project, n))[0] != "missing"]
    problems = {name: module.check(name, _fields(project, name)) for name in names or there}
    if as_json:
        print_json({"datasets": [{"name": n, "problems": found} for n, found in problems.items()]})
    else:
        rows = [(name, "; ".join(found) or "as its spec says") for name, found in problems.items()]
        print_grid(("Data set", "Check"), rows)
    return not any(problems.values())


def fetch(project: Project, name: str) -> None:
    _fields(project, name)
    console().print(f"fetched into {_module(project).fetch(name)}", markup=False, soft_wrap=True)


def prepare(project: Project, name: str, skip_damaged: bool) -> None:
    """Prepare one data set and compare it with its spec.

    Raises:
        UserError: it is prepared, but is not the one of the spec.
    """
    fields, module = _fields(project, name), _module(project)
    with _counting() as report:
        folder = module.prepare(name, skip_damaged, report)
    problems = module.check(name, fields)
    if problems:
        raise UserError("\n  ".join(problems))
    console().print(f"prepared in {folder}", markup=False, soft_wrap=True)


def import_set(
    project: Project,
    name: str,
    path: Path,
    layout: str,
    space: str | None,
    number: int | None,
    as_json: bool,
) -> None:
    """Read a set that others released, and print the fingerprint that steps name it by."""
    fields = _fields(project, name)
    module = cast(ImportModule, _imported("imports", project.paper.about.imports))
    found = module.import_set(name, fields, path, layout, space, number)
    if as_json:
        print_json(dict(found))
        return
    told = (
        f"{found['images']} images, {found['per_class']} of each class, in {found['folder']}",
        *found["notes"],
        f'fingerprint = "{found["fingerprint"]}"',
    )
    for line in told:
        console().print(line, markup=False, highlight=False, soft_wrap=True)


def path(project: Project, name: str) -> None:
    _fields(project, name)
    print(_module(project).path(name))


@contextmanager
def _counting() -> Iterator[Callable[[int, int], None]]:
    """A bar on the terminal that shows how many files of how many are done, once it is told."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("files", total=None, visible=False)
        yield lambda done, total: bar.update(task, completed=done, total=total, visible=True)


def _fields(project: Project, name: str) -> Mapping[str, Any]:
    return project.paper.dataset(name).fields


def _module(project: Project) -> DataModule:
    return cast(DataModule, _imported("data", project.paper.about.data))


def _imported(key: str, named: str) -> ModuleType:
    """The module that a key of `paper.toml` names."""
    if not named:
        raise UserError(f"paper.toml names no module for this; add {key} = 'package.module'")
    try:
        return import_module(named)
    except ImportError as error:
        raise UserError(f"paper.toml: {key} = '{named}': {error}") from None
