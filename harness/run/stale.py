"""Records whose step's code has changed since they were made: found, probed, or told of.

A record may be used where the code that made it and today's are the same, or are both known to make
the numbers of the step's revision. They are known from the probe file, and from the store, which
remembers under step and revision what passed the probes here.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from harness.plan.step import Json, StepType
from harness.run.fingerprint import fingerprint
from harness.run.probe import SHORT, check, confirmed, probe_of, probed_by
from harness.store.record import Record
from harness.store.store import Store

_PASSED, _PRESENT = "probed", "fingerprint"
"""Memo kinds: code that passed a step's probes; the fingerprint of a function."""


class Codes:
    """The code of steps, today's and that of records."""

    def __init__(self, types: Mapping[str, StepType], probes: Path | None, store: Store) -> None:
        self._types = types
        self._probes = probes
        self._store = store
        self._now: dict[str, str] = {}
        self._confirmed = confirmed(probes) if probes else {}

    def changed(self, records: Iterable[Record]) -> dict[str, StepType]:
        """The steps of which a record is by other code than today's, and not known to be as good.

        Records of built-in steps have all that they depend on in their identity, and records of
        another revision are never used.
        """
        alike = {(r.step, r.revision, r.code): r for r in records}
        return {
            kind.name: kind
            for record in alike.values()
            if (kind := self._types.get(record.step))
            and kind.revision == record.revision
            and not self._as_good(kind, record)
        }

    def confirmed(self, record: Record) -> bool:
        """Whether the code that made a record is known to make the numbers of its step."""
        kind = self._types.get(record.step)
        return (
            kind is not None
            and kind.revision == record.revision
            and record.code[:SHORT] in self._known(kind)
        )

    def notices(self, exhibit: str, records: Iterable[Record]) -> list[str]:
        """One line on each exhibit that reads numbers of such records. Runs nothing."""
        changed = self.changed(records)
        if not changed:
            return []
        told = [n if k.probe else f"{n} (which has no probe)" for n, k in sorted(changed.items())]
        return [
            f"{exhibit}: the code of {', '.join(told)} has changed since its records were made; "
            "`repro probe` tells whether their numbers stand"
        ]

    def probe(self, records: Sequence[Record]) -> tuple[list[str], list[str]]:
        """Run the probes of steps whose code has changed since their records were made.

        Returns:
            What is wrong, and what could not be told, in lines.
        """
        wrong: list[str] = []
        kept = {n for n, k in self._types.items() if n in self._confirmed and k.probe}
        for name, kind in self.changed(records).items():
            if name in kept and not self._probed(kind) <= self._known(kind):
                wrong += self.check([kind])
        if wrong:
            return wrong, []
        left = sorted(self.changed(records))
        bare = [n for n in left if n not in kept]
        other = [n for n in left if n in kept]
        lines = [f"step {n}: its code has changed since its records were made, and it has no "
                 f"{'probe' if not self._types[n].probe else 'probe numbers'}; if its numbers are "
                 "others, raise its revision" for n in bare]  # fmt: skip
        lines += [f"step {n}: some records are by code that no probe has seen; `repro store drop` "
                  "forgets them" for n in other]  # fmt: skip
        return [], lines

    def check(self, types: Iterable[StepType]) -> list[str]:
        """Run probes, and remember the code of those that pass; what is wrong with the others."""
        messages = []
        for kind in types:
            assert self._probes is not None
            found = check([kind], self._probes, known=self._confirmed)
            messages += found
            if (
                kind.probe
                and not found
                and self._confirmed.get(kind.name, (0, ()))[0] == kind.revision
            ):
                codes = self._passed(kind) | self._probed(kind)
                self._store.memo.put(_PASSED, _key(kind), [*sorted(codes)])
        return messages

    def _as_good(self, kind: StepType, record: Record) -> bool:
        now = self._present(kind.function)
        return record.code[:SHORT] == now or (self.confirmed(record) and now in self._known(kind))

    def _probed(self, kind: StepType) -> set[str]:
        """Today's code that the step's probe runs, also that which does several steps at once."""
        return {self._present(function) for function in probed_by(kind, probe_of(kind))}

    def _known(self, kind: StepType) -> set[str]:
        revision, codes = self._confirmed.get(kind.name, (0, ()))
        return self._passed(kind) | (set(codes) if revision == kind.revision else set())

    def _passed(self, kind: StepType) -> set[str]:
        held = self._store.memo.get(_PASSED, _key(kind))
        return set(map(str, held)) if isinstance(held, list) else set()

    def _present(self, function: str) -> str:
        """The short fingerprint of a function; parsing is saved where no source has changed."""
        if function in self._now:
            return self._now[function]
        key: Json = [function, sources_of(re.split("[.:]", function)[0])]
        held = self._store.memo.get(_PRESENT, key)
        if not isinstance(held, str):
            held = fingerprint(function)[:SHORT]
            self._store.memo.put(_PRESENT, key, held)
        self._now[function] = held
        return held


def probe_file(steps: str) -> Path | None:
    """`probes.json` beside the module that lists the steps; None where a paper lists none."""
    spec = find_spec(steps) if steps else None
    return Path(spec.origin).with_name("probes.json") if spec and spec.origin else None


def _key(kind: StepType) -> Json:
    return [kind.name, str(kind.revision), kind.function]


@lru_cache
def sources_of(package: str) -> str:
    """SHA-256 of all Python sources of a package, or of a module by itself."""
    hashed = hashlib.sha256()
    for name, path in _files(package):
        content = path.read_bytes()
        hashed.update(f"{name}\0{len(content)}\0".encode() + content)
    return hashed.hexdigest()


def _files(package: str) -> Iterator[tuple[str, Path]]:
    """Each source by its path inside the package: the same module elsewhere is another one."""
    spec = find_spec(package)
    for folder in map(Path, (spec.submodule_search_locations or ()) if spec else ()):
        for path in sorted(folder.rglob("*.py")):
            yield path.relative_to(folder).as_posix(), path
    if spec and spec.origin and Path(spec.origin).is_file():
        yield Path(spec.origin).name, Path(spec.origin)
