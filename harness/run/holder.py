"""Who holds a step, told to whoever waits for it, so that no wait is silent."""

from __future__ import annotations

import pwd
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, TypeAlias

from harness.plan.step import Step
from harness.run.lease import LIMIT, lease_file
from harness.store.files import now_ns
from harness.store.owner import Owner
from harness.store.store import Store

PATIENCE = 5.0
"""Seconds of waiting before a word is said."""
_FRESH = 1.0
"""Seconds after which "another process holds it" is no news any more."""

Condition: TypeAlias = Literal["running", "stopped", "elsewhere"]


@dataclass(frozen=True)
class Holder:
    """A process that holds the lease of a step."""

    owner: Owner
    user: str
    condition: Condition
    """`stopped`: by SIGSTOP, or Ctrl-Z. `elsewhere`: on another host, which cannot be asked."""
    since: float | None
    """When it began the step, by its own clock; None where its log does not say."""
    silent: float
    """Seconds since its last sign of life."""

    def __str__(self) -> str:
        began = ""
        if self.since is not None:
            began = f", since {time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(self.since))}"
        return f"process {self.owner.pid} of {self.user} on {self.owner.host}{began}"

    @property
    def advice(self) -> str:
        """The state of the process, and what can be done about it."""
        pid = self.owner.pid
        if self.condition == "stopped":
            return (
                f"it is stopped: `kill -CONT {pid}` lets it go on, `kill -9 {pid}` frees the step"
            )
        if self.condition == "running":
            return f"nothing is to be done; `kill {pid}` would free the step"
        return (
            f"its last sign of life was {self.silent:.0f} s ago; after {LIMIT:.0f} s without one "
            "the step is free"
        )


def holders(store: Store, identities: Iterable[str]) -> dict[str, Holder]:
    """Of the steps named, those that somebody holds, and who."""
    owners = {i: owner for i in identities if (owner := _owner(store, i))}
    began = _began(store, owners) if owners else {}
    now = now_ns(store.root) if owners else 0
    found = {}
    for identity, owner in owners.items():
        with suppress(OSError):  # it has let go meanwhile
            stat = lease_file(store, identity).stat()
            silent = max(0, now - stat.st_mtime_ns) / 1e9
            condition = _condition(owner)
            found[identity] = Holder(
                owner, _user(stat.st_uid), condition, began.get(identity), silent
            )
    return found


class Waiting:
    """Steps of a run that others hold; says once of each who does, after a while."""

    def __init__(
        self, store: Store, say: Callable[[Step, int, Holder], None], patience: float = PATIENCE
    ) -> None:
        """`say` is told a step, how many more the same process holds, and the process."""
        self._store = store
        self._say = say
        self._patience = patience
        self._first: dict[str, float] = {}
        self._last: dict[str, float] = {}
        self._steps: dict[str, Step] = {}
        self._said: set[str] = set()

    def busy(self, step: Step) -> None:
        """Another process holds a step, as was just seen."""
        now = time.monotonic()
        self._steps[step.identity] = step
        self._first.setdefault(step.identity, now)
        self._last[step.identity] = now

    def over(self, identity: str) -> None:
        """A step is not waited for any more."""
        self._first.pop(identity, None)
        self._last.pop(identity, None)

    def waits(self, identity: str) -> bool:
        """Whether another process held a step a moment ago."""
        return time.monotonic() - self._last.get(identity, float("-inf")) < _FRESH

    def say(self) -> None:
        """Say for whom this run waits, where it has waited long and not said so."""
        now = time.monotonic()
        overdue = [
            identity
            for identity, first in self._first.items()
            if identity not in self._said and now - first >= self._patience
            if self.waits(identity)
        ]
        by_owner = defaultdict(list)
        for identity, holder in holders(self._store, overdue).items():
            self._said.add(identity)
            by_owner[holder.owner].append((identity, holder))
        for (identity, holder), *more in by_owner.values():
            self._say(self._steps[identity], len(more), holder)


def _owner(store: Store, identity: str) -> Owner | None:
    with suppress(OSError):
        text = lease_file(store, identity).read_text(encoding="utf-8", errors="replace")
        return Owner.parse(text)
    return None


def _began(store: Store, owners: dict[str, Owner]) -> dict[str, float]:
    """Identity -> when its owner last began it, by the log."""
    return {
        event["identity"]: event["time"]
        for event in store.events.read()
        if event["event"] == "start" and (owner := owners.get(event["identity"]))
        if (event.get("host"), event.get("pid")) == (owner.host, owner.pid)
    }


def _condition(owner: Owner) -> Condition:
    stopped = owner.stopped()
    if stopped is None:
        return "elsewhere"
    return "stopped" if stopped else "running"


def _user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"user {number}"
