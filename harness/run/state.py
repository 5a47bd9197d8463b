"""The state of each step of a graph, without running anything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from harness.plan.parts import needed
from harness.plan.step import Step
from harness.run.lease import held
from harness.store.failures import Failure
from harness.store.store import Store

State: TypeAlias = Literal["current", "run", "linked", "blocked", "running", "failed"]


def lacking(graph: Mapping[str, Step], store: Store) -> set[str]:
    """Identities of the steps of a graph that have to run."""
    return needed(graph, store.has, lambda identity: store.whole(identity) is not None)


def states(graph: Mapping[str, Step], store: Store) -> dict[str, State]:
    """The state of every step, in the order of the graph.

    current: has a record, or nothing that lacks one reads it. running: a living process holds its
    lease. failed: its last run failed. blocked: an input, however far up, failed. linked: its
    inputs are known, and a record of the same work on equal inputs exists. run: everything else.

    A record that cannot be read is none. Its arrays are checked by `store verify`, not here.
    """
    recorded = {identity for identity in graph if store.has(identity)}
    if recorded.issuperset(graph):
        return dict.fromkeys(graph, "current")
    todo = needed(
        graph,
        lambda identity: identity in recorded,
        lambda identity: store.whole(identity) is not None,
    )
    found: dict[str, State] = {}
    running, failed = held(store), store.failures.identities()
    digests: dict[str, str] = {}
    for identity, step in graph.items():
        if identity not in todo:
            found[identity] = "current"
        elif identity in running:
            found[identity] = "running"
        elif identity in failed:
            found[identity] = "failed"
        elif any(found.get(source) in ("failed", "blocked") for source in step.inputs.values()):
            found[identity] = "blocked"
        else:
            found[identity] = _linked_or_run(step, store, digests)
    return found


def _linked_or_run(step: Step, store: Store, digests: dict[str, str]) -> State:
    """`digests` caches the content digest of each input, and of each step found to be linked."""
    known: dict[str, str] = {}
    for name, source in step.inputs.items():
        if source not in digests:
            record = store.get(source)
            if record is None:
                return "run"
            digests[source] = record.digest
        known[name] = digests[source]
    twin = store.equivalent(step, known)
    if twin is None:
        return "run"
    digests[step.identity] = twin.digest
    return "linked"


def failures_behind(graph: Mapping[str, Step], store: Store) -> dict[str, Failure]:
    """Each step that waits in vain -> the failure: its own, or an input's, however far up."""
    failed, found = store.failures.identities(), dict[str, Failure]()
    if not failed:
        return found
    for identity, step in graph.items():
        if store.has(identity):
            continue
        own = store.failures.get(identity) if identity in failed else None
        above = (found[source] for source in step.inputs.values() if source in found)
        if failure := own or next(above, None):
            found[identity] = failure
    return found
