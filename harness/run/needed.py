"""Which steps of a graph have to be done for its last ones to have records."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from harness.plan.step import Step


def needed(
    graph: Mapping[str, Step], has: Callable[[str], bool], whole: Callable[[str], bool]
) -> set[str]:
    """Identities to bring about, seen from the ends of the graph.

    A step that others read need not be there when all of them have records. Where one of them has
    none, the step is needed unless its record is whole: a published one may lack its arrays.

    Args:
        has: whether a step has any record, for the steps that nothing reads.
        whole: whether a step has a record with all of its outputs, for the steps that are read.
    """
    read = {source for step in graph.values() for source in step.inputs.values()}
    wanted: set[str] = set()
    found: set[str] = set()
    for identity, step in reversed(list(graph.items())):
        lacking = not whole(identity) if identity in wanted else not has(identity)
        if lacking and (identity in wanted or identity not in read):
            found.add(identity)
            wanted.update(step.inputs.values())
    return found
