"""SARIF 2.1.0, which code hosts show beside the lines that findings are about."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from harness.judge.audit.finding import RULES, Finding, Source
from harness.spec.paper import Paper

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
LEVELS = {"severe": "error", "notable": "warning", "minor": "note"}


def sarif(findings: Sequence[Finding], place: Callable[[str], Source | None]) -> dict[str, Any]:
    """One run with one result for each finding, at the lines of its addresses."""
    rules = sorted({finding.rule for finding in findings})
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "repro audit", "rules": list(map(_rule, rules))}},
                "results": [_result(finding, rules, place) for finding in findings],
            }
        ],
    }


def _rule(name: str) -> dict[str, Any]:
    return {"id": name, "shortDescription": {"text": RULES[name]}}


def _result(
    finding: Finding, rules: list[str], place: Callable[[str], Source | None]
) -> dict[str, Any]:
    found = [(address, place(address)) for address in finding.addresses]
    known = [(address, at) for address, at in found if at is not None]
    locations = [_location(address, at) for address, at in known]
    return {
        "ruleId": finding.rule,
        "ruleIndex": rules.index(finding.rule),
        "level": LEVELS[finding.severity],
        "message": {
            "text": f"{finding.explanation}\nPrinted: {finding.printed}\n"
            f"Expected: {finding.expected}"
        },
        "locations": locations[:1],
        "relatedLocations": [{"id": i, **at} for i, at in enumerate(locations[1:], 1)],
        "partialFingerprints": {"finding/v1": finding.id},
    }


def _location(address: str, at: Source) -> dict[str, Any]:
    file, line = at
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": file, "uriBaseId": "%SRCROOT%"},
            "region": {"startLine": line},
        },
        "logicalLocations": [{"fullyQualifiedName": address}],
    }


def spec_places(paper: Paper, root: Path) -> Callable[[str], Source | None]:
    """Where an address stands in the specs: the line that names its row or its key."""

    def place(address: str) -> Source | None:
        owner, _, rest = address.partition(":")
        if owner == "claim":
            path, words = paper.root / "claims.toml", f'id = "{rest}"'
        elif owner in ("symbol", "name", "citation"):
            path, words = paper.root / "statements.toml", rest.partition(":")[0]
            path = path if path.is_file() else paper.root / "paper.toml"
        elif owner == "recipe":
            name, _, setting = rest.partition(":")
            path, words = paper.path_of(paper.owner(name)), f"settings.{setting}"
        elif owner in paper.exhibits:
            path = paper.path_of(paper.exhibits[owner])
            row, _, column = rest.partition(":")
            words = f"[stated.{column}]" if row == "stated" else f'name = "{row}"'
        else:
            return None
        return _line(path, words, root)

    return place


def _line(path: Path, words: str, root: Path) -> Source | None:
    """The first line with the words; without any, the first of the file."""
    if not path.is_file():
        return None
    lines = path.read_text(encoding="utf-8").splitlines()
    number = next((i for i, line in enumerate(lines, 1) if words in line), 1)
    inside = path.is_relative_to(root)
    return (path.relative_to(root) if inside else path).as_posix(), number
