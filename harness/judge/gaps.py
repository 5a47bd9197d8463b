"""Why seeds that were asked for gave no number: said wherever the number stands."""

from __future__ import annotations

from collections.abc import Mapping

from harness.judge.company import OneKind
from harness.plan.exhibit import ExhibitPlan
from harness.plan.item import Item
from harness.run.state import failures_behind
from harness.store.store import Store
from harness.words import counted

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
