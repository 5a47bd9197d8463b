"""Files that are written anew only if what they show has changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from harness.plan.identity import digest, source_digest

_RENDER = Path(__file__).parents[1]


@contextmanager
def written_if_changed(files: Sequence[Path], *models: Any) -> Iterator[bool]:
    """Yield whether files have to be written, and make their folder if so.

    A digest of the models that they show and of the code that renders is kept in a file beside
    them, to compare with the next time.
    """
    stamp = files[0].with_suffix(".digest")
    code = source_digest(_RENDER)
    made_from = digest("render", [code, *(_plain(asdict(model)) for model in models if model)])
    before = stamp.read_text(encoding="utf-8") if stamp.is_file() else None
    changed = before != made_from or not all(path.is_file() for path in files)
    if changed:
        stamp.parent.mkdir(parents=True, exist_ok=True)
    yield changed
    if changed:
        stamp.write_text(made_from, encoding="utf-8")


def _plain(value: Any) -> Any:
    """The same with tuples as lists and bytes by their digest, as a digest wants it."""
    if isinstance(value, bytes):
        return hashlib.sha256(value).hexdigest()
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
