"""Reading a TOML file into a model, with errors that say file, line, key, and what was expected."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

import tomli
from pydantic import BaseModel, ValidationError

from harness.errors import UserError, nearest, require

ModelT = TypeVar("ModelT", bound=BaseModel)
Location = tuple[int | str, ...]


class SpecError(UserError):
    """A spec that cannot be read, or that says something impossible."""


def read_toml(path: Path) -> dict[str, Any]:
    """Parse one file.

    Raises:
        SpecError: the file is missing, is not UTF-8, is not TOML, or holds a value that JSON does
            not have, of which no identity could be made.
    """
    if not path.exists():
        raise SpecError(f"{path}: the file is missing; a spec was expected here")
    if not path.is_file():  # a pipe or a device may have no end
        raise SpecError(f"{path}: no regular file; a spec was expected here")
    try:
        raw = tomli.loads(_text(path))
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(f"{path}: cannot be read as UTF-8 text ({error})") from None
    except (tomli.TOMLDecodeError, RecursionError) as error:
        raise SpecError(f"{path}: not valid TOML: {error}") from None
    for keys, value in _leaves(raw, ()):
        if not isinstance(value, bool | int | float | str) or (
            isinstance(value, float) and not math.isfinite(value)
        ):
            expected = "expected a text, a finite number, true or false"
            raise located(path, keys, f"{expected} (found {value})")
    return raw


def _text(path: Path) -> str:
    """Editors of some systems begin a text with a byte order mark."""
    return path.read_text(encoding="utf-8-sig")


def _leaves(value: Any, keys: Location) -> Iterator[tuple[Location, Any]]:
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _leaves(inner, (*keys, key))
    else:
        yield keys, value


def read_spec(path: Path, model: type[ModelT]) -> ModelT:
    """Parse and validate one spec.

    Raises:
        SpecError: with the file, the line, the dotted key, what was found and what was expected.
    """
    return as_spec(path, read_toml(path), model)


def as_spec(path: Path, raw: dict[str, Any], model: type[ModelT]) -> ModelT:
    """Validate what `read_toml` found, as `read_spec` does."""
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        raise located(path, *wrong_key(model, raw, error)) from None


def located(path: Path, keys: Sequence[int | str], message: str) -> SpecError:
    """An error about one key of a file that was parsed before."""
    return SpecError(f"{_place(path, tuple(keys))}: {message}")


def require_at(
    path: Path, keys: Sequence[int | str], name: str, known: Collection[str], message: str
) -> None:
    """Raise `located` with the message and the nearest names, unless a name is known."""
    require(name, known, message, lambda told: located(path, keys, told))


_IN_TOML = {
    "tuple": "list",
    "Tuple": "List",
    "dictionary": "table",
    "Dictionary": "Table",
    " after validation": "",
}
"""Words of Pydantic's messages, and those of someone who writes TOML."""
_PYDANTIC = re.compile("|".join(_IN_TOML))


def wrong_key(
    model: type[BaseModel], raw: dict[str, Any], error: ValidationError
) -> tuple[Location, str]:
    """The first key of a file that a model refused, and in plain words what was expected there."""
    # A misspelt key is also a missing one, and says more. Lists are short of what is wrong in them.
    order = ("extra_forbidden", "", "too_short")
    found = sorted(
        error.errors(include_url=False),
        key=lambda e: order.index(e["type"] if e["type"] in order else ""),
    )
    first, more = found[0], len(found) - 1
    context = first.get("ctx", {})
    keys = (*_real_keys(raw, first["loc"]), *getattr(context.get("error"), "keys", ()))
    expected = first["msg"].removeprefix("Value error, ")
    if first["type"] != "value_error":
        expected = _PYDANTIC.sub(lambda word: _IN_TOML[word[0]], expected)
    if first["type"] == "extra_forbidden":
        expected = f"unknown key; {nearest(str(keys[-1]), _siblings(model, first['loc'][:-1]))}"
    elif first["type"] == "missing":
        expected = f"the key '{first['loc'][-1]}' is missing"
    elif first["type"] == "union_tag_invalid":
        keys = (*keys, context["discriminator"].strip("'"))
        tags = [tag.strip("'") for tag in context["expected_tags"].split(", ")]
        expected = f"unknown {keys[-1]} '{context['tag']}'; {nearest(context['tag'], tags)}"
    value = first["input"]
    shown = "" if isinstance(value, dict | list | BaseModel) else f" (found {value!r:.80})"
    return keys, f"{expected}{shown}{f' (and {more} more)' if more else ''}"


def _place(path: Path, keys: Location) -> str:
    dotted = ".".join(str(key) for key in keys)
    return f"{path}:{line_of(path, keys)}: {dotted}" if dotted else f"{path}"


def line_of(path: Path, keys: Location) -> int:
    """The 1-based line where a key stands, or where its nearest present parent does."""
    import spanned_toml

    text = _text(path)
    node = spanned_toml.loads(text)
    start = 0
    for depth, key in enumerate(keys):
        inner = node.inner()
        if isinstance(inner, dict):
            entry = next((k for k in inner if _plain(k) == key), None)
            if entry is None:
                break
            start = entry.span().start if hasattr(entry, "span") else start
            node = inner[entry]
        elif isinstance(inner, list) and isinstance(key, int) and key < len(inner):
            start = _element_start(text, str(keys[depth - 1]), inner, key, start)
            node = inner[key]
        else:
            break
    return text.count("\n", 0, start) + 1


def _element_start(text: str, name: str, elements: Sequence[Any], index: int, start: int) -> int:
    """Where an element begins in the list `name` that begins at `start`.

    A table of an array of tables has no span of its own: it begins at the first header `[[name]]`
    after all that the table before it holds.
    """
    header = re.compile(rf"^[ \t]*\[\[.*{re.escape(name)}", re.MULTILINE)
    span = elements[index].span()
    if span.stop:
        return int(span.start)
    for before in elements[:index]:
        found = header.search(text, max(text.find("\n", start), _end(before)))
        start = found.start() if found else start
    return start


def _end(node: Any) -> int:
    """Where the last value inside ends; 0 where there is none."""
    inner = node.inner()
    if isinstance(inner, dict):
        return max((_end(value) for value in inner.values()), default=0)
    if isinstance(inner, list) and not node.span().stop:
        return max((_end(value) for value in inner), default=0)
    return int(node.span().stop)


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
    """Field names of the model that holds the key; `parents` is where Pydantic found it."""
    current: list[type[BaseModel]] = [model]
    for part in parents:
        fields = [m.model_fields[part] for m in current if part in m.model_fields]
        tagged = [m for m in current if part in _tags(m)]
        current = [m for f in fields for m in _models_in(f.annotation)] or tagged or current
    return sorted({name for m in current for name in m.model_fields})


def _tags(model: type[BaseModel]) -> set[Any]:
    """The names by which Pydantic tells the members of a union apart."""
    return {tag for field in model.model_fields.values() for tag in get_args(field.annotation)}


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [m for part in getattr(annotation, "__args__", ()) for m in _models_in(part)]
