"""One item of an exhibit, a number or several that are read together, and what it stands on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from harness.plan.identity import digest
from harness.plan.settings import Used
from harness.spec.base import Replicate
from harness.spec.exhibit import Address
from harness.spec.printed import Printed

Sources: TypeAlias = Mapping[str, tuple[tuple[str, ...], ...]]
"""Name of a source of readings -> for each seed, the steps whose mean is read (mostly one)."""


@dataclass(frozen=True, kw_only=True)
class Item:
    """A cell of a table, or a point of a panel, resolved under a profile."""

    address: Address
    stated: Mapping[str, Any]
    """The paper's variables."""
    run: Mapping[str, Any]
    """The variables after the profile's mapping: what is really run. The variable that a mean goes
    over has the list of its values."""
    settings: tuple[Used, ...]
    seeds: tuple[int, ...]
    """Student seeds; none where it cannot be run."""
    replicate: Replicate = "seed"
    """What is done again for each of them."""
    sources: Sources
    """Empty where it cannot be run."""
    students: Sources = field(default_factory=dict)
    """Where each run is a pipeline: the same for further students of the first one, which are read
    where they have run and are never asked for. Empty where pipelines are not what differs."""
    reported: Printed | None = None
    """The number that the paper prints here, if any."""
    comparable: bool
    reason: str
    """Why it is not comparable, or why it cannot be run; empty where neither holds."""
    takes_files: bool = True
    """Whether results in files may stand for it: they are neither of an alternative nor of fresh
    seeds."""

    @property
    def identities(self) -> tuple[str, ...]:
        """The steps whose records it is read from, each once."""
        found = (i for seeds in self.sources.values() for members in seeds for i in members)
        return tuple(dict.fromkeys(found))

    @property
    def key(self) -> str:
        """The item by its work, whatever its address, profile and number of seeds."""
        return key_of(self.sources, self.replicate)

    def first(self, seeds: int) -> Item:
        """The same with no more than so many seeds."""
        sources = {name: each[:seeds] for name, each in self.sources.items()}
        return replace(self, seeds=self.seeds[:seeds], sources=sources)


def key_of(sources: Sources, replicate: Replicate) -> str:
    """See `Item.key`: the digest of the steps of the first seed, and of what differs in others."""
    kind = "item" if replicate == "seed" else f"item of a {replicate}"
    return digest(kind, {name: list(seeds[0]) for name, seeds in sources.items()})
