"""What the declarations of steps share: a step's names, and what passes through a network cost.

Neither torch nor numpy is imported here, so that planning stays cheap.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from harness.lab.recipe import DatasetRef
from harness.plan.step import Facts, Json, StepParams, StepType, Work

LATER_OF_DATASETS: Mapping[str, Json] = {"dataset.short_side": 0}
"""Fields of a step's `dataset` that came later: at these values they are in no identity."""


def alone(params: Any) -> str:
    """No module does several such steps at once."""
    return ""


def declare(
    name: str,
    module: str,
    params: type[StepParams],
    cost: Callable[[Any, Facts], Work],
    inputs: tuple[str, ...] = (),
    revision: int = 1,
    neutral: Mapping[str, Json] | None = None,
    fused: Callable[[Any], str] = alone,
) -> StepType:
    """A step done by the function of its own name in `module`, a dotted path below the lab.

    Its probe has that name too, in the module `probes` beside it; and what does several at once, in
    the module that `fused` names, if any.
    """
    package = module.rpartition(".")[0]
    later = LATER_OF_DATASETS if "dataset" in params.model_fields else {}
    return StepType(
        name=name,
        params=params,
        function=f"harness.lab.{module}:{name}",
        inputs=inputs,
        revision=revision,
        cost=cost,
        probe=f"harness.lab.{package}.probes:{name}",
        neutral=later | dict(neutral or {}),
        fused=lambda given: f"harness.lab.{place}:{name}" if (place := fused(given)) else "",
    )


def passes(
    facts: Facts,
    network: str,
    dataset: DatasetRef,
    trained: int,
    scored: int,
    precision: str = "float32",
) -> Work:
    """Examples that a network is trained on, and examples that it scores.

    A training pass costs three forward passes: forward, and twice that backward.
    """
    flops = (3 * trained + scored) * facts.forward_flops(network, dataset.resolution)
    return Work(trained + scored, flops, half=flops if precision == "bfloat16" else 0.0)


def no_work(params: StepParams, facts: Facts) -> Work:
    """Array arithmetic: no pass through a network."""
    return Work(samples=0, flops=0)
