"""Parts of an exhibit by name: the whole, a row, a column or a cell, and the steps below them.

`EXHIBIT` is the whole, `EXHIBIT:ROW` a row or a panel, `EXHIBIT::COLUMN` a column, and
`EXHIBIT:ROW:COLUMN` a cell.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace

from harness.errors import UserError, nearest
from harness.plan.exhibit import ExhibitPlan
from harness.plan.item import Item
from harness.plan.step import Step


def exhibit_of(name: str) -> str:
    """The exhibit that a name is, or is a part of."""
    return name.partition(":")[0]


def steps_below(planned: ExhibitPlan, names: Iterable[str]) -> dict[str, Step]:
    """The steps of what the names of this exhibit name, inputs before the steps that read them.

    Raises:
        UserError: a name is no part of the exhibit.
    """
    own = [name for name in names if exhibit_of(name) == planned.exhibit.id]
    return closure(planned.steps, {i for name in own for i in _identities(planned, name)})


def closure(steps: Mapping[str, Step], wanted: Collection[str]) -> dict[str, Step]:
    """The wanted steps and all that they read, in the order of `steps`."""
    found = _behind(steps, wanted)
    return {identity: step for identity, step in steps.items() if identity in found}


def _behind(steps: Mapping[str, Step], wanted: Iterable[str]) -> set[str]:
    """The identities of `closure`, without a look at all other steps."""
    found: set[str] = set()
    left = list(wanted)
    while left:
        if (identity := left.pop()) not in found and identity in steps:
            found.add(identity)
            left += steps[identity].inputs.values()
    return found


def needed_for(plans: Iterable[ExhibitPlan], wanted: Collection[str]) -> dict[str, list[str]]:
    """Identity of a wanted step -> the addresses of the numbers that it is needed for."""
    found: dict[str, list[str]] = {identity: [] for identity in wanted}
    for plan in plans:
        behind = dict.fromkeys(plan.steps, 0)  # a bit for each number, since these may be many
        for index, item in enumerate(plan.items):
            for identity in item.identities:
                behind[identity] |= 1 << index
        names = [str(item.address) for item in plan.items]
        for identity in reversed(behind):  # inputs come first
            for source in plan.steps[identity].inputs.values():
                behind[source] |= behind[identity]
            if identity in found:
                bits = reversed(f"{behind[identity]:b}")
                found[identity] += [names[at] for at, bit in enumerate(bits) if bit == "1"]
    return found


def shared_steps(item: Item, steps: Mapping[str, Step]) -> tuple[str, ...]:
    """Names of the steps behind a cell that are done once for all of its seeds.

    None where all seeds lead to the same records, and are one run.
    """
    runs = {members for seeds in item.sources.values() for members in seeds}
    if len(runs) < 2:
        return ()
    shared = set.intersection(*(_behind(steps, members) for members in runs))
    return tuple(dict.fromkeys(step.name for i, step in steps.items() if i in shared))


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


def addresses(planned: ExhibitPlan, names: Iterable[str]) -> set[str]:
    """The addresses of the numbers that are, or belong to, the parts of these names."""
    return {str(item.address) for name in names for item in _items(planned, name)}


def part_of(planned: ExhibitPlan, names: Iterable[str]) -> ExhibitPlan:
    """A plan with those of its items alone that the names of this exhibit name."""
    own = [name for name in names if exhibit_of(name) == planned.exhibit.id]
    if planned.exhibit.id in own:
        return planned
    named = addresses(planned, own)
    return replace(planned, items=tuple(i for i in planned.items if str(i.address) in named))


def _identities(planned: ExhibitPlan, name: str) -> set[str]:
    if name == planned.exhibit.id:
        return set(planned.steps)
    return {identity for item in _items(planned, name) for identity in item.identities}


def _items(planned: ExhibitPlan, name: str) -> list[Item]:
    _, _, part = name.partition(":")
    row, _, column = part.partition(":")
    items = [
        item
        for item in planned.items
        if row in ("", item.address.row) and column in ("", item.address.column)
    ]
    if not items:
        raise UserError(f"unknown cell '{name}'; {nearest(name, _known(planned))}")
    return items


def _known(planned: ExhibitPlan) -> set[str]:
    """Every name of a part."""
    addresses = [item.address for item in planned.items]
    rows = {f"{address.exhibit}:{address.row}" for address in addresses}
    columns = {f"{address.exhibit}::{address.column}" for address in addresses}
    return rows | columns | {str(address) for address in addresses}
