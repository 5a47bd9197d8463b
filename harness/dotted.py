"""Finding what a dotted name in a spec or a registry stands for."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from typing import Any

from harness.errors import UserError, nearest


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
