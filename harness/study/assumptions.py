"""The choices that an exhibit rests on and that the paper does not state."""

from __future__ import annotations

from harness.plan.exhibit import ExhibitPlan
from harness.plan.settings import Shared, open_choices


def assumptions_of(planned: ExhibitPlan) -> tuple[Shared, ...]:
    """Every setting that is used and not the paper's, once for each of its values, by name."""
    return tuple(open_choices(used for item in planned.items for used in item.settings))
