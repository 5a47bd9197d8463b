"""From an exhibit's results to its verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from harness.judge.memory import remembered
from harness.judge.results import Result, reported_fields
from harness.plan.step import Json
from harness.spec.exhibit import Table
from harness.store.store import Store


def assess(
    table: Table, results: Sequence[Result], store: Store, severe: Mapping[str, str]
) -> list[dict[str, Any]]:
    """The verdict on every cell, as plain data with the fields of `verdict.Verdict`.

    Args:
        severe: address -> the audit's severe finding on that cell.
    """
    evidence: list[Json] = [
        {
            "address": str(result.cell.address),
            "reported": _number(result, table),
            "values": list(result.values),
            "comparable": result.cell.comparable,
            "reason": result.cell.reason,
            "margin": table.reporting.margin,
            "audit_severe": severe.get(str(result.cell.address)),
        }
        for result in results
    ]
    verdicts = remembered(store, "verdicts", evidence, lambda: _judge(evidence))
    assert isinstance(verdicts, list)
    return [dict(verdict) for verdict in verdicts if isinstance(verdict, dict)]


def _number(result: Result, table: Table) -> Json:
    fields = reported_fields(result.cell.reported, table.reporting)
    if fields is None:
        return None
    return {name: fields[name] for name in ("mean", "error", "spread", "n")}


def _judge(evidence: Sequence[Any]) -> Json:
    from harness.judge.sample import ReportedNumber
    from harness.judge.verdict import CellEvidence, judge_cells

    cells = [
        CellEvidence(
            **{
                **item,
                "values": tuple(item["values"]),
                "reported": item["reported"] and ReportedNumber(**item["reported"]),
            }
        )
        for item in evidence
    ]
    return [_plain(asdict(verdict)) for verdict in judge_cells(cells)]


def _plain(fields: dict[str, Any]) -> dict[str, Any]:
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in fields.items()
    }
