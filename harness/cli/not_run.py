"""Why numbers are not there and will not come by themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.cli.output import console
from harness.cli.project import Project
from harness.plan.exhibit import ExhibitPlan
from harness.run.state import failures_behind


def reasons_not_run(project: Project, planned: ExhibitPlan) -> dict[str, list[str]]:
    """Reason -> the addresses of the numbers: what their specs say, or the failure of a step."""
    failed = failures_behind(planned.steps, project.store)
    found: dict[str, list[str]] = {}
    for item in planned.items:
        behind = [failed[identity] for identity in item.identities if identity in failed]
        reasons = {f"Step {failure.step} failed: {failure.message}" for failure in behind}
        for reason in sorted(reasons) if item.identities else [item.reason]:
            found.setdefault(reason, []).append(str(item.address))
    return found


def print_not_run(reasons: Mapping[str, Sequence[str]]) -> None:
    """One line for each reason."""
    for reason, addresses in reasons.items():
        console().print(f"Not run: {', '.join(addresses)}. {reason}", soft_wrap=True)
