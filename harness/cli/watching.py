"""`--watch`: the same once more whenever the store, the specs or files of results are others."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.errors import UserError
from harness.media import say
from harness.study.study import Study

if TYPE_CHECKING:
    from harness.spec.paper import Paper
    from harness.store.store import Store

LOOK = 2.0
"""Seconds between two looks at the store."""
Watch = Annotated[
    bool,
    typer.Option("--watch", help="Do it again whenever results or specs are others, until Ctrl-C."),
]


def rounds(study: Study, watch: bool) -> Iterator[Study]:
    """The study; where it is watched, a fresh look at it after each change, until Ctrl-C."""
    if not watch:
        yield study
        return
    paper = study.paper
    seen, told = (_content(study.store), _files(paper)), ""
    yield study
    while True:
        time.sleep(LOOK)
        if (now := (_content(study.store), _files(paper))) == seen:
            continue
        try:
            afresh = Study.open(study.project.home, no_code=study.project.no_code)
            paper = afresh.paper
        except UserError as error:  # somebody edits the specs; the next look may read them
            if str(error) != told:
                say(told := str(error))
            continue
        seen, told = (now[0], _files(paper)), ""
        yield afresh


def _content(store: Store) -> tuple[frozenset[str], ...]:
    """The names of what a run leaves in a store: records, failures, steps in hand."""
    from harness.run.lease import held

    done = store.listing("records") | store.listing("links")
    return frozenset(done), frozenset(store.failures.identities()), frozenset(held(store))


def _files(paper: Paper) -> frozenset[tuple[Path, int, int]]:
    """Specs, and files of results that they name, each with when it was written and its size."""
    from harness.evidence.found import files_of
    from harness.spec.exhibit import Table

    files = set(paper.root.rglob("*.toml"))
    for each in (each for table in paper.exhibits_of(Table) for each in table.evidence):
        for pattern in each.files:
            files |= {path for path, _ in files_of(pattern, paper.root.parent)}
    found = set()
    for path in files:
        with suppress(FileNotFoundError):
            about = path.stat()
            found.add((path, about.st_mtime_ns, about.st_size))
    return frozenset(found)
