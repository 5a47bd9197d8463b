"""Reading a Parquet file that somebody else may have written: known columns, bounded memory."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.errors import EvidenceError, one_line

MEMORY = "1GB"
"""Of DuckDB while it reads: a small file can hold columns that unpack to any size."""


def read_table(path: Path, columns: Mapping[str, str], most: int, largest: int) -> list[Any]:
    """All rows of a file as tuples, sorted.

    Args:
        columns: name -> type, as DuckDB calls it; `VARCHAR` or `BLOB`.
        most: number of rows that the file may have.
        largest: number of bytes that one value may have.

    Raises:
        EvidenceError: the file cannot be read, or holds anything else.
    """
    import duckdb

    names = ", ".join(columns)
    measure = {"VARCHAR": "strlen", "BLOB": "octet_length"}
    longest = ", ".join(f"max({measure[kind]}({name}))" for name, kind in columns.items())
    present = " and ".join(f"count({name}) = count(*)" for name in columns)
    with duckdb.connect(config={"memory_limit": MEMORY, "threads": 1}) as connection:
        try:
            table = connection.read_parquet(str(path)).project(names)
            found = dict(zip(table.columns, map(str, table.types), strict=True))
            if found != dict(columns):
                raise EvidenceError(f"{path}: columns {dict(columns)} were expected, not {found}")
            ((count, whole, *sizes),) = table.aggregate(
                f"count(*), {present}, {longest}"
            ).fetchall()
            if count > most or not whole or any(size > largest for size in sizes if size):
                raise EvidenceError(
                    f"{path}: at most {most} rows of values up to {largest} bytes were expected, "
                    "none of them empty"
                )
            rows: list[Any] = table.order("all").fetchall()
        except EvidenceError:
            raise
        except Exception as error:  # duckdb's errors share no base that is importable lazily
            reason = one_line(str(error))
            raise EvidenceError(f"{path}: cannot be read as published records ({reason})") from None
    return rows
