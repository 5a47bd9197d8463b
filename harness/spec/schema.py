"""JSON Schemas of the specs, by which editors complete, explain and check them.

A schema knows the shape of one file. What ties a spec together (a cell under an unknown column,
a name that no other spec has) is still found only by loading it.
"""

from __future__ import annotations

import ast
import inspect
import json
import textwrap
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Annotated, Any, NamedTuple, Union

from pydantic import BaseModel, Field, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from harness.spec.claims import ClaimsFile
from harness.spec.kinds import ExhibitKind, kinds
from harness.spec.paper import PaperFile
from harness.spec.parts import Dataset, Method, Network, Profile, Recipe
from harness.spec.statements import CoverageFile, StatementsFile


class SpecFiles(NamedTuple):
    """A kind of spec: which files under the folder of specs are of it, and what they hold."""

    files: tuple[str, ...]
    model: Any


def _exhibits() -> Iterator[tuple[str, SpecFiles]]:
    """One schema for each folder of exhibits, by the name of the first kind in it."""
    folders: dict[str, list[ExhibitKind]] = {}
    for kind in kinds().values():
        folders.setdefault(kind.folder, []).append(kind)
    for folder, held in folders.items():
        model: Any = Union[tuple(kind.model for kind in held)]  # noqa: UP007
        if len(held) > 1:
            model = Annotated[model, Field(discriminator="kind")]
        yield held[0].name, SpecFiles((f"{folder}/*.toml",), model)


KINDS: Mapping[str, SpecFiles] = {
    "paper": SpecFiles(("paper.toml",), PaperFile),
    "claims": SpecFiles(("claims.toml",), ClaimsFile),
    "coverage": SpecFiles(("coverage.toml",), CoverageFile),
    "statements": SpecFiles(("statements.toml",), StatementsFile),
    **dict(_exhibits()),
    "recipe": SpecFiles(("recipes/*.toml", "recipes/official/*.toml"), Recipe),
    "method": SpecFiles(("methods/*.toml",), Method),
    "dataset": SpecFiles(("datasets/*.toml",), Dataset),
    "network": SpecFiles(("models/*.toml",), Network),
    "profile": SpecFiles(("profiles/*.toml",), Profile),
}


def files(folder: str = "specs") -> dict[str, str]:
    """Path -> text of every file that an editor needs, relative to the project.

    One schema for each kind, in `FOLDER/schema`, and `.taplo.toml`, which says which specs each
    of them is for.
    """
    schemas = {f"{folder}/schema/{name}.json": text(name) for name in KINDS}
    return {**schemas, ".taplo.toml": _associations(folder)}


def text(name: str) -> str:
    """The schema of one kind as committed."""
    return json.dumps(schema(name), ensure_ascii=False, indent=1) + "\n"


def schema(name: str) -> dict[str, Any]:
    """The schema of one kind of spec, in the draft that editors of TOML understand best."""
    generated = TypeAdapter(KINDS[name].model).json_schema(schema_generator=_Documented)
    return {"$schema": "http://json-schema.org/draft-07/schema#", **generated}


def _associations(folder: str) -> str:
    lines = ["# Written by tools/write_schemas.py. Read by Taplo and by Even Better TOML.", ""]
    for name, kind in KINDS.items():
        globs = ", ".join(f'"{folder}/{pattern}"' for pattern in kind.files)
        path = f"{folder}/schema/{name}.json"
        lines += ["[[rule]]", f"include = [{globs}]", "", "[rule.schema]", f'path = "{path}"', ""]
    return "\n".join(lines)


class _Documented(GenerateJsonSchema):
    """Describes each key by the docstring under it, and makes up no titles."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        generated = super().model_schema(schema)
        for name, explanation in _explanations(schema["cls"]).items():
            properties = generated.get("properties", {})
            if name in properties:
                properties[name].setdefault("description", explanation)
        return generated


def _explanations(model: type[Any]) -> dict[str, str]:
    """Field -> its docstring, those of the base models included."""
    bases = [base for base in reversed(model.__mro__) if issubclass(base, BaseModel)]
    own = [base for base in bases if base is not BaseModel]
    return {name: explanation for base in own for name, explanation in _documented(base).items()}


@cache  # the same models are parts of many kinds
def _documented(model: type[BaseModel]) -> dict[str, str]:
    (declared,) = ast.parse(textwrap.dedent(inspect.getsource(model))).body
    assert isinstance(declared, ast.ClassDef)
    return {
        field.target.id: inspect.cleandoc(below.value.value)
        for field, below in zip(declared.body, declared.body[1:], strict=False)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(below, ast.Expr)
        and isinstance(below.value, ast.Constant)
        and isinstance(below.value.value, str)
    }
