"""Papers in memory: a minimal invented one to put faults into, and edits of any paper."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.spec.exhibit import Stated, Table
from harness.spec.kinds import Fit, Parameter
from harness.spec.paper import Paper, PaperFile
from harness.spec.parts import Dataset, Network, Recipe, Setting
from harness.spec.reading import read_printed
from harness.spec.statements import StatementsFile

ROOT = Path(__file__).parents[3]
SPECS = ROOT / "specs"
TOY = ROOT / "tests" / "toy" / "specs"
ABOUT = PaperFile(
    id="minimal",
    title="Minimal",
    authors=("Nobody",),
    venue="Nowhere",
    source="invented",
    steps="tests.toy.steps",
    default_profile="stated",
    paper_profile="stated",
    variables={"method": "method", "recipe": "recipe", "network": "network", "size": "value"},
)


def table(name: str, rows: dict[str, dict[str, Any]], **fields: Any) -> Table:
    """A table with columns Small and Large; a row may hold `cells`, `derived` and `bind`."""
    return Table.model_validate(
        {
            "id": name,
            "kind": "table",
            "label": name.capitalize(),
            "title": name,
            "section": "1",
            "caption": "Accuracy.",
            "reporting": {"spread": "std", "n": 3},
            "bind": {"recipe": "plain"},
            "measure": {"value": "accuracy"},
            "columns": [
                {"name": "Small", "label": "Small", "bind": {"size": 1}},
                {"name": "Large", "label": "Large", "bind": {"size": 2}},
            ],
            "rows": [
                {"name": row, "label": row, "bind": {"method": row.lower()}, **content}
                for row, content in rows.items()
            ],
            **fields,
        }
    )


def stated(text: str, quantity: str = "thing", **fields: Any) -> Stated:
    return Stated.model_validate(
        {"text": text, "where": "Section 1", "quote": text, "quantity": quantity, **fields}
    )


def fit(parameters: dict[str, dict[str, Any]], values: dict[str, tuple[str, str]]) -> Fit:
    """A law; `values` is key -> (parameter, text)."""
    return Fit(
        id="law",
        kind="fit",
        label="Law",
        title="law",
        section="2",
        caption="c",
        equations={},
        parameters={
            name: Parameter.model_validate({"meaning": name, **fields})
            for name, fields in parameters.items()
        },
        stated={
            key: stated(text, key, parameter=parameter) for key, (parameter, text) in values.items()
        },
    )


def dataset(name: str) -> Dataset:
    return Dataset(
        id=name, label=name.upper(), description="d", official=True, fields={}, origin="o"
    )


def network(name: str, label: str, parameters: dict[str, int]) -> Network:
    return Network(
        id=name,
        label=label,
        origin="o",
        forward_flops=1.0,
        resolution=1,
        parameters=parameters,
    )


def recipe(name: str, settings: dict[str, Any], **fields: Any) -> Recipe:
    """A recipe whose settings the paper states; a list holds (value, when) pairs."""
    told = {
        key: [
            {"value": value, "source": "paper", "place": "Table 1", "when": when}
            for value, when in (choices if isinstance(choices, list) else [(choices, {})])
        ]
        for key, choices in settings.items()
    }
    return Recipe.model_validate({"id": name, "label": name, "settings": told, **fields})


def paper(*exhibits: Any, **parts: Any) -> Paper:
    """A paper of these exhibits; `recipes`, `official`, `datasets`, `networks` are lists."""
    named = {
        kind: {item.id: item for item in parts.get(kind, ())}
        for kind in ("methods", "recipes", "official", "datasets", "networks", "profiles", "claims")
    }
    said = StatementsFile.model_validate({"statements": parts.get("statements", ())}).statements
    return Paper(
        root=Path("nowhere"),
        about=ABOUT,
        exhibits={e.id: e for e in exhibits},
        statements=said,
        accepted=parts.get("accepted", {}),
        **named,
    )


def grid(name: str, names: list[str], rows: dict[str, str], **fields: Any) -> Table:
    """A table of numbers that stand in rows such as `"10.0 20.0 30.0"`; `-` is left out.

    `**10.0**` is bold. Columns bind their position as the size.
    """
    cells = {row: dict(zip(names, text.split(), strict=True)) for row, text in rows.items()}
    return table(
        name,
        {
            row: {
                "cells": {c: t.strip("*").replace("±", " ± ") for c, t in held.items() if t != "-"},
                "bold": [c for c, t in held.items() if t.startswith("**")],
            }
            for row, held in cells.items()
        },
        **{
            "columns": [
                {"name": column, "label": column, "bind": {"size": index}}
                for index, column in enumerate(names)
            ],
            "reporting": {"spread": "std", "n": 3, "unit": "points"},
            **fields,
        },
    )


def with_number(source: Paper, address: str, text: str) -> Paper:
    """The paper with another text at the address of a cell or of a stated number."""
    name, row, column = address.split(":")
    exhibit = source.exhibits[name]
    if row == "stated":
        item = exhibit.stated[column].model_copy(update={"text": read_printed(text)})
        changed = exhibit.model_copy(update={"stated": {**exhibit.stated, column: item}})
    else:
        assert isinstance(exhibit, Table)
        rows = tuple(
            r.model_copy(update={"cells": {**r.cells, column: read_printed(text)}})
            if r.name == row
            else r
            for r in exhibit.rows
        )
        assert rows != exhibit.rows
        changed = exhibit.model_copy(update={"rows": rows})
    return source.model_copy(update={"exhibits": {**source.exhibits, name: changed}})


def with_derived(source: Paper, address: str, text: str) -> Paper:
    """The paper with another printed difference beside a cell."""
    name, row, column = address.split(":")
    exhibit = source.exhibits[name]
    assert isinstance(exhibit, Table)
    rows = []
    for r in exhibit.rows:
        if r.name == row:
            other = r.derived[column].model_copy(update={"text": text})
            r = r.model_copy(update={"derived": {**r.derived, column: other}})
        rows.append(r)
    changed = exhibit.model_copy(update={"rows": tuple(rows)})
    return source.model_copy(update={"exhibits": {**source.exhibits, name: changed}})


def with_setting(source: Paper, name: str, value: float) -> Paper:
    """The paper with another value of a hyperparameter, `owner.setting`."""
    owner, setting = name.split(".")
    kind = "methods" if owner in source.methods else "recipes"
    spec = getattr(source, kind)[owner]
    stated = spec.settings[setting].choices
    choices = tuple(choice.model_copy(update={"value": value}) for choice in stated)
    changed = spec.model_copy(
        update={"settings": {**spec.settings, setting: Setting(choices=choices)}}
    )
    return source.model_copy(update={kind: {**getattr(source, kind), owner: changed}})
