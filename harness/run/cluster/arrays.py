"""Job arrays made of a graph, each of one kind of work, in an order in which they can be queued.

Steps that bear the same name and stand on the same kinds of work go into one array. So an array
waits for what its steps read, not for all that is as deep in the graph, and asks for what its kind
of work needs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from harness.plan.step import Step
from harness.run.cluster.resources import Cluster

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Array:
    """One job array."""

    step: str
    """The name that all of its steps bear."""
    jobs: Sequence[Sequence[Step]]
    """The steps of each job of the array."""

    @property
    def steps(self) -> list[Step]:
        """The steps of all jobs."""
        return [step for job in self.jobs for step in job]


def arrays(todo: Iterable[Step], cluster: Cluster, largest: int) -> list[Array]:
    """Arrays of at most `largest` jobs that hold every step of `todo` once.

    Args:
        todo: steps, inputs before what reads them. An input that is not among them is not waited
            for here.
    """
    numbers: dict[tuple[str, frozenset[int]], int] = {}
    kind_of: dict[str, int] = {}
    members: dict[int, list[Step]] = defaultdict(list)
    for step in todo:
        inputs = frozenset(kind_of[i] for i in step.inputs.values() if i in kind_of)
        kind = kind_of[step.identity] = numbers.setdefault((step.name, inputs), len(numbers))
        members[kind].append(step)
    # A kind is numbered when its first step comes, so after the kinds that this step reads.
    return [
        Array(steps[0].name, jobs)
        for _, steps in sorted(members.items())
        for jobs in _pieces(_pieces(steps, cluster.of(steps[0].name).steps), largest)
    ]


def _pieces(items: Sequence[T], size: int) -> list[Sequence[T]]:
    return [items[start : start + size] for start in range(0, len(items), size)]
