"""What a failed step leaves: never a value that another step could use."""

from __future__ import annotations

from dataclasses import asdict, astuple, dataclass
from pathlib import Path

from harness.store.digest import canonical
from harness.store.faults import point
from harness.store.files import read_json, write_atomic


@dataclass(frozen=True, slots=True)
class Failure:
    """The last failure of a step that has no record."""

    identity: str
    step: str
    kind: str
    """Class of the exception, or `WorkerDied`."""
    message: str
    log: str
    """What the step printed and logged, then the traceback, if one helps."""


class Failures:
    """The failures of a store, one file each."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def get(self, identity: str) -> Failure | None:
        """The failure of a step, or None."""
        try:
            found = Failure(**read_json(self._path(identity)))
        except (OSError, ValueError, TypeError):
            return None
        return found if all(isinstance(text, str) for text in astuple(found)) else None

    def put(self, failure: Failure) -> None:
        """Keep a failure in place of an earlier one of the same step."""
        write_atomic(self._root, self._path(failure.identity), canonical(asdict(failure)))

    def drop(self, identity: str) -> None:
        """Forget a failure: the step has succeeded since."""
        point("drop failure: before")
        self._path(identity).unlink(missing_ok=True)
        point("drop failure: after")

    def identities(self) -> set[str]:
        """Identities of the steps that have failed."""
        return {path.stem for path in (self._root / "failures").glob("??/*.json")}

    def _path(self, identity: str) -> Path:
        return self._root / "failures" / identity[:2] / f"{identity}.json"
