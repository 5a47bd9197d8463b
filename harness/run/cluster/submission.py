"""Submissions in the store: one folder each time.

slurm/<number>/code/          the code that its jobs run
               scheduler.json the executor, and what of the cluster file it needs again
               jobs/          scripts, arguments, logs
               arrays/        one file an array: its job and its steps
               request.json   what was asked for; written when all arrays are queued

The folder bears the name of the first scheduler, whichever it is.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import cached_property
from glob import escape
from pathlib import Path
from typing import Any

from harness.errors import EvidenceError
from harness.plan.step import Json
from harness.store.digest import canonical
from harness.store.files import read_json, write_atomic
from harness.store.store import Store


@dataclass(frozen=True, slots=True)
class Queued:
    """A step that was submitted."""

    identity: str
    inputs: Sequence[str]
    """Identities of what it reads."""


@dataclass(frozen=True, slots=True)
class QueuedArray:
    """An array that was submitted."""

    job: str
    """The scheduler's name of the array."""
    step: str
    jobs: Mapping[str, Sequence[Queued]]
    """The name of each job -> its steps. An element of an array is `array_index`."""
    cancelled: bool = False


class Submission:
    """One folder."""

    def __init__(self, root: Path, folder: Path) -> None:
        self._root = root
        self.folder = folder

    @classmethod
    def new(cls, store: Store, executor: str, kept: Mapping[str, Json]) -> Submission:
        """A folder that nobody else has, of one executor."""
        place = store.root / "slurm"
        place.mkdir(parents=True, exist_ok=True)
        number = 1 + max(_numbers(place), default=0)
        while True:
            try:
                (place / str(number)).mkdir()
                break
            except FileExistsError:
                number += 1
        made = cls(store.root, place / str(number))
        told = canonical({"executor": executor, "kept": dict(kept)})
        write_atomic(store.root, made.folder / "scheduler.json", told)
        return made

    @property
    def executor(self) -> str:
        """The executor that it went to."""
        return str(self._scheduler.get("executor", "slurm"))

    @property
    def kept(self) -> Mapping[str, Json]:
        """What of the cluster file its scheduler needs again."""
        kept: Mapping[str, Json] = self._scheduler.get("kept", {})
        return kept

    @cached_property
    def _scheduler(self) -> Mapping[str, Any]:
        with suppress(FileNotFoundError), self._readable("scheduler.json"):
            return dict(read_json(self.folder / "scheduler.json"))
        return {}  # submitted when there was only Slurm

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def complete(self) -> bool:
        """Whether it will get no more arrays."""
        return (self.folder / "request.json").exists()

    @property
    def request(self) -> dict[str, Json]:
        """The request; empty while it is not complete."""
        if not self.complete:
            return {}
        with self._readable("request.json"):
            asked: dict[str, Json] = dict(read_json(self.folder / "request.json"))
        return asked

    def finish(self, request: Mapping[str, Json]) -> None:
        """Say that every array is queued, and what was asked for."""
        write_atomic(self._root, self.folder / "request.json", canonical(request))

    def arrays(self) -> list[QueuedArray]:
        """Every array, in the order in which they were submitted; none once it is removed."""
        found: list[QueuedArray] = []
        with suppress(FileNotFoundError):
            while True:
                with self._readable(f"arrays/{len(found)}.json"):
                    found.append(_parsed(self._array(len(found))))
        return found

    def put(self, number: int, array: QueuedArray) -> None:
        """Keep what is known of one array."""
        write_atomic(self._root, self._array(number), canonical(asdict(array)))

    def log(self, job: str, number: int, place: int) -> str:
        """The end of what the workers of a job wrote, which is in a place of an array's number."""
        jobs = self.folder / "jobs"
        files = [*sorted(jobs.glob(f"{escape(job)}_*_log.err")), jobs / f"{number}-{place}.log"]
        texts = [
            path.read_text(encoding="utf-8", errors="replace")[-4000:]
            for path in files
            if path.exists()
        ]
        return "\n".join(text for text in texts if text)

    def remove(self) -> None:
        """Forget it; its records stay."""
        shutil.rmtree(self.folder)

    @contextmanager
    def _readable(self, name: str) -> Iterator[None]:
        try:
            yield
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            raise EvidenceError(
                f"{self.folder}: {name} cannot be read ({error}); records are not concerned: end "
                "its jobs by the scheduler's own command, delete the folder, and submit again"
            ) from None

    def _array(self, number: int) -> Path:
        return self.folder / "arrays" / f"{number}.json"


def submissions(store: Store) -> Iterator[Submission]:
    """The submissions that are not collected, oldest first."""
    place = store.root / "slurm"
    if place.is_dir():
        for number in sorted(_numbers(place)):
            yield Submission(store.root, place / str(number))


def _numbers(place: Path) -> list[int]:
    return [int(path.name) for path in place.iterdir() if path.name.isdecimal()]


def _parsed(path: Path) -> QueuedArray:
    fields = dict(read_json(path))
    jobs = {job: [Queued(**step) for step in steps] for job, steps in fields.pop("jobs").items()}
    return QueuedArray(jobs=jobs, **fields)
