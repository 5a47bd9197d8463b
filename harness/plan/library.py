"""The step types of a paper, found by the module that `paper.toml` names."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec

from harness.errors import EvidenceError, UserError, nearest
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


def check_installed(paper: Paper) -> None:
    """Look for the libraries that the module of the paper's steps lists as `NEEDS`.

    It maps the name by which a library is imported to what has to be installed.

    Raises:
        EvidenceError: one of them is missing; the message says how to install it.
    """
    own_step_types(paper)
    needs = getattr(import_module(paper.about.steps), "NEEDS", {}) if paper.about.steps else {}
    absent = [name for name in needs if find_spec(name) is None]
    if absent:
        wanted = " ".join(dict.fromkeys(f"'{needs[name]}'" for name in absent))
        raise EvidenceError(
            f"nothing was run: the paper's code needs {', '.join(absent)}; pip install {wanted}"
        )


@lru_cache
def _listed(module: str) -> Mapping[str, StepType]:
    return {step.name: step for step in import_module(module).STEPS}


def find(types: Mapping[str, StepType], name: str) -> StepType:
    if name not in types:
        raise UserError(f"unknown step '{name}'; {nearest(name, types)}")
    return types[name]
