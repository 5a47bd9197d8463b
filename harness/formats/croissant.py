"""Croissant (version 1.1) of an export, and of the data sets that steps made.

Of an export: its files with their digests, and what their columns hold. The library of the format
builds and checks it, and reads the records by it.
https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html

The data sets that steps made are written whole, a folder of plain arrays each: an export's Parquet
files leave such arrays out where they are large. A set is an array of four dimensions (examples,
height, width, channels) that a step of a method left whose images the specs say are made here: not
real ones, nor those that others released. The rest of its record (labels, scale, losses) is written
beside it.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from harness.errors import UserError
from harness.formats.crate import NO_LICENCE
from harness.formats.exported import Exported
from harness.spec.paper import Paper
from harness.store.digest import digest_file
from harness.store.published import PublishedRecord
from harness.store.record import RECORD, Record

METADATA = "croissant.json"
COLUMNS = {
    "records": {
        "identity": "The digest by which a record is known.",
        "body": "As JSON: step, parameters, seed, inputs, values, digests, code, environment.",
    },
    "arrays": {
        "identity": "The record that left the array.",
        "name": "What it is called there, such as a list of indices or a curve.",
    },
}
"""File of an export -> what is described of its columns. The bytes of arrays are left out, since
the format has no type for them."""


def write(exported: Exported) -> bool:
    """Write the description into an export.

    Raises:
        UserError: the library of the format finds a mistake.
    """
    about = exported.paper.about
    files = {kind: path for kind in COLUMNS for path in exported.folder.glob(f"{kind}-*.parquet")}

    def described() -> Any:
        import mlcroissant as croissant

        return croissant.Metadata(
            name=f"Runs of {about.title}",
            description="Records of experiments: values, curves, lists of indices, provenance.",
            creators=[croissant.Person(name=name) for name in about.authors],
            version="1.0.0",
            cite_as=about.title,
            distribution=[_file(croissant, kind, path) for kind, path in files.items()],
            record_sets=[_columns(croissant, kind) for kind in files],
        )

    write_metadata(exported.folder / METADATA, described)
    return bool(files)


def write_metadata(path: Path, described: Callable[[], Any]) -> None:
    """Write what the library checked; `described` makes its metadata. UserError for a mistake."""
    import mlcroissant as croissant

    try:
        told = json.dumps(described().to_json(), indent=1, ensure_ascii=False, default=str)
    except croissant.ValidationError as error:
        raise UserError(f"croissant: {error}") from None
    path.write_text(f"{told}\n", encoding="utf-8")


def _file(mlcroissant: Any, kind: str, path: Path) -> Any:
    return mlcroissant.FileObject(
        id=kind,
        name=kind,
        content_url=path.name,
        encoding_formats=["application/x-parquet"],
        sha256=digest_file(path),
    )


def _columns(mlcroissant: Any, kind: str) -> Any:
    fields = [
        mlcroissant.Field(
            id=f"{kind}-rows/{column}",
            name=column,
            description=told,
            data_types=mlcroissant.DataType.TEXT,
            source=mlcroissant.Source(file_object=kind, extract=mlcroissant.Extract(column=column)),
        )
        for column, told in COLUMNS[kind].items()
    ]
    return mlcroissant.RecordSet(id=f"{kind}-rows", name=f"{kind}-rows", fields=fields)


SETS = "made-sets"


def write_sets(exported: Exported) -> bool:
    """Write a folder for each record with such an array into an export; False where none has one.

    Raises:
        UserError: the library of the format finds a mistake.
    """
    steps = makers(exported.paper)
    made = [each for each in exported.records if each.step in steps and holds_set(each)]
    for record in made:
        folder = exported.folder / SETS / f"{record.step}-{record.identity[:12]}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        told = {**record.to_json(), "link": None}
        (folder / RECORD).write_text(json.dumps(told, indent=1, sort_keys=True), encoding="utf-8")
        for name in sorted(record.arrays):
            record.array(name)  # verifies the file first
            shutil.copy(record.directory / record.outputs[name]["file"], folder / f"{name}.npy")
        write_metadata(folder / METADATA, partial(_described, exported, record, folder))
    return bool(made)


def makers(paper: Paper) -> set[str]:
    """Names of the steps of methods whose `images.here` is `own`.

    Where a setting says it, a step that is only done where it says something else is left out.
    """
    return {
        step.step
        for method in paper.methods.values()
        for here in [method.images.here]
        for step in method.steps
        if "own" in (step.when.get(here.strip("{}"), ["own"]) if here[0] == "{" else [here])
    }


def holds_set(record: Record) -> bool:
    """Whether a record has such an array, and has it here: published ones lack what is large."""
    shapes = [record.outputs[name]["shape"] for name in record.arrays]
    return not isinstance(record, PublishedRecord) and any(len(shape) == 4 for shape in shapes)


def _described(exported: Exported, record: Record, folder: Path) -> Any:
    import mlcroissant as croissant

    about = exported.paper.about
    how = json.dumps({"parameters": dict(record.params), "seed": record.seed}, sort_keys=True)
    return croissant.Metadata(
        name=f"{record.step} {record.identity[:12]}",
        description=f"Made by step {record.step} of the runs of {about.title}: {how}. What it was "
        f"made from, and by which code, is in {RECORD}.",
        license=[NO_LICENCE],  # that of the data it was made from decides, which no record states
        version="1.0.0",
        cite_as=about.title,
        creators=[croissant.Person(name=name) for name in about.authors],
        distribution=[
            croissant.FileObject(
                id=path.name,
                name=path.name,
                description=_shape(record, path.stem),
                content_url=path.name,
                encoding_formats=[f"application/{'json' if path.suffix == '.json' else 'x-npy'}"],
                sha256=digest_file(path),
            )
            for path in sorted(folder.iterdir())
        ],
    )


def _shape(record: Record, name: str) -> str:
    output = record.outputs.get(name)
    return f"{output['dtype']} {output['shape']}" if output else "How it was made."
