"""Results that exist already: which files hold the numbers of a table, and where in them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from harness.spec.base import Bound, Misplaced, SpecModel, check_known

Text = Annotated[str, StringConstraints(min_length=1)]


def _inside(pattern: str) -> str:
    path = PurePosixPath(pattern)
    if path.is_absolute() or ".." in path.parts or path == PurePosixPath("."):
        raise ValueError("expected a path inside the project, relative to it")
    return pattern


class Evidence(SpecModel):
    """Files of results that were not run here, and how the numbers of a table are found in them.

    A reader turns files into results, each with named fields; one result is one run of one row.
    A field inside others is named by a dotted path, such as `results.0.accuracy`.
    """

    files: Annotated[tuple[Annotated[Text, AfterValidator(_inside)], ...], Field(min_length=1)]
    """Relative to the project. `*`, `**` and `?` stand for what they do in a shell, and `{name}`
    for a part of a path that becomes the field `name`."""
    reader: str = ""
    """What the files are; told by their names where it is left out."""
    row: str | tuple[Text, ...] = ""
    """The field that names the row, or several, whose texts are joined with `/`, as the names of
    imported rows are. Left out: the table has one row."""
    column: str = ""
    """The field that names the column. Left out: the table has one, or `value` names them."""
    seed: str = ""
    """The field that tells the runs of one cell apart. Left out: each cell has one run."""
    value: Text | Mapping[str, Text]
    """The field with the number; or column -> the field with its number."""
    scale: float = 1.0
    """The number in the table's unit is this times the one in the files: 100 for percent."""
    where: Mapping[str, Bound | tuple[Bound, ...]] = {}
    """Field -> the value, or the values, with which a result counts; others are passed over."""
    names: Mapping[str, str] = {}
    """A text of the files -> the row or the column that it means, where their names differ."""

    @model_validator(mode="after")
    def _one_way(self) -> Evidence:
        if self.column and not isinstance(self.value, str):
            raise ValueError("expected either 'column' or columns in 'value', not both")
        return self

    def check(self, rows: list[str], columns: list[str], index: int) -> None:
        """Check that every number of the files belongs to one cell of the table.

        Args:
            index: its place among the table's evidence.

        Raises:
            Misplaced: a name is no row and no column, or a field that tells them apart is missing.
        """
        wide = not isinstance(self.value, str)
        for name in self.value if not isinstance(self.value, str) else ():
            check_known("column", name, columns, "evidence", index, "value", name)
        for name, meant in self.names.items():
            check_known("row or column", meant, [*rows, *columns], "evidence", index, "names", name)
        for key, known in (("row", rows), ("column", columns)):
            if len(known) > 1 and not getattr(self, key) and not (wide and key == "column"):
                message = f"the table has {len(known)} {key}s; expected the field that names them"
                raise Misplaced(f"{message} in '{key}'", "evidence", index)
