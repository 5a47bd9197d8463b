"""Results that exist already: which files hold the numbers of a table, and where in them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from harness.spec.base import Bound, Misplaced, SpecModel, check_known

Text = Annotated[str, StringConstraints(min_length=1)]


def _inside(pattern: str) -> str:
    path = PurePosixPath(pattern)
    if path.is_absolute() or ".." in path.parts or path == PurePosixPath("."):
        raise ValueError("expected a path inside the project, relative to it")
    return path.as_posix()


Fields = Text | Annotated[tuple[Text, ...], Field(min_length=1)]
"""A field, or several."""
Wanted = Mapping[str, Bound | tuple[Bound, ...]]
"""Field -> the value it must have, or one of several. In a text, `*` stands for any part."""
Aggregate = Literal["mean", "median", "std", "sem", "min", "max", "sum", "count"]
Formula = Literal[
    "value / baseline",
    "baseline / value",
    "value - baseline",
    "value / baseline - 1",
    "1 - value / baseline",
]


class Selection(SpecModel):
    """Which result counts, of several of one cell and one run: epochs, or hyperparameters tried."""

    by: Fields
    """The field that decides, such as the accuracy on validation data; of several, their mean."""
    take: Literal["largest", "smallest"] = "largest"


class Baseline(SpecModel):
    """Other results, with which each number is compared."""

    where: Wanted
    """The results that are the baseline; they are no numbers of the table themselves."""
    per: Fields | None = None
    """The fields that a result and its own baseline have in common. Left out: there is one."""
    formula: Formula
    """The number in the table. Where there is an `aggregate`, it is that of both sides."""


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
    inside: str = ""
    """Where results lie in what the reader gives, as a dotted path. In `{grid}.methods.{method}`,
    each name in braces stands for every name or index there, and becomes a field."""
    row: str | tuple[Text, ...] = ""
    """The field that names the row, or several, whose texts are joined with `/`, as the names of
    imported rows are. Left out: the table has one row."""
    column: str = ""
    """The field that names the column. Left out: the table has one, or `value` names them."""
    seed: str = ""
    """The field that tells the runs of one cell apart. Left out: each cell has one run."""
    value: Text | Mapping[str, Text]
    """The field with the number; or column -> the field with its number."""
    scale: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0
    """The number in the table's unit is this times the one in the files: 100 for percent."""
    where: Mapping[str, Bound | tuple[Bound, ...]] = {}
    """Field -> the value, or the values, with which a result counts; others are passed over. In a
    text, `*` stands for any part."""
    select: Selection | None = None
    """Which of several results of one run counts. Left out: two are a mistake."""
    aggregate: Aggregate | None = None
    """The number is this of the runs of its cell. Left out: it is their mean, and each counts as
    a run when the number is judged."""
    baseline: Baseline | None = None
    """What the number is a ratio to, or a difference from."""
    names: Mapping[str, str] = {}
    """A text of the files -> the row or the column that it means, where their names differ. `*`
    stands for any part, so that one text may name a row by one entry and a column by another."""

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
