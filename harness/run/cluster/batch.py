"""Any scheduler, by the words that it is spoken to in: templates of commands and of one file."""

from __future__ import annotations

import getpass
import pickle
import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Formatter

from harness.errors import EvidenceError, UserError
from harness.plan.step import Json
from harness.run.cluster.arrays import Array
from harness.run.cluster.resources import Cluster, Resources
from harness.run.cluster.scheduler import array_of, ask
from harness.run.cluster.submission import Submission
from harness.run.cluster.worker import JobWork, environment_lines


class Batches:
    """Satisfies `Scheduler`. A job's state is that of its array, of which the scheduler is asked.

    Raises UserError where the cluster file has no table `batch`.
    """

    def __init__(self, cluster: Cluster) -> None:
        if cluster.batch is None:
            raise UserError(
                "--executor batch needs to know the scheduler: give a --cluster file with a table "
                'such as [batch] preset = "pbs" (or lsf, sge, htcondor, flux, skypilot)'
            )
        self._cluster = cluster
        self._batch = cluster.batch
        self.kept: Mapping[str, Json] = {"batch": self._batch.model_dump(exclude={"preset"})}
        self.waits = any("after" in _names(line) for line in self._batch.lines)

    def largest_array(self) -> int:
        """See `Scheduler.largest_array`."""
        return self._batch.largest_array

    def job_states(self) -> dict[str, str]:
        """See `Scheduler.job_states`. What has ended is not in it."""
        command = _words(self._batch.alive, user=getpass.getuser())
        lines = ask(command, self._batch.nothing).splitlines()
        found = (re.search(self._batch.living, line) for line in lines)
        return {match[1]: "alive" for match in found if match}

    def cancel(self, jobs: Sequence[str]) -> None:
        """See `Scheduler.cancel`."""
        for job in jobs:
            ask(_words(self._batch.cancel, job=job))

    def queue(
        self,
        array: Array,
        works: Sequence[JobWork],
        submission: Submission,
        number: int,
        after: Sequence[str],
    ) -> list[str]:
        """See `Scheduler.queue`."""
        place = submission.folder.resolve()
        (place / "jobs").mkdir(exist_ok=True)
        base = place / "jobs" / str(number)
        resources = self._cluster.of(array.step)
        base.with_suffix(".pickle").write_bytes(pickle.dumps(list(works)))
        base.with_suffix(".sh").write_text(program(resources, place / "code", base))
        values = _values(resources, array.step, len(works), base) | {"after": self._after(after)}
        script = base.with_suffix(".batch")
        script.write_text("\n".join(filled(self._batch.lines, values, resources.options)) + "\n")
        said = ask(_words(self._batch.submit, script=str(script)))
        found = re.search(self._batch.id, said)
        if found is None:
            raise EvidenceError(
                f"no job's name in what the scheduler said: {said.strip()!r}; it may have queued "
                "the job: end it by hand, and mend the pattern batch.id"
            )
        return [f"{found[1]}_{index}" for index in range(len(works))]

    def _after(self, jobs: Sequence[str]) -> str | None:
        named = sorted({array_of(job) for job in jobs})
        return self._batch.between.join(self._batch.after.format(job=job) for job in named) or None


def program(resources: Resources, code: Path, base: Path) -> str:
    """The shell script of the jobs of an array. Its first argument is the index of one, from 0."""
    worker = [sys.executable, "-m", "harness.run.cluster.worker", f"{base}.pickle"]
    lines = [
        "#!/bin/sh",
        f'exec >> {shlex.quote(str(base))}-"$1".log 2>&1',
        *environment_lines(resources.setup, code),
        f'exec {shlex.join(worker)} "$1" {resources.tasks}',
    ]
    return "\n".join(lines) + "\n"


def filled(lines: Sequence[str], values: Mapping[str, object], options: Sequence[str]) -> list[str]:
    """The lines of the file that is submitted, as `Batch.lines` says."""
    found: list[str] = []
    for line in lines:
        names = _names(line)
        unknown = names - values.keys() - {"option"}
        if unknown:
            known = ", ".join(sorted([*values, "option"]))
            raise UserError(f"batch.lines: {line!r}: no value {min(unknown)!r}; there are {known}")
        if any(values.get(name, "") is None for name in names):
            continue
        each = options if "option" in names else [""]
        found += [line.format(**values, option=option) for option in each]
    return found


def _values(resources: Resources, step: str, jobs: int, base: Path) -> dict[str, object]:
    cpus = resources.tasks * resources.cpus_per_task
    gpus = resources.tasks * resources.gpus_per_task
    return {
        "name": f"repro-{step}",
        "run": f"/bin/sh {shlex.quote(str(base))}.sh",
        "script": f"{base}.sh",
        "out": f"{base}.out",
        "jobs": jobs,
        "last": jobs - 1 if jobs > 1 else None,
        "at_once": resources.at_once,
        "partition": resources.partition,
        "minutes": resources.minutes,
        "seconds": 60 * resources.minutes,
        "cpus": cpus,
        "slots": cpus if cpus > 1 else None,
        "gpus": gpus or None,
        "memory_mb": resources.memory_mb,
    }


def _names(line: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(line) if name}


def _words(command: str, **values: str) -> list[str]:
    return [word.format(**values) for word in shlex.split(command)]
