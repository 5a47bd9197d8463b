"""What may be extended from outside: entries by name, and the dotted names that they hold."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import entry_points
from typing import Any, Generic, Protocol, TypeVar

from harness.errors import UserError, nearest


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
        for point in entry_points(group=self._group) if installed else ():
            if point.name not in self._entries:
                self.register(point.load())
        return dict(self._entries)

    def find(self, name: str) -> EntryT | None:
        """The entry of a name, installed ones included; None where there is none."""
        return self.known().get(name) or self.known(installed=True).get(name)


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
