"""Declares steps whose function and probe are named by dotted texts.

Only until every step is declared by `harness.plan.step.declare`, beside its function and probe.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.lab.cost import no_work, passes
from harness.plan.step import Facts, StepParams, StepType, Work

__all__ = ["declare", "no_work", "passes"]


def declare(
    name: str,
    module: str,
    params: type[StepParams],
    cost: Callable[[Any, Facts], Work],
    inputs: tuple[str, ...] = (),
    revision: int = 1,
    fused: Callable[[Any], str] = lambda params: "",
) -> StepType:
    """A step done by the function of its own name in `module`, a dotted path below the lab.

    Its probe has that name too, in the module `probes` beside it; and what does several at once, in
    the module that `fused` names, if any.
    """
    package = module.rpartition(".")[0]
    return StepType(
        name=name,
        params=params,
        function=f"harness.lab.{module}:{name}",
        inputs=inputs,
        revision=revision,
        cost=cost,
        probe=f"harness.lab.{package}.probes:{name}",
        fused=lambda given: f"harness.lab.{place}:{name}" if (place := fused(given)) else "",
    )
