"""Which steps one program can do together: equal but for their seeds and what they read."""

from __future__ import annotations

from collections.abc import Iterable

from harness.plan.identity import digest
from harness.plan.step import Json, Step


def programs(steps: Iterable[Step]) -> dict[str, str]:
    """Identity of each step that can be fused with others of its kind -> name of their program."""
    digests: dict[int, str] = {}
    found = {}
    for step in steps:
        if step.fused:
            # All seeds of a step share its parameters, which are put into words once.
            if id(step.params) not in digests:
                digests[id(step.params)] = digest("params", dict(step.params))
            inputs: list[Json] = [*sorted(step.inputs)]
            common: Json = [step.name, step.revision, digests[id(step.params)], inputs]
            found[step.identity] = f"{step.name} {digest('program', common)[:12]}"
    return found
