"""A bundle audited by a draw: some of its records are run again, and what that proves is stated.

Whoever checks chooses a nonce once the bundle is closed, so that nobody who made it can know which
records will be drawn. Without replacement, K of N records meet at least one of F forged ones with
probability 1 - C(N - F, K) / C(N, K), the hypergeometric distribution.
"""

from __future__ import annotations

import math
import tempfile
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Literal

from harness.errors import EvidenceError, UserError
from harness.formats.crate import DIGESTS, digests
from harness.plan.parts import closure
from harness.plan.step import Json, Step
from harness.store.published import Published
from harness.store.record import Record
from harness.study.exhibits import Request, plan_of
from harness.study.make import failures, run
from harness.study.project import Project
from harness.words import counted

Found = Literal["equal", "within", "differs", "failed"]
SURE = 0.95
TOLERANCE = 0.1
"""By default: of fractions of right answers, ten points either way. On two threads, trainings
on a few hundred small images came out up to 7.6 points apart (`benchmarks/bundle.py`)."""


@dataclass(frozen=True)
class Checked:
    """One record that was drawn, beside what its step left here."""

    record: Record
    again: Mapping[str, Json]
    """Values of the run here; empty where it failed."""
    found: Found
    """`equal`: the same values and outputs to the bit; `within`: what numbers are read
    from is inside the tolerance."""


@dataclass(frozen=True)
class Audited:
    """What an audit by a draw found."""

    nonce: str
    tolerance: float
    population: int
    """Records that numbers of the bundle's exhibits are read from; these alone are drawn, and what
    a drawn one follows from is run again with it."""
    checked: Sequence[Checked]
    problems: Sequence[str]
    """Failures of steps, in whole messages."""

    @property
    def passed(self) -> bool:
        return all(each.found in ("equal", "within") for each in self.checked)

    @property
    def bound(self) -> int:
        """How many forged records would have been met with 95 %: where all passed, there are fewer.

        One more than the population where even that many would not.
        """
        return met_with(SURE, self.population, len(self.checked))


def draw(identities: Iterable[str], nonce: str, count: int) -> list[str]:
    """So many of the identities: the first by the SHA-256 of the nonce and each of them."""
    return sorted(identities, key=lambda i: sha256(f"{nonce}:{i}".encode()).digest())[:count]


def detection(population: int, forged: int, drawn: int) -> float:
    """Probability that a draw without replacement meets one of the forged records at least."""
    return 1 - math.comb(population - forged, drawn) / math.comb(population, drawn)


def met_with(sure: float, population: int, drawn: int) -> int:
    """The fewest forged records that a draw meets with such a probability."""
    counts = range(population + 1)
    return next((f for f in counts if detection(population, f, drawn) >= sure), population + 1)


def audit_bundle(
    project: Project,
    folder: Path,
    nonce: str,
    count: int,
    tolerance: float = TOLERANCE,
    executor: str = "local",
    device: str = "auto",
) -> Audited:
    """Run some records of a bundle again, with all that they follow from, in a store of its own.

    Args:
        nonce: chosen by whoever checks, after the bundle was closed.
        count: how many records are drawn; all where there are fewer.
        tolerance: how far a value may be from that of the bundle, absolute below 1 and relative
            above, where it is not equal to the bit.
        executor: `inline` or `local`.

    Raises:
        EvidenceError: a file of the bundle is not the one of its list, or a record disagrees with
            itself.
        UserError: the specs here lead to none of its records.
    """
    project.trust()
    check_digests(folder)
    published = Published(folder)
    steps, numbers = numbers_of(project, published)
    if not numbers:
        raise UserError(
            f"{folder}: the specs here lead to none of its records; audit it with the specs and "
            "the code that it holds"
        )
    chosen = draw(numbers, nonce, count)
    with tempfile.TemporaryDirectory() as place:
        # Nothing of the bundle, nor of what is published here, stands in for a run.
        apart = replace(project, root=Path(place) / "store", published=Path(place) / "none")
        graph = closure(steps, chosen)
        report = run(apart, graph, (), executor, device)
        checked = [
            compare(published.records[i], apart.store.get(i), tolerance, numbers[i]) for i in chosen
        ]
    problems = () if report.complete else (failures(report, graph),)
    return Audited(nonce, tolerance, len(numbers), checked, problems)


def check_digests(folder: Path) -> None:
    """Raise EvidenceError unless a bundle's files are those of its list; an export has no list."""
    path = folder / DIGESTS
    if not path.is_file():
        return
    lines = path.read_text(encoding="utf-8").splitlines()
    listed = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    found = digests(folder)
    wrong = sorted(n for n in listed.keys() | found.keys() if listed.get(n) != found.get(n))
    if wrong:
        wrong_files = counted(len(wrong), "file differs", "files differ")
        raise EvidenceError(
            f"{folder / wrong[0]}: not the file that {DIGESTS} lists ({wrong_files}); "
            "ask for the bundle anew"
        )


def compare(
    record: Record, again: Record | None, tolerance: float, names: Collection[str] = ()
) -> Checked:
    """A record of a bundle beside the one that its step left here.

    Args:
        names: values that numbers are read from, which alone are compared where it has any.
            Elsewhere, others may differ by more: a loss by more than an accuracy.
    """
    if again is None:
        return Checked(record, {}, "failed")
    read = [name for name in record.values if name in names] or list(record.values)
    alike = again.values.keys() == record.values.keys() and all(
        _close(record.values[name], again.values[name], tolerance) for name in read
    )
    found: Found = "equal" if again.digest == record.digest else "within" if alike else "differs"
    return Checked(record, again.values, found)


def _close(theirs: Json, ours: Json, tolerance: float) -> bool:
    if isinstance(theirs, int | float) and isinstance(ours, int | float):
        return abs(theirs - ours) <= tolerance * max(1.0, abs(theirs))
    return theirs == ours


def numbers_of(
    project: Project, published: Published
) -> tuple[dict[str, Step], dict[str, set[str]]]:
    """The steps of a bundle's exhibits, and which values of its records numbers are read from."""
    steps: dict[str, Step] = {}
    numbers: dict[str, set[str]] = defaultdict(set)
    for exhibit, profile in sorted(key.split("@") for key in published.answers):
        planned = plan_of(project, exhibit, Request(profile))
        steps |= planned.steps
        for item in planned.items:
            read = planned.exhibit.readings(item.address.row, item.address.column).values
            for identity in published.identities.intersection(item.identities):
                numbers[identity].update(quantity.value for quantity in read)
    return steps, numbers
