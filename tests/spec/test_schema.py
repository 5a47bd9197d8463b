"""The committed JSON Schemas, against an independent validator and against the models."""

from __future__ import annotations

import copy
import json
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator
from pydantic import TypeAdapter, ValidationError

from harness.spec.schema import KINDS, files, text

ROOT = Path(__file__).parents[2]
SPECS = sorted((ROOT / "specs").rglob("*.toml"))
TOY = sorted((ROOT / "tests" / "toy" / "specs").rglob("*.toml"))
ONE_OF_EACH = (
    *("paper.toml", "claims.toml", "coverage.toml", "fits/scaling.toml", "lemmas/lemma1.toml"),
    *("tables/table1.toml", "tables/table9.toml", "tables/table11.toml", "figures/figure3.toml"),
    *("methods/cad-prune.toml", "methods/datm.toml", "recipes/large-scale-hl.toml"),
    *("datasets/cifar100.toml", "models/mlp.toml", "profiles/digits.toml"),
)


@cache
def committed(name: str) -> Draft7Validator:
    return Draft7Validator(json.loads((ROOT / "specs/schema" / f"{name}.json").read_text("utf-8")))


@cache
def model(name: str) -> TypeAdapter[Any]:
    return TypeAdapter(KINDS[name].model)


def read(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def kind_of(path: Path) -> str:
    """By the rules that editors read; of rules that overlap, the last would count."""
    rules = read(ROOT / ".taplo.toml")["rule"]
    place = Path("specs", *path.parts[path.parts.index("specs") + 1 :])
    found = [rule for rule in rules if any(place.match(glob) for glob in rule["include"])]
    assert len(found) == 1, place
    return Path(found[0]["schema"]["path"]).stem


def test_what_is_committed_is_current() -> None:
    for name, content in files().items():
        assert (ROOT / name).read_text(encoding="utf-8") == content, (
            f"{name} is out of date: run python -m tools.write_schemas"
        )
    there = {path.relative_to(ROOT).as_posix() for path in (ROOT / "specs/schema").iterdir()}
    assert there == set(files()) - {".taplo.toml"}


@pytest.mark.parametrize("name", KINDS)
def test_a_schema_is_one(name: str) -> None:
    Draft7Validator.check_schema(json.loads(text(name)))
    assert "prefixItems" not in text(name), "that key is not of this draft, and would be ignored"


@pytest.mark.parametrize("path", [*SPECS, *TOY], ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_spec_is_valid(path: Path) -> None:
    errors = [error.message for error in committed(kind_of(path)).iter_errors(read(path))]
    assert errors == []


@pytest.mark.parametrize("file", ONE_OF_EACH)
def test_schema_and_models_agree_on_keys(file: str) -> None:
    """An unknown key, or a key left out, in any place of a spec."""
    path = ROOT / "specs" / file
    name, spec = kind_of(path), read(path)
    refused = 0
    for mutant in (*with_unknown_keys(spec), *with_keys_left_out(spec)):
        found, by_schema = mistakes(name, mutant), not committed(name).is_valid(mutant)
        refused += by_schema
        assert found or not by_schema, "the schema refuses what the models read"
        assert by_schema or not found & {"extra_forbidden", "missing"}
    assert refused


@pytest.mark.parametrize(
    ("file", "place", "value"),
    [
        ("tables/table7.toml", ("rows", 0, "cells", "IPC 10"), 12.15),
        ("tables/table7.toml", ("kind",), "tabel"),
        ("tables/table7.toml", ("colums",), []),
        ("tables/table7.toml", ("reporting", "spread"), "sd"),
        ("claims.toml", ("claims", 0, "kind"), "grater"),
        ("claims.toml", ("claims", 0, "expect"), "maybe"),
        ("claims.toml", ("claims", 0, "id"), "Upper Case"),
        ("methods/cad-prune.toml", ("state",), "run"),
        ("methods/cad-prune.toml", ("settings", "signal", "source"), "rumour"),
        ("methods/cad-prune.toml", ("settings", "signal"), "el2n"),
        ("profiles/digits.toml", ("seeds",), 0),
        ("profiles/digits.toml", ("device",), "abacus"),
        ("figures/figure3.toml", ("stated", "rho-dm", "text"), 0.41),
        ("fits/scaling.toml", ("parameters", "b", "sign"), "minus"),
    ],
)
def test_mistakes_are_found(file: str, place: tuple[int | str, ...], value: object) -> None:
    path = ROOT / "specs" / file
    spec = read(path)
    assert committed(kind_of(path)).is_valid(spec)
    holder: Any = spec
    for key in place[:-1]:
        holder = holder[key]
    holder[place[-1]] = value
    assert not committed(kind_of(path)).is_valid(spec)
    assert mistakes(kind_of(path), spec)


def test_keys_are_explained_in_the_words_of_the_models() -> None:
    stated = json.loads(text("figure"))["$defs"]["Stated"]["properties"]
    assert stated["quote"]["description"] == "The words around it."
    inherited = json.loads(text("lemma"))["properties"]
    assert inherited["label"]["description"] == "As the paper refers to it, such as 'Table 7'."


def mistakes(name: str, spec: dict[str, Any]) -> set[str]:
    """Kinds of mistakes that the model of a spec finds."""
    try:
        model(name).validate_python(spec)
    except ValidationError as error:
        return {found["type"] for found in error.errors(include_url=False)}
    return set()


def with_unknown_keys(spec: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for place in tables(spec, ()):
        mutant = copy.deepcopy(spec)
        at(mutant, place)["no-such-key"] = 1
        yield mutant


def with_keys_left_out(spec: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for place in tables(spec, ()):
        for key in at(spec, place):
            mutant = copy.deepcopy(spec)
            del at(mutant, place)[key]
            yield mutant


def tables(value: Any, place: tuple[int | str, ...]) -> Iterator[tuple[int | str, ...]]:
    """Places of tables; of a long array, its first two elements stand for all."""
    if isinstance(value, dict):
        yield place
        for key, inner in value.items():
            yield from tables(inner, (*place, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value[:2]):
            yield from tables(inner, (*place, index))


def at(spec: Any, place: tuple[int | str, ...]) -> Any:
    for key in place:
        spec = spec[key]
    return spec
