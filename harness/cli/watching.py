"""`--watch`: the same once more whenever the store holds something else."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from harness.errors import UserError
from harness.media import say
from harness.study.study import Study

if TYPE_CHECKING:
    from harness.store.store import Store

LOOK = 2.0
"""Seconds between two looks at the store."""
Watch = Annotated[
    bool,
    typer.Option("--watch", help="Do it again whenever the store has other results, until Ctrl-C."),
]


def rounds(study: Study, watch: bool) -> Iterator[Study]:
    """The study; where it is watched, a fresh look at it after each change, until Ctrl-C."""
    if not watch:
        yield study
        return
    seen, told = _content(study.store), ""
    yield study
    while True:
        time.sleep(LOOK)
        if (now := _content(study.store)) == seen:
            continue
        try:
            afresh = Study.open(study.project.home, no_code=study.project.no_code)
            _ = afresh.paper  # is read now
        except UserError as error:  # somebody edits the specs; the next look may read them
            if str(error) != told:
                say(told := str(error))
            continue
        seen, told = now, ""
        yield afresh


def _content(store: Store) -> tuple[frozenset[str], ...]:
    """The names of what a run leaves in a store: records, failures, steps in hand."""
    from harness.run.lease import held

    done = store.listing("records") | store.listing("links")
    return frozenset(done), frozenset(store.failures.identities()), frozenset(held(store))
