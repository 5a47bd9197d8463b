"""What may be extended from outside: entries by name, and the dotted names that they hold."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from harness.errors import UserError, nearest

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint


class Named(Protocol):
    """An entry of a registry."""

    @property
    def name(self) -> str: ...


EntryT = TypeVar("EntryT", bound=Named)


class Registry(Generic[EntryT]):
    """Entries by name: the built-in ones, those that are registered, and those of distributions.

    Args:
        group: the entry points that installed distributions may have; each names an entry.
    """

    def __init__(self, group: str, built_in: Iterable[EntryT]) -> None:
        self._group = group
        self._entries = {entry.name: entry for entry in built_in}

    def register(self, entry: EntryT) -> None:
        """Add an entry, or replace the one of its name."""
        self._entries[entry.name] = entry

    def known(self, installed: bool = False) -> Mapping[str, EntryT]:
        """Name -> entry.

        Args:
            installed: look for those of installed distributions too. That imports code of theirs,
                so it is asked for only where a name is unknown.
        """
        for point in _entry_points(self._group) if installed else ():
            if point.name not in self._entries:
                self.register(point.load())
        return dict(self._entries)

    def find(self, name: str) -> EntryT | None:
        """The entry of a name, installed ones included; None where there is none."""
        return self.known().get(name) or self.known(installed=True).get(name)


class PaperPackages:
    """Finds the packages that specs name in their project's folder, and no other module there.

    It is asked last, so that a folder hides nothing that is installed, and answers for no optional
    module that is absent.
    """

    def __init__(self) -> None:
        self.admitted: dict[str, Path] = {}
        """Name of a top-level package -> the folder that it lies in."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """As Python's import asks it of each finder."""
        folder = self.admitted.get(name)
        return None if folder is None else PathFinder.find_spec(name, [str(folder)])

    def admit(self, packages: Mapping[str, Path]) -> None:
        """Let these packages be imported in this process."""
        self.admitted.update(packages)
        if self not in sys.meta_path:
            sys.meta_path.append(self)


PAPER_PACKAGES = PaperPackages()


def _entry_points(group: str) -> Iterable[EntryPoint]:
    from importlib.metadata import entry_points  # takes longer than most that is asked here

    return entry_points(group=group)


@cache  # all that is installed is listed for an answer
def installed(module: str) -> bool:
    """Whether a module is of this package, or of a distribution that extends it by entry points."""
    package = module.partition(".")[0]
    groups = ("repro.kinds", "repro.executors", "repro.steps")
    return package == __name__.partition(".")[0] or any(
        point.module.partition(".")[0] == package
        for group in groups
        for point in _entry_points(group)
    )


def resolve(dotted: str) -> Callable[..., Any]:
    """The function or class that `package.module:name` names. UserError when there is none."""
    module_name, _, name = dotted.partition(":")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        raise UserError(
            f"function {dotted!r}: {error}; expected 'package.module:function'"
        ) from None
    found = getattr(module, name, None)
    if not callable(found):
        known = [key for key, value in vars(module).items() if inspect.isfunction(value)]
        raise UserError(
            f"function {dotted!r}: {module_name} has no function {name!r}; {nearest(name, known)}"
        )
    return found  # type: ignore[no-any-return]
