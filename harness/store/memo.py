"""A memo of things that can be computed again: verdicts, renders, which record did which work."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from harness.plan.step import Json
from harness.store.digest import canonical, digest_json
from harness.store.files import read_json, write_atomic


class Memo:
    """JSON values by kind and key, one file each. Losing any of it costs time alone."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def get(self, kind: str, key: Json) -> Json:
        """The value put under this key, or None. A damaged entry counts as absent."""
        try:
            held = read_json(self._path(kind, key))
        except (OSError, ValueError):
            return None
        value: Json = held.get("value") if isinstance(held, dict) else None
        return value if held == _entry(key, value) else None

    def put(self, kind: str, key: Json, value: Json) -> None:
        """Keep `value` under the key, in place of what was there, where the disk takes it."""
        with suppress(OSError):
            write_atomic(self._root, self._path(kind, key), canonical(_entry(key, value)))

    def _path(self, kind: str, key: Json) -> Path:
        digest = digest_json(key)
        return self._root / "memo" / kind / digest[:2] / f"{digest}.json"


def _entry(key: Json, value: Json) -> dict[str, Json]:
    """What a file holds: the digest of both, so that a damaged entry does not answer."""
    return {"value": value, "digest": digest_json([key, value])}
