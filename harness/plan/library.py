"""The step types of a paper, found by the module that `paper.toml` names."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib import import_module

from harness.errors import UserError, nearest
from harness.plan.step import StepType


@lru_cache
def step_types(module: str) -> Mapping[str, StepType]:
    """Step name -> its type.

    Raises:
        UserError: the module is missing or lists no steps.
    """
    try:
        listed: tuple[StepType, ...] = import_module(module).STEPS
    except (ImportError, AttributeError) as error:
        raise UserError(
            f"paper.toml: steps = '{module}': {error}; expected an importable module with a "
            "tuple STEPS of step types"
        ) from None
    return {step.name: step for step in listed}


def find(types: Mapping[str, StepType], name: str) -> StepType:
    if name not in types:
        raise UserError(f"unknown step '{name}'; {nearest(name, types)}")
    return types[name]
