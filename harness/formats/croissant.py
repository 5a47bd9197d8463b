"""Croissant (version 1.1) of an export: its files with their digests, and what their columns hold.

The library of the format builds and checks it, and reads the records by it.
https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness.errors import UserError
from harness.formats.exported import Exported
from harness.store.digest import digest_file

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
