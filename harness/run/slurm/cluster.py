"""Resources that jobs ask of a cluster: a TOML file, with other answers for some kinds of steps."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import NonNegativeInt, PositiveFloat, PositiveInt, field_validator

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

    @field_validator("sbatch")
    @classmethod
    def _not_ours(cls, sbatch: Mapping[str, Scalar]) -> Mapping[str, Scalar]:
        for name in sbatch:
            if name in _OURS:
                raise Misplaced(f"'{name}' is set by the harness, and cannot be chosen", name)
        return sbatch


class Cluster(Resources):
    """The whole file."""

    requeues: NonNegativeInt = 20
    """How often one job may run into its time limit and be queued again."""
    kinds: Mapping[str, Resources] = {}
    """Step name -> what differs for steps of that kind."""

    def of(self, step: str) -> Resources:
        """The resources that jobs with steps of one kind ask for."""
        own = self.kinds.get(step, Resources())
        return self.model_copy(update={name: getattr(own, name) for name in own.model_fields_set})
