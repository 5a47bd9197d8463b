"""Specs that are rewritten by a command, or left as they were."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def rewriting(texts: Mapping[Path, str]) -> Iterator[None]:
    """Write files for what follows; if it fails, they are as before."""
    before = {path: path.read_text(encoding="utf-8") for path in texts if path.is_file()}
    try:
        for path, text in texts.items():
            path.write_text(text, encoding="utf-8")
        yield
    except BaseException:
        for path in texts:
            if path in before:
                path.write_text(before[path], encoding="utf-8")
            else:
                path.unlink(missing_ok=True)
        raise
