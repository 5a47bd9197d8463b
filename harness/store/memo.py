"""A memo of things that can be computed again: verdicts, renders, which record did which work."""

from __future__ import annotations

import json
from pathlib import Path

from harness.plan.step import Json
from harness.store.digest import canonical, digest_json
from harness.store.files import write_atomic


class Memo:
    """JSON values by kind and key, one file each. Losing any of it costs time alone."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def get(self, kind: str, key: Json) -> Json:
        """The value put under this key, or None. An unreadable entry counts as absent."""
        try:
            held = json.loads(self._path(kind, key).read_bytes())
        except (OSError, ValueError):
            return None
        # A hand-edited or damaged entry must not answer for another key.
        if not isinstance(held, dict) or held.get("key") != json.loads(canonical(key)):
            return None
        value: Json = held.get("value")
        return value

    def put(self, kind: str, key: Json, value: Json) -> None:
        """Keep `value` under the key, in place of what was there."""
        entry = canonical({"key": key, "value": value})
        write_atomic(self._root, self._path(kind, key), entry)

    def _path(self, kind: str, key: Json) -> Path:
        digest = digest_json(key)
        return self._root / "memo" / kind / digest[:2] / f"{digest}.json"
