"""An audit with the places of its findings: of specs, or of a paper's sources without any."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.formats.sarif import spec_places
from harness.judge.audit.finding import Finding, Source
from harness.judge.memory import remembered
from harness.spec.paper import Paper
from harness.study.project import Project


@dataclass(frozen=True)
class Audited:
    """The findings, the gravest first."""

    findings: tuple[Finding, ...]
    place: Callable[[str], Source | None]
    """Where an address stands in the files that were read."""
    about: str
    """The title of the paper, or the names of the files."""
    unread: tuple[str, ...] = ()
    """What could not be read, so that nothing is said of it."""
    empty: bool = False
    """Whether no table and no sentence was read at all."""

    def place_of(self, finding: Finding) -> Source | None:
        """Where the first of its addresses that is known stands."""
        return next(filter(None, map(self.place, finding.addresses)), None)


def audit_specs(project: Project) -> Audited:
    """The audit of a paper's specs; files are named from the folder of the project."""
    paper = project.paper
    return Audited(findings_of(project), spec_places(paper, paper.root.parent), paper.about.title)


def findings_of(project: Project) -> tuple[Finding, ...]:
    """Where a paper does not agree with itself, the gravest first; kept where there is a store."""
    paper, store = project.paper, project.store
    if not paper.digest or not store.root.is_dir():
        return _audit(paper)
    return tuple(remembered(store, "audit", paper.digest, Finding, lambda: list(_audit(paper))))


def _audit(paper: Paper) -> tuple[Finding, ...]:
    from harness.judge.audit.audit import audit

    return audit(paper)


def audit_files(files: Sequence[Path], root: Path) -> Audited:
    """The audit of LaTeX, Markdown, HTML or CSV files, each by itself.

    Args:
        root: the folder that files are named from.

    Raises:
        UserError: a file cannot be read, or is of another kind.
    """
    from harness.importing import read_prose, read_tables
    from harness.judge.audit.audit import in_order
    from harness.judge.audit.document import audit_document

    findings: list[Finding] = []
    places: dict[str, Source] = {}
    unread: list[str] = []
    empty = 0
    for file in files:
        path = file.absolute()
        read, prose = read_tables(path), read_prose(path)
        if not read.tables and not prose.sentences:
            unread.append(f"{file}: no table and no sentence was found")
            empty += 1
        found, where = audit_document(read.tables, prose, root)
        # A file may be an input of one before it.
        told = {finding.id for finding in findings}
        findings += [finding for finding in found if finding.id not in told]
        places |= where
        unread += map(str, read.unread)
    about = ", ".join(map(str, files))
    nothing = empty == len(files)
    return Audited(in_order(findings), places.get, about, tuple(dict.fromkeys(unread)), nothing)
