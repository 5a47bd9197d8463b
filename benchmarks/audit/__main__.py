"""How many injected errors the audit finds, and how much of what it says of papers is right.

python -m benchmarks.audit            score, and write the results
python -m benchmarks.audit --judge    print the findings on papers that nobody has judged yet

Raw recall, over all errors, stands first. What could be found at all is decided before any rule
runs, by `relations`. Kinds and papers that were held out are told apart.
"""

from __future__ import annotations

import hashlib
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import chain
from pathlib import Path
from typing import Any

from benchmarks.audit.errors import (
    HELD_OUT_KINDS,
    HELD_OUT_PAPERS,
    Error,
    sentence_errors,
    table_errors,
)
from benchmarks.audit.papers import Paper, drawn_tables, generated, read_papers, this_paper
from benchmarks.audit.relations import relations
from benchmarks.audit.told import write_page
from benchmarks.bench import ROOT
from harness.judge.audit.audit import audit, audit_sheet, audit_texts, in_order, merged
from harness.judge.audit.finding import Finding
from harness.judge.audit.rankings import rankings
from harness.judge.audit.sentences import told_cells
from harness.spec.paper import load_paper

FIRST = {"right": 37, "judged": 43, "both": 539, "detectable": 552}
"""Precision, and recall of what was held out, when everything was scored for the first time, before
the rules that had spoken wrongly were mended with the papers in view."""
JUDGED = Path(__file__).parent / "judged.json"
RESULTS = Path(__file__).parent / "results.json"
WORKERS = 2
"""Processes, as many as the smallest machine of a CI has cores."""
HELD_OUT = {*HELD_OUT_KINDS, *HELD_OUT_PAPERS}
GENERATED = 12
"""Generated papers."""


def said(paper: Paper) -> list[Finding]:
    """What the audit says of a paper as it is."""
    found = [finding for sheet in paper.sheets for finding in audit_sheet(sheet)]
    texts = [f for rule in (told_cells, rankings) for f in rule(paper.said, paper.sheets)]
    return merged([*found, *audit_texts(paper.said), *texts])


def injected(paper: Paper) -> Iterator[tuple[Error, bool, Sequence[Finding]]]:
    """Each error, whether it could be found, and the findings that the paper has only with it."""
    for sheet in drawn_tables(paper):
        kept = relations(sheet)
        before = {_key(f) for f in merged(audit_sheet(sheet))}
        for error in table_errors(sheet, f"{paper.name} {sheet.id}"):
            assert error.sheet is not None
            could = any(relation.shows(error.sheet) for relation in kept)
            found = merged(audit_sheet(error.sheet))
            yield error, could, [f for f in found if _key(f) not in before]
    before = {_key(f) for f in [*audit_texts(paper.said), *told_cells(paper.said, paper.sheets)]}
    for error in sentence_errors(paper):
        assert error.said is not None
        found = [*audit_texts([error.said]), *told_cells([error.said], paper.sheets)]
        # A sentence repeats one cell, sums up or tests, so that any other digit is wrong; but a
        # digit that rounds to the same, or a p that the statistic's rounding allows, is not.
        yield error, _differs(error, paper), [f for f in found if _key(f) not in before]


def _differs(error: Error, paper: Paper) -> bool:
    assert error.said is not None
    (old,) = (each for each in paper.said if each.address == error.said.address)
    return old.text != error.said.text


def _key(finding: Finding) -> tuple[str, str, tuple[str, ...]]:
    return finding.rule, finding.printed, finding.addresses


def counts(paper: Paper) -> list[tuple[str, str, dict[str, int]]]:
    """Group, kind and what is counted of each error in a paper."""
    made = []
    for error, could, new in injected(paper):
        right = sum(bool(error.places & set(finding.addresses)) for finding in new)
        count = {"injected": 1, "found": int(right > 0), "detectable": int(could),
                 "both": int(right > 0 and could), "new": len(new), "at_error": right}  # fmt: skip
        group = "held out" if {paper.name, error.kind} & HELD_OUT else "seen"
        made.append((group, error.kind, count))
    return made


def recall(papers: Sequence[Paper]) -> dict[str, dict[str, dict[str, int]]]:
    """Group -> kind -> how many were injected, found, could be found, and both."""
    groups: dict[str, dict[str, Counter[str]]] = {}
    with ProcessPoolExecutor(WORKERS) as workers:
        # The papers with most numbers first, so that no worker is left with a long one at the end.
        by_size = sorted(papers, key=lambda p: -sum(len(s.numbers) for s in p.sheets))
        for group, kind, count in chain.from_iterable(workers.map(counts, by_size)):
            groups.setdefault(group, {}).setdefault(kind, Counter()).update(count)
    return {
        g: {k: dict(n) for k, n in sorted(groups[g].items())} for g in sorted(groups, reverse=True)
    }


def findings(papers: Sequence[Paper]) -> dict[str, Finding]:
    """All findings on the papers as they are, by id."""
    found = [f for paper in papers if paper.digest for f in said(paper)]
    return {f.id: f for f in in_order([*found, *audit(load_paper(ROOT / "specs"))])}


def precision(found: Mapping[str, Finding]) -> dict[str, int]:
    judged = json.loads(JUDGED.read_text(encoding="utf-8"))
    told = [judged[name] for name in found if name in judged and _same(judged[name], found[name])]
    right = sum(each["right"] for each in told)
    return {"right": right, "judged": len(told), "findings": len(found)}


def _same(judged: Mapping[str, Any], finding: Finding) -> bool:
    """Whether it was this finding that was judged, and not another on other numbers."""
    return bool(judged["of"] == _digest(finding))


def _digest(finding: Finding) -> str:
    return hashlib.sha256(f"{finding.printed}|{finding.expected}".encode()).hexdigest()[:12]


def judge(found: Mapping[str, Finding]) -> None:
    """Print what is not judged yet, in an order by chance and without the name of the rule."""
    judged = json.loads(JUDGED.read_text(encoding="utf-8")) if JUDGED.exists() else {}
    left = [f for f in found.values() if f.id not in judged or not _same(judged[f.id], f)]
    random.Random("judging").shuffle(left)
    for finding in left:
        print(f"{_digest(finding)}\n  {finding.printed}\n  {finding.expected}\n"
              f"  {finding.explanation}\n")  # fmt: skip


def main() -> None:
    begun = time.monotonic()
    papers = [this_paper(), *(generated(seed) for seed in range(GENERATED)), *read_papers()]
    found = findings(papers)
    if "--judge" in sys.argv[1:]:
        judge(found)
        return
    false_alarms = sum(len(said(paper)) for paper in papers if not paper.digest)
    results = {
        "papers": {paper.name: paper.digest or "generated" for paper in papers},
        "recall": recall(papers),
        "precision": precision(found) | {"on_generated_papers": false_alarms, "first": FIRST},
    }
    if any(paper.name in HELD_OUT_PAPERS for paper in papers):
        RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    write_page(json.loads(RESULTS.read_text(encoding="utf-8")), ROOT / "docs")
    print(f"{time.monotonic() - begun:.0f} s; docs/audit.md has the table")


if __name__ == "__main__":
    main()
