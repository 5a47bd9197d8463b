"""The step types of a paper, found by the module that `paper.toml` names."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib import import_module

from harness.errors import UserError, nearest
from harness.plan.program import PROGRAM
from harness.plan.step import StepType
from harness.spec.paper import Paper
from harness.spec.toml import located


def step_types(paper: Paper) -> Mapping[str, StepType]:
    """Step name -> its type, of the paper's own steps and of those that are built in.

    Raises:
        SpecError: the module is missing or lists no steps.
    """
    return {PROGRAM.name: PROGRAM, **own_step_types(paper)}


def own_step_types(paper: Paper) -> Mapping[str, StepType]:
    """Step name -> its type, of the module that the paper names; none where it names none.

    Raises:
        SpecError: the module is missing or lists no steps.
    """
    if not paper.about.steps:
        return {}
    try:
        return _listed(paper.about.steps)
    except (ImportError, AttributeError) as error:
        raise located(
            paper.root / "paper.toml",
            ["steps"],
            f"{error}; expected an importable module with a tuple STEPS of step types",
        ) from None


@lru_cache
def _listed(module: str) -> Mapping[str, StepType]:
    return {step.name: step for step in import_module(module).STEPS}


def find(types: Mapping[str, StepType], name: str) -> StepType:
    if name not in types:
        raise UserError(f"unknown step '{name}'; {nearest(name, types)}")
    return types[name]
