"""Submissions in the store: one folder each time.

slurm/<number>/code/          the code that its jobs run
               jobs/          submitit's: scripts, arguments, logs
               arrays/        one file an array: its job and its steps
               request.json   what was asked for; written when all arrays are queued
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

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
    """Slurm's number of the array."""
    step: str
    jobs: Mapping[str, Sequence[Queued]]
    """Slurm's number of each job -> its steps."""
    cancelled: bool = False


class Submission:
    """One folder."""

    def __init__(self, root: Path, folder: Path) -> None:
        self._root = root
        self.folder = folder

    @classmethod
    def new(cls, store: Store) -> Submission:
        """A folder that nobody else has."""
        place = store.root / "slurm"
        place.mkdir(parents=True, exist_ok=True)
        number = 1 + max(_numbers(place), default=0)
        while True:
            try:
                (place / str(number)).mkdir()
                break
            except FileExistsError:
                number += 1
        return cls(store.root, place / str(number))

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

    def log(self, job: str) -> str:
        """The end of what the workers of a job wrote."""
        texts = [
            path.read_text(encoding="utf-8", errors="replace")[-4000:]
            for path in sorted((self.folder / "jobs").glob(f"{job}_*_log.err"))
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
                "its jobs with scancel, delete the folder, and submit again"
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
