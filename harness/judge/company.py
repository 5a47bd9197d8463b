"""The runs behind a number: the kind of each, runs of one kind, and why some gave no number.

The kind of a run is its device, libraries and code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import starmap
from typing import TypeAlias

from harness.errors import UserError, require
from harness.plan.exhibit import ExhibitPlan
from harness.plan.item import Item
from harness.run.environment import PACKAGES
from harness.run.state import failures_behind
from harness.store.record import Record
from harness.store.store import Store
from harness.words import counted

NAMES = ("device", "code", "python", "platform", *PACKAGES)
"""What tells kinds of runs apart."""
Mixed: TypeAlias = Mapping[str, Mapping[str, tuple[int, ...]]]
"""What runs differ in -> each value of it -> the seeds whose runs have it."""
_CODE = 12
"""Digits of a fingerprint that are shown, and that suffice to name it."""
_SEEDS = 8


@dataclass(frozen=True, slots=True)
class OneKind:
    """Runs of one kind alone, such as those with `device=cpu`."""

    name: str
    value: str

    @classmethod
    def parse(cls, text: str) -> OneKind:
        """Read `NAME=VALUE`. UserError where it is something else, or the name is unknown."""
        name, equals, value = text.partition("=")
        if not (equals and value):
            raise UserError(f"--only {text}: expected NAME=VALUE, such as device=cpu")
        require(name, NAMES, f"--only {text}: runs have no '{name}'")
        return cls(name, value[:_CODE] if name == "code" else value)

    def takes(self, record: Record) -> bool:
        """Whether a record is of this kind. A device is told by its name, or as cpu or cuda."""
        if self.name == "device" and self.value in ("cpu", "cuda"):
            # Only on processors are threads counted.
            return (record.environment.get("threads") is not None) == (self.value == "cpu")
        return kind_of(record).get(self.name) == self.value

    def left_out(self, record: Record) -> str:
        """Why a record of another kind does not count."""
        return f"{self.name} is {kind_of(record).get(self.name, 'unknown')}, not {self.value}"


def kind_of(record: Record) -> dict[str, str]:
    """Name -> value, of `NAMES`, as far as the record says."""
    held = record.environment
    packages = held.get("packages")
    stated = {**held, **(packages if isinstance(packages, dict) else {})}
    found = {name: str(stated[name]) for name in NAMES if stated.get(name) is not None}
    return {**found, "code": record.code[:_CODE]}


def no_code_confirmed(_: Record) -> bool:
    """Nothing is known of the code of any record."""
    return False


def mixed(
    runs: Iterable[tuple[int, Record]], confirmed: Callable[[Record], bool] = no_code_confirmed
) -> Mixed:
    """In what the runs of a number differ; nothing where they are all of one kind.

    Args:
        runs: each seed with each record that is read for it. Code is compared step by step.
        confirmed: whether the code of a record is known to make the numbers of its step. All such
            code of a step counts as one.
    """
    listed = list(runs)
    codes = {(record.step, record.code) for _, record in listed}
    steps = {record.step for _, record in listed}
    first = listed[0][1].environment if listed else {}
    if len(codes) == len(steps) and all(r.environment == first for _, r in listed):
        return {}
    alike: dict[str, str] = {}
    found: dict[str, dict[str, dict[int, None]]] = {}
    stated = {name for _, record in listed for name in kind_of(record)}
    for seed, record in listed:
        kind = dict.fromkeys(sorted(stated), "unknown") | kind_of(record)
        if confirmed(record):
            kind["code"] = alike.setdefault(record.step, kind["code"])
        for name, value in kind.items():
            key = f"code of {record.step}" if name == "code" else name
            found.setdefault(key, {}).setdefault(value, {})[seed] = None
    return {
        name: {value: tuple(seeds) for value, seeds in values.items()}
        for name, values in found.items()
        if len(values) > 1
    }


def sentence(found: Mixed) -> str:
    """`Its runs differ in device (A: seeds 0, 1; B: seed 2).`; empty where they do not."""
    parts = (
        f"{name} ({'; '.join(starmap(_of_seeds, values.items()))})"
        for name, values in found.items()
    )
    return f"Its runs differ in {', '.join(parts)}." if found else ""


def _of_seeds(value: str, seeds: Sequence[int]) -> str:
    return f"{value}: {_seeds(seeds)}" if seeds else value


def _seeds(seeds: Sequence[int]) -> str:
    shown = ", ".join(map(str, seeds[:_SEEDS]))
    more = f" and {len(seeds) - _SEEDS} more" if len(seeds) > _SEEDS else ""
    return f"{'seed' if len(seeds) == 1 else 'seeds'} {shown}{more}"


NOT_RUN = "the others have not been run"


class Gaps:
    """What became of the seeds of a plan that have no usable record."""

    def __init__(self, plan: ExhibitPlan, store: Store, only: OneKind | None = None) -> None:
        self._store = store
        self._steps = plan.steps
        self._only = only
        self._failed = failures_behind(plan.steps, store)

    def of(self, item: Item, missing: frozenset[str]) -> dict[int, str]:
        """Seed -> why it has no number, for each seed that reads one of the missing steps."""
        found: dict[int, str] = {}
        for index, seed in enumerate(item.seeds):
            read = [i for seeds in item.sources.values() for i in seeds[index] if i in missing]
            if read:
                reasons = (self._reason(identity) for identity in read)
                found[seed] = next((why for why in reasons if why != NOT_RUN), NOT_RUN)
        return found

    def _reason(self, identity: str) -> str:
        if damage := self._store.unreadable(identity):
            return f"a record cannot be read, since {damage.reason}; {damage.remedy}"
        if failure := self._failed.get(identity):
            return f"step {failure.step} failed: {failure.message}"
        if record := self._store.get(identity):
            if not record.is_of(self._steps[identity]):
                return (
                    "a record says that it is of other work than its identity names; "
                    "`repro make` makes it anew"
                )
            if self._only:
                return f"the others are left out, since {self._only.left_out(record)}"
        return NOT_RUN


def shortfall(asked: int, complete: int, gaps: Mapping[int, str]) -> str:
    """`2 of 3 runs: step x failed: ...`; empty where no run is missing."""
    if not gaps:
        return ""
    return f"{complete} of {counted(asked, 'run')}: {'; '.join(dict.fromkeys(gaps.values()))}"
