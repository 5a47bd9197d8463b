"""What a paper's sources say now that its specs do not, and which claims it turns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from harness.importing import read_prose, read_tables
from harness.importing.aligned import Aligned, Change, align, rewritten
from harness.importing.model import Sentence, Table
from harness.importing.write import one_line, sentence_lines, telling, write_spec
from harness.judge.model import ClaimOutcome
from harness.judge.outcomes import on_reported
from harness.spec import exhibit as spec
from harness.spec.claims import Claim
from harness.spec.paper import Paper, load_paper
from harness.spec.statements import CoverageFile, CoveredSentence
from harness.spec.toml import read_spec
from harness.study.project import Project
from harness.study.rewriting import rewriting

COVERAGE = "coverage.toml"


@dataclass(frozen=True)
class Turned:
    """A claim that comes out otherwise on the numbers that the sources have now."""

    claim: Claim
    before: ClaimOutcome
    now: ClaimOutcome


@dataclass(frozen=True)
class Synced:
    """The differences between a paper's sources and its specs."""

    changes: Sequence[Change]
    turned: Sequence[Turned]
    new_tables: Sequence[Table]
    gone: Sequence[str]
    """Tables of the specs that came from sources and are in them no longer."""
    new_sentences: Sequence[Sentence]
    """Sentences with a number or a comparison that are not in `coverage.toml`."""
    gone_sentences: Sequence[CoveredSentence]
    unread: Sequence[str]
    written: Sequence[Path] = ()
    """The specs that were brought to what the sources have."""


def sync_tables(project: Project, sources: Sequence[Path], write: bool = False) -> Synced:
    """Compare the tables and sentences of a paper's sources with its specs.

    Args:
        write: whether to put the present numbers, rows, tables and sentences into the specs. What
            the sources have no longer stays there.

    Raises:
        UserError: a source cannot be read, or a spec cannot be rewritten; then nothing is written.
    """
    paper = project.paper
    read = [read_tables(path) for path in sources]
    tables = [table for each in read for table in each.tables]
    specs = paper.exhibits_of(spec.Table)
    found = align(specs, tables)
    sentences = [s for path in sources for s in read_prose(path).sentences]
    gone, fresh = _sentences(paper, sentences)
    aligned = {each.spec.id for each in found}
    new_tables = [t for t in tables if all(t is not each.table for each in found)]
    written = _write(project, found, new_tables, fresh) if write else []
    return Synced(
        changes=[change for each in found for change in each.changes()],
        turned=_turned(paper, found),
        new_tables=new_tables,
        gone=[each.id for each in specs if each.source and each.id not in aligned],
        new_sentences=fresh,
        gone_sentences=gone,
        unread=[str(missed) for each in read for missed in each.unread],
        written=written,
    )


def _turned(paper: Paper, found: Sequence[Aligned]) -> list[Turned]:
    """The claims whose outcome on the printed numbers is another one with those of now."""
    exhibits = {**paper.exhibits, **{each.spec.id: each.as_now() for each in found}}
    later = paper.model_copy(update={"exhibits": exhibits, "digest": ""})
    both = [
        (claim, on_reported(paper, claim), on_reported(later, claim))
        for claim in paper.claims.values()
    ]
    return [Turned(*each) for each in both if each[1].outcome != each[2].outcome]


def _sentences(
    paper: Paper, now: Sequence[Sentence]
) -> tuple[list[CoveredSentence], list[Sentence]]:
    """Entries of `coverage.toml` whose sentence is gone, and sentences that it does not have."""
    path = paper.root / COVERAGE
    if not path.is_file() or not now:
        return [], []
    entries = read_spec(path, CoverageFile).sentences
    texts = [one_line(sentence.text) for sentence in now]
    starts = tuple(entry.starts for entry in entries)
    gone = [e for e in entries if not any(text.startswith(e.starts) for text in texts)]
    return gone, [s for s in telling(now) if not one_line(s.text).startswith(starts)]


def _write(
    project: Project, found: Sequence[Aligned], tables: Sequence[Table], fresh: Sequence[Sentence]
) -> list[Path]:
    """Write what is new into the specs; as they were, if they would not load any more."""
    paper = project.paper
    texts = {paper.path_of(each.spec): each for each in found if any(each.changes())}
    later = {path: rewritten(path.read_text(encoding="utf-8"), at) for path, at in texts.items()}
    folder, number = paper.root / "tables", 0
    for table in tables:
        number = next(n for n in count(number + 1) if f"table{n}" not in paper.exhibits)
        later[folder / f"table{number}.toml"] = write_spec(table, number)
    if fresh:
        path = paper.root / COVERAGE
        blocks = [path.read_text(encoding="utf-8").rstrip() + "\n", *map(sentence_lines, fresh)]
        later[path] = "\n".join(blocks)
    with rewriting(later):
        load_paper(project.specs)
    return list(later)
