"""Steps as templates: what a method or a recipe does, with variables to fill in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from harness.spec.base import Bound, Name, SpecModel

Replicate = Literal["seed", "pipeline"]
"""What is done again for each run. `seed`: the steps that take the student seed. `pipeline`: every
step, so that each run has a selection, a teacher and a set of its own."""


class StepTemplate(SpecModel):
    """One step of a method or of a recipe.

    In `params`, a text `{name}` or `{name.field}` stands for a variable, and a table with the one
    key `product`, `min`, `max` or `rounded_ratio` for that function of the numbers in its list.
    """

    id: Name
    step: str
    """A step type of the paper's step library."""
    inputs: Mapping[str, str] = {}
    """Input name -> id of an earlier step here, or `{images}`: the last step of the method. Of an
    input that may come many times, `name.0`, `name.1` and so on."""
    params: Mapping[str, Any] = {}
    seed: int | Literal["{seed}"] = 0
    """0: done once for all seeds, unless pipelines are replicated. `{seed}`: drawn anew with each
    student seed."""
    when: Mapping[str, tuple[Bound, ...]] = {}
    """Variable -> values for which the step is done at all; empty means always."""
