"""The choices that an exhibit rests on and that the paper does not state."""

from __future__ import annotations

from harness.plan.exhibit import ExhibitPlan
from harness.plan.settings import Used


def assumptions_of(planned: ExhibitPlan) -> tuple[Used, ...]:
    """Every setting that is used and not the paper's, once for each of its values, by name."""
    used: dict[tuple[str, str], Used] = {}
    for item in planned.items:
        for setting in item.settings:
            if setting.choice.source != "paper":
                used.setdefault((setting.name, repr(setting.value)), setting)
    return tuple(setting for _, setting in sorted(used.items(), key=lambda each: each[0]))
