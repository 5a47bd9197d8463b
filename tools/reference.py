"""The reference, written from the models of the specs and from the app: keys and commands."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from typer.cli import get_docs_for_click
from typer.main import get_command

from harness.cli.main import app
from harness.spec.schema import KINDS, schema

_WRITTEN = "<!-- Written by `make docs` from the code. Do not edit. -->\n\n"


def files() -> dict[str, str]:
    """Path from the project's root -> text."""
    return {"docs/reference/commands.md": commands(), "docs/reference/specs.md": specs()}


def commands() -> str:
    """Every command with its arguments and options. Blocks that show usage are no commands."""
    command = get_command(app)
    context = command.make_context("repro", [], resilient_parsing=True)
    text = get_docs_for_click(obj=command, ctx=context, name="repro")
    return _WRITTEN + text.replace("```console\n$ ", "```text\n").strip() + "\n"


def specs() -> str:
    """Every key of every kind of spec, with its type, its default and what it means."""
    parts = [
        "# Spec keys",
        "A spec is a TOML file. Unknown keys are errors. Types that are named are explained under "
        "the first kind that uses them.",
    ]
    explained: set[str] = set()
    for name, kind in KINDS.items():
        files = ", ".join(f"`specs/{pattern}`" for pattern in kind.files)
        parts.append(f"## {name.capitalize()}\n\n{files}")
        parts += _models(schema(name), explained)
    return _WRITTEN + "\n\n".join(parts) + "\n"


def _models(found: Mapping[str, Any], explained: set[str]) -> Iterator[str]:
    definitions = found.get("$defs", found.get("definitions", {}))
    if "properties" in found:
        yield _explanation(found)
        yield _table(found)
    for name, model in definitions.items():
        if "properties" in model and name not in explained:
            explained.add(name)
            yield f"### {name}\n\n{_explanation(model)}".rstrip()
            yield _table(model)


def _explanation(model: Mapping[str, Any]) -> str:
    return re.sub(r"\n(?=\S)", " ", str(model.get("description", "")))


def _table(model: Mapping[str, Any]) -> str:
    needed = set(model.get("required", ()))
    lines = ["| key | type | default | meaning |", "|---|---|---|---|"]
    for key, value in model["properties"].items():
        default = "needed" if key in needed else f"`{json.dumps(value.get('default'))}`"
        default = "" if default in ("`null`", '`""`', "`{}`", "`[]`") else default
        meaning = " ".join(str(value.get("description", "")).split())
        cells = (f"`{key}`", _type(value), default, meaning)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)


def _type(value: Mapping[str, Any]) -> str:
    """A type in few words."""
    if "$ref" in value:
        name = value["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    for key in ("anyOf", "oneOf", "allOf"):
        if key in value:
            return " or ".join(dict.fromkeys(_type(item) for item in value[key]))
    if "const" in value or "enum" in value:
        return " or ".join(f"`{item}`" for item in value.get("enum", [value.get("const")]))
    kind = value.get("type")
    if kind == "array":
        return f"list of {_type(value['items'])}" if "items" in value else "list"
    if kind == "object":
        held = value.get("additionalProperties")
        return f"table of {_type(held)}" if isinstance(held, dict) else "table"
    return {"null": "nothing", "string": "text"}.get(str(kind), str(kind) if kind else "any value")
