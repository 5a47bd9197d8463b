"""A CSV or TSV file as one table; its first row has the headings."""

from __future__ import annotations

import csv
from pathlib import Path

from harness.errors import UserError
from harness.importing.model import Cell, GridRow, Place, Sources, Table, Unread
from harness.importing.shape import as_tables
from harness.importing.sources import read_text


def read_separated(path: Path) -> Sources:
    """The table of a file whose fields are parted by what its first line has most of.

    Raises:
        UserError: the file cannot be read.
    """
    lines = read_text(path).splitlines(keepends=True)
    reader = csv.reader(lines, delimiter=max(",;\t", key=lines[0].count) if lines else ",")
    rows: list[GridRow] = []
    try:
        for texts in reader:
            place = Place(path, reader.line_num)
            cells = tuple(Cell(text.strip(), place) for text in texts)
            if cells:
                rows.append(GridRow(cells, heading=not rows))
    except csv.Error as error:
        raise UserError(f"{path}:{reader.line_num}: cannot be read as CSV ({error})") from None
    tables, unread = list[Table](), list[Unread]()
    for table, problems in as_tables(rows, Place(path, 1)):
        tables.append(table)
        unread += problems
    return Sources(tuple(tables), tuple(unread))
