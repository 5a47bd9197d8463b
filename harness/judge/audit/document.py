"""The audit of a paper's sources, without any specs: their tables, sentences and references."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from harness.importing.model import Place, Prose, Table
from harness.judge.audit.audit import audit_sheet, audit_texts, in_order, merged
from harness.judge.audit.finding import Finding, Source
from harness.judge.audit.imported import imported_sheets, imported_texts, source_of
from harness.judge.audit.rankings import rankings
from harness.judge.audit.said import Said
from harness.judge.audit.sentences import told_cells
from harness.judge.audit.sheet import Sheet


def audit_document(
    tables: Sequence[Table], prose: Prose, root: Path
) -> tuple[tuple[Finding, ...], Mapping[str, Source]]:
    """What does not go together in a file, and where each address stands.

    Args:
        root: the folder that files are named from.
    """
    sheets = list(imported_sheets(tables, root))
    said = list(imported_texts(prose.sentences, root))
    findings = [finding for sheet in sheets for finding in audit_sheet(sheet)]
    findings += [*audit_texts(said), *told_cells(said, sheets), *rankings(said, sheets)]
    named, places = _references(prose, root)
    places |= _places(sheets, said)
    return in_order(merged([*findings, *named])), places


def _places(sheets: Iterable[Sheet], said: Iterable[Said]) -> dict[str, Source]:
    numbers = {n.address: n.source for sheet in sheets for n in sheet.numbers.values()}
    sentences = {each.address: each.source for each in said}
    return {at: source for at, source in {**numbers, **sentences}.items() if source is not None}


def _references(prose: Prose, root: Path) -> tuple[list[Finding], dict[str, Source]]:
    """Findings on citations and references that lead nowhere, and on what nothing leads to."""
    places: dict[str, Source] = {}
    found = []
    for rule, names, printed, expected, why in _loose_ends(prose):
        for name, place in names.items():
            address = f"{source_of(place, root)[0]}:{rule}:{name}"
            places[address] = source_of(place, root)
            severe = rule == "unresolved"
            found.append(
                Finding(
                    rule=rule,
                    subject=address,
                    addresses=(address,),
                    printed=printed.format(name),
                    expected=expected,
                    severity="notable" if severe else "minor",
                    confidence="likely",
                    cause="" if severe else rule,
                    explanation=why.format(name),
                )
            )
    return found, places


def _loose_ends(prose: Prose) -> Iterator[tuple[str, Mapping[str, Place], str, str, str]]:
    """Rule, names with their places, and texts with room for a name: what is printed, what is
    expected, why it matters."""
    if prose.known is None:
        return
    yield (
        "unresolved",
        {k: p for k, p in prose.cited.items() if k not in prose.known and k != "*"},
        "a citation of '{}'",
        "an entry of the bibliography with that key",
        "'{}' is cited and is not in the bibliography, so that it prints as a question mark.",
    )
    if "*" not in prose.cited:
        yield (
            "uncited",
            {k: p for k, p in prose.listed.items() if k not in prose.cited},
            "the entry '{}'",
            "a citation of it",
            "The bibliography lists '{}', which nothing cites.",
        )
    yield (
        "unresolved",
        {k: p for k, p in prose.referred.items() if k not in prose.labels},
        "a reference to '{}'",
        "a label of that name",
        "'{}' is referred to and is no label, so that it prints as question marks.",
    )
    floats = {k: p for k, p in prose.labels.items() if k.startswith(("tab", "fig"))}
    yield (
        "unreferenced",
        {k: p for k, p in floats.items() if k not in prose.referred},
        "the label '{}'",
        "a sentence that refers to it",
        "Nothing in the text refers to '{}', so that a reader is never sent there.",
    )
