"""How exhibits, claims and submissions are shown on a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from harness.cli.output import console

if TYPE_CHECKING:
    from harness.judge.outcomes import Judged
    from harness.run.slurm.look import Standing


def print_claims(claims: Sequence[Judged], profile: str) -> None:
    """Print claims with both of their outcomes; nothing where there are none."""
    from harness.render.claims import row_of, show

    if claims:
        show([row_of(item, profile) for item in claims], console())


def print_not_run(reasons: Mapping[str, Sequence[str]]) -> None:
    """Print one line for each reason why numbers are not there."""
    for reason, addresses in reasons.items():
        console().print(f"Not run: {', '.join(addresses)}. {reason}", soft_wrap=True)


def submission_lines(standings: Sequence[Standing]) -> list[str]:
    """How submissions to a cluster stand, a line for each."""
    return [
        f"submission {standing.submission.name}: "
        + ", ".join(f"{count} {kind}" for kind, count in standing.counts().items() if count)
        for standing in standings
    ]
