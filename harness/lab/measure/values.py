"""The numbers that the measurements read and make."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from harness.later import np
from harness.plan.step import StepInput

if TYPE_CHECKING:
    from numpy.typing import NDArray

Floats: TypeAlias = "NDArray[np.float64]"


def number(given: StepInput, name: str) -> float:
    """A value of a record that is a number."""
    value = given.values[name]
    assert isinstance(value, int | float)
    return float(value)
