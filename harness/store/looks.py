"""After how many runs a number was judged, where runs are added until it is decided.

A verdict depends on the looks that were taken, so they are kept with the records, by the work
behind the number (`harness.plan.item.Item.key`), and go with them into an export.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from harness.errors import EvidenceError
from harness.store.digest import canonical
from harness.store.files import read_json, write_atomic
from harness.store.published import Published, looks_in


class Looks:
    """The looks of a store and of what is published beside it, one file for each number."""

    def __init__(self, root: Path, published: Published | None) -> None:
        self._root = root
        self._published = published

    def of(self, key: str) -> tuple[int, ...]:
        """Runs at each look, increasing; none where it was never looked at.

        Raises:
            EvidenceError: the file cannot be read; without it a verdict would be too lenient.
        """
        published = self._published.looks.get(key, ()) if self._published else ()
        return tuple(sorted(self._own(key).union(published)))

    def last(self, key: str) -> int:
        """Runs at the last look; 0 where there is none."""
        return max(self.of(key), default=0)

    def add(self, key: str, runs: Iterable[int]) -> None:
        """Note looks beside those that are there."""
        own = self._own(key)
        if not own.issuperset(runs):
            write_atomic(self._root, self._path(key), canonical(sorted(own.union(runs))))

    def _own(self, key: str) -> frozenset[int]:
        path = self._path(key)
        try:
            return frozenset(looks_in(read_json(path)))
        except FileNotFoundError:
            return frozenset()
        except (OSError, ValueError) as error:
            raise EvidenceError(
                f"{path}: the looks at a number cannot be read ({error}); restore the file, or "
                "delete it, and the number is judged as if it was looked at once"
            ) from None

    def _path(self, key: str) -> Path:
        return self._root / "looks" / key[:2] / f"{key}.json"
