"""Resources that jobs ask of a cluster: a TOML file, with other answers for some kinds of steps."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from pydantic import (
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    field_validator,
    model_validator,
)

from harness.errors import nearest
from harness.spec.base import Misplaced, Scalar, SpecModel

_OURS = ("array", "dependency", "error", "nodes", "ntasks-per-node", "open-mode", "output")
"""Options of sbatch that this package sets, and that nobody else may."""


class Resources(SpecModel):
    """The resources of one allocation, and how much it is given to do."""

    partition: str | None = None
    """The cluster's default partition if there is none."""
    minutes: PositiveInt = 60
    """Time limit of an allocation. One that runs into it is queued again, and goes on."""
    tasks: PositiveInt = 1
    """Worker processes in one allocation, on one node. They share its steps."""
    steps: PositiveInt = 1
    """Steps that one allocation is given."""
    cpus_per_task: PositiveInt = 1
    gpus_per_task: NonNegativeInt = 0
    """A worker uses the first GPU that it sees, if it is given any."""
    memory_gb: PositiveFloat | None = None
    """Memory of the node that an allocation gets."""
    at_once: PositiveInt | None = None
    """Allocations of one array that may run at the same time; as many as the cluster lets, if
    there is none."""
    setup: tuple[str, ...] = ()
    """Lines of shell that run before the workers, such as `module load cuda`."""
    sbatch: Mapping[str, Scalar] = {}
    """Any other option of sbatch, by its long name: `account = "lab"`, `exclusive = true`."""

    options: tuple[str, ...] = ()
    """Batch: further options of the jobs, each a line of its own behind the scheduler's mark."""

    @property
    def memory_mb(self) -> int | None:
        """Memory in MiB, if any is asked for."""
        return round(self.memory_gb * 1024) if self.memory_gb else None

    @field_validator("sbatch")
    @classmethod
    def _not_ours(cls, sbatch: Mapping[str, Scalar]) -> Mapping[str, Scalar]:
        for name in sbatch:
            if name in _OURS:
                raise Misplaced(f"'{name}' is set by the harness, and cannot be chosen", name)
        return sbatch


class Batch(SpecModel):
    """The words of a scheduler. What is left out comes from the preset.

    Commands are split into words as a shell does, and run without one.
    """

    preset: str | None = None
    """A scheduler that is known: `pbs`, `lsf`, `sge`, `htcondor`, `flux` or
    `skypilot`."""
    submit: str
    """Command that queues a file: `qsub {script}`."""
    id: str
    """Regular expression, with the job's name as its only group, in what `submit` prints."""
    alive: str
    """Command that lists jobs that have not ended; `{user}` is who asks."""
    living: str
    """Regular expression, with a job's name as its only group, for one line of that list."""
    nothing: str | None = None
    """What `alive` says where it fails for want of jobs."""
    cancel: str
    """Command that ends a job, or an array as a whole: `qdel {job}`."""
    lines: tuple[str, ...]
    """The file that is submitted. A line with a value that there is none of is left out; one with
    `{option}` comes once for each option. `{run}` runs a job, and is given its index from 0."""
    after: str = "{job}"
    """How one job is named that an array waits for."""
    between: str = ","
    """What stands between several of these."""
    largest_array: PositiveInt = 1000
    """1 where the scheduler has no arrays."""

    @model_validator(mode="before")
    @classmethod
    def _with_preset(cls, given: Any) -> Any:
        if not isinstance(given, Mapping) or not isinstance(given.get("preset"), str):
            return given
        text = (files("harness.run.cluster") / "presets.toml").read_text(encoding="utf-8")
        known = tomllib.loads(text)
        if given["preset"] not in known:
            found = nearest(given["preset"], known)
            raise Misplaced(f"unknown scheduler '{given['preset']}'; {found}", "preset")
        return known[given["preset"]] | dict(given)

    @field_validator("id", "living")
    @classmethod
    def _one_group(cls, pattern: str) -> str:
        try:
            groups = re.compile(pattern).groups
        except re.error as error:
            raise ValueError(f"no regular expression: {error}") from None
        if groups != 1:
            raise ValueError(f"has {groups} groups; the name of the job must be its only one")
        return pattern


class Cluster(Resources):
    """The whole file."""

    batch: Batch | None = None
    """The scheduler's words, for --executor batch."""

    requeues: NonNegativeInt = 20
    """How often one job may run into its time limit and be queued again."""
    kinds: Mapping[str, Resources] = {}
    """Step name -> what differs for steps of that kind."""

    def of(self, step: str) -> Resources:
        """The resources that jobs with steps of one kind ask for."""
        own = self.kinds.get(step, Resources())
        return self.model_copy(update={name: getattr(own, name) for name in own.model_fields_set})
