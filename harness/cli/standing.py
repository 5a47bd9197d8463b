"""How submissions to a cluster stand, for machines and for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.run.slurm.look import Standing


def standings_json(standings: Sequence[Standing]) -> list[dict[str, Any]]:
    """How many steps of each submission stand how."""
    return [
        {"submission": standing.submission.name, "over": standing.over, **standing.counts()}
        for standing in standings
    ]


def standing_lines(standings: Sequence[Standing]) -> list[str]:
    """The same for people."""
    return [
        f"submission {standing.submission.name}: "
        + ", ".join(f"{count} {kind}" for kind, count in standing.counts().items() if count)
        for standing in standings
    ]
