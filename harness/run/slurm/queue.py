"""Calls of Slurm's own commands. The accounting database is never asked: many have none."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence

from harness.errors import EvidenceError, UserError

_ENDED = {
    "BOOT_FAIL",
    "CANCELLED",
    "COMPLETED",
    "DEADLINE",
    "FAILED",
    "NODE_FAIL",
    "OUT_OF_MEMORY",
    "PREEMPTED",
    "REVOKED",
    "TIMEOUT",
}


class SlurmSilent(EvidenceError):
    """The controller does not answer, so nothing is known of any job."""


def job_states() -> dict[str, str]:
    """Job -> state, such as `PENDING`, of what the controller still knows of this user's jobs.

    An element of an array is `number_index`. Jobs that ended minutes ago are not in it any more.

    Raises:
        UserError: Slurm is not installed here.
        SlurmSilent: it does not answer.
    """
    lines = _slurm(
        ["squeue", "--me", "--noheader", "--array", "--states=all", "--format=%i|%T"]
    ).splitlines()
    return dict(line.split("|", 1) for line in lines)


def ended(state: str | None) -> bool:
    """Whether a job with this state will do no more. One that is not known any more will not."""
    return state is None or state in _ENDED


def cancel(jobs: Sequence[str]) -> None:
    """End jobs, queued or running. Arrays go as a whole. Raises as `job_states` does."""
    if jobs:
        _slurm(["scancel", *jobs])


def largest_array() -> int:
    """How many jobs the cluster takes in one array. Raises as `job_states` does."""
    found = re.search(r"^MaxArraySize\s*=\s*(\d+)", _slurm(["scontrol", "show", "config"]), re.M)
    return int(found[1]) if found else 1001


def _slurm(command: Sequence[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except FileNotFoundError:
        raise UserError(
            f"{command[0]} is not here; submit, look and cancel where Slurm's commands are, "
            "or use another --executor"
        ) from None
    except subprocess.TimeoutExpired:
        raise SlurmSilent(f"{command[0]} had no answer in a minute; try again later") from None
    if done.returncode:
        said = " ".join(done.stderr.split())
        raise SlurmSilent(f"{command[0]} failed: {said}; try again when Slurm answers")
    return done.stdout
