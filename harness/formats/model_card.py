"""Model cards of the Hugging Face Hub with a `model-index`, for the rows of judged tables.

A card goes to the Hub as the README of the weights or the set that a row is of. The newer
`.eval_results` are not written: they name a benchmark of the Hub, which no spec does.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from harness.formats.exported import CellOfRow, Exported, rows

FOLDER = "model-card"


def write(exported: Exported) -> bool:
    """Write a folder with a card for each row into an export."""
    named = list(rows(exported))
    for name, cells in named:
        about = cells[0].told["profile"], f"{cells[0].table.id}-{name}"
        folder = exported.folder.joinpath(FOLDER, *about)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "README.md").write_text(_card(exported, cells), encoding="utf-8")
    return bool(named)


def _card(exported: Exported, cells: Sequence[CellOfRow]) -> str:
    row, table = cells[0].result.item.address.row, cells[0].table
    index = [{"name": row, "results": [_result(cell) for cell in cells]}]
    lines = [_line(cell) for cell in cells]
    head = json.dumps(index, ensure_ascii=False)  # JSON is YAML, whatever a name has in it
    return "\n".join(
        (
            f"---\nmodel-index: {head}\n---",
            f"# {row}\n",
            f"{exported.paper.about.title}, {table.title}: what the paper prints, and ours.\n",
            "| | printed | reproduced | runs | verdict |\n|---|---|---|---|---|",
            *lines,
            "",
        )
    )


def _result(cell: CellOfRow) -> dict[str, Any]:
    at, amount = cell.result.item.address, cell.result.amount
    assert amount is not None  # such are the cells of rows
    unit = cell.table.reporting_of(at.row, at.column).unit
    runs: dict[str, float] = {"runs": len(amount.values)}
    if amount.std is not None:
        runs["standard_deviation"] = amount.std
    return {
        "task": {"type": "other", "name": cell.table.title},
        "dataset": {"type": cell.dataset[0], "name": cell.dataset[1]},
        "metrics": [
            {
                "type": cell.table.measure_of(at.row, at.column).value,
                "name": f"{at.column} ({unit})" if unit else at.column,
                "value": amount.mean,
                "args": {**runs, **cell.told},
            }
        ],
    }


def _line(cell: CellOfRow) -> str:
    amount, told = cell.result.amount, cell.told
    assert amount is not None
    values = (
        cell.result.item.address.column,
        told["printed"],
        amount.text,
        str(len(amount.values)),
        told["verdict"],
    )
    return f"| {' | '.join(value.replace('|', '&#124;') for value in values)} |"
