"""Records of Every Eval Ever (schema 0.3.0) for the rows of judged tables, one file each.

It is the one public format of scores with a place for their uncertainty. What is printed, and the
verdict on it, are among a score's details. https://evalevalai.com, schema under the MIT licence.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from hashlib import sha256
from importlib.metadata import version
from typing import Any
from uuid import UUID

from harness.formats.exported import CellOfRow, Exported, rows
from harness.judge.model import Amount

SCHEMA = "0.3.0"
FOLDER = "every-eval-ever"


def write(exported: Exported) -> bool:
    """Write the records into a folder of an export, laid out as those of its collection.

    A file has its name from what it is of, so that an export again takes its place. The format asks
    when it was written: a file that says the same but for its time keeps it, unless
    `SOURCE_DATE_EPOCH` settles the time.
    """
    now = str(exported.written)
    named = list(rows(exported))
    for name, cells in named:
        benchmark, model = cells[0].table.id, f"{exported.paper.about.id}/{name}"
        folder = exported.folder / FOLDER / "data" / benchmark / model
        folder.mkdir(parents=True, exist_ok=True)
        what = sha256(f"{benchmark}/{model}/{cells[0].told['profile']}".encode()).digest()
        file = folder / f"{UUID(bytes=what[:16], version=4)}.json"
        before = file.read_text(encoding="utf-8") if file.is_file() else ""
        kept = re.search(r'"retrieved_timestamp": "(\d+)"', before)
        same = kept is not None and before == _text(exported, model, cells, kept[1])
        if exported.settled or not same:
            file.write_text(_text(exported, model, cells, now), encoding="utf-8")
    return bool(named)


def _text(exported: Exported, model: str, cells: Sequence[CellOfRow], now: str) -> str:
    held = _record(exported, model, cells, now)
    return json.dumps(held, indent=1, ensure_ascii=False) + "\n"


def _record(exported: Exported, model: str, cells: Sequence[CellOfRow], now: str) -> dict[str, Any]:
    about, first = exported.paper.about, cells[0]
    row = first.result.item.address.row
    return {
        "schema_version": SCHEMA,
        "evaluation_id": f"{first.table.id}/{model}/{now}",
        "retrieved_timestamp": now,
        "source_metadata": {
            "source_name": f"Runs of {about.title}",
            "source_type": "evaluation_run",
            "source_organization_name": "not stated",
            "evaluator_relationship": "other",  # no spec says who runs it
        },
        "eval_library": {"name": "repro-harness", "version": version("repro-harness")},
        "model_info": {
            "name": row,
            "id": model,
            "additional_details": {
                "deployment_type": "self_deployed",
                "model_availability": "unknown",
                "paper": about.title,
            },
        },
        "evaluation_results": [_result(cell) for cell in cells],
    }


def _result(cell: CellOfRow) -> dict[str, Any]:
    at, amount = cell.result.item.address, cell.result.amount
    assert amount is not None  # such are the cells of rows
    measure = cell.table.measure_of(at.row, at.column)
    return {
        "evaluation_result_id": str(at),
        "evaluation_name": f"{cell.table.title}: {at.column}",
        "source_data": {"dataset_name": cell.dataset[1], "source_type": "other"},
        "metric_config": {
            "metric_name": measure.value,
            "metric_unit": cell.table.reporting_of(at.row, at.column).unit or "not stated",
            "lower_is_better": measure.better == "lower",
            "score_type": "continuous",
            "min_score": "-Infinity",
            "max_score": "Infinity",
        },
        "score_details": {
            "score": amount.mean,
            "details": cell.told,
            "uncertainty": _uncertainty(amount),
        },
    }


def _uncertainty(amount: Amount) -> dict[str, Any]:
    """Over runs, which are the samples; empty where there is one, or all are the same."""
    if amount.std is None or amount.deterministic:
        return {}
    n = len(amount.values)
    return {
        "standard_error": {"value": amount.std / n**0.5, "method": "analytic"},
        "standard_deviation": amount.std,
        "num_samples": n,
    }
