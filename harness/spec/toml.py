"""Reading a TOML file into a model, with errors that say file, line, key, and what was expected."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from harness.errors import UserError, nearest

ModelT = TypeVar("ModelT", bound=BaseModel)
Location = tuple[int | str, ...]


class SpecError(UserError):
    """A spec that cannot be read, or that says something impossible."""


def read_toml(path: Path) -> dict[str, Any]:
    """Parse one file.

    Raises:
        SpecError: the file is missing, is not UTF-8, or is not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SpecError(f"{path}: the file is missing; a spec was expected here") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(f"{path}: cannot be read as UTF-8 text ({error})") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise SpecError(f"{path}: not valid TOML: {error}") from None


def read_spec(path: Path, model: type[ModelT]) -> ModelT:
    """Parse and validate one spec.

    Raises:
        SpecError: with the file, the line, the dotted key, what was found and what was expected.
    """
    raw = read_toml(path)
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        raise SpecError(_describe(path, model, raw, error)) from None


def located(path: Path, keys: Sequence[int | str], message: str) -> SpecError:
    """An error about one key of a file that was parsed before."""
    return SpecError(f"{_place(path, tuple(keys))}: {message}")


def _describe(
    path: Path, model: type[BaseModel], raw: dict[str, Any], error: ValidationError
) -> str:
    first, *others = error.errors(include_url=False)
    keys = _real_keys(raw, first["loc"])
    expected = first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        expected = f"unknown key; {nearest(str(keys[-1]), _siblings(model, keys[:-1]))}"
    elif first["type"] == "missing":
        expected = f"the key '{first['loc'][-1]}' is missing"
    found = first["input"]
    shown = "" if isinstance(found, dict | list | BaseModel) else f" (found {found!r:.80})"
    more = f" (and {len(others)} more)" if others else ""
    return f"{_place(path, keys)}: {expected}{shown}{more}"


def _place(path: Path, keys: Location) -> str:
    dotted = ".".join(str(key) for key in keys)
    return f"{path}:{line_of(path, keys)}: {dotted}" if dotted else f"{path}"


def line_of(path: Path, keys: Location) -> int:
    """The 1-based line where a key stands, or where its nearest present parent does."""
    import spanned_toml

    text = path.read_text(encoding="utf-8")
    node = spanned_toml.loads(text)
    start = 0
    for key in keys:
        inner = node.inner()
        if isinstance(inner, dict):
            entry = next((k for k in inner if _plain(k) == key), None)
            if entry is None:
                break
            start = entry.span().start if hasattr(entry, "span") else start
            node = inner[entry]
        elif isinstance(inner, list) and isinstance(key, int) and key < len(inner):
            node = inner[key]
            start = node.span().start if node.span() else start
        else:
            break
    return text.count("\n", 0, start) + 1


def _plain(key: Any) -> Any:
    return key.inner() if hasattr(key, "inner") else key


def _real_keys(raw: Any, location: Location) -> Location:
    """Drop the parts of a Pydantic location that name union members rather than keys."""
    keys: list[int | str] = []
    node = raw
    for index, part in enumerate(location):
        if isinstance(node, dict) and part in node:
            node = node[str(part)]
        elif isinstance(node, list) and isinstance(part, int) and part < len(node):
            node = node[part]
        elif index < len(location) - 1:
            continue
        else:
            break
        keys.append(part)
    return tuple(keys)


def _siblings(model: type[BaseModel], parents: Location) -> list[str]:
    """Field names of the model that holds the key, as far as the annotations tell."""
    current: Any = model
    for key in parents:
        if isinstance(key, int):
            continue
        field = getattr(current, "model_fields", {}).get(key)
        found = _models_in(field.annotation) if field else _models_in(current)
        current = found[0] if found else current
    return sorted(getattr(current, "model_fields", {}))


def _models_in(annotation: Any) -> list[Any]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [m for part in getattr(annotation, "__args__", ()) for m in _models_in(part)]
