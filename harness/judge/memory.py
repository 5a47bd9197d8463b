"""Judgements that were made before, by what they were made from.

A judgement is a pure function of numbers and of this package's code, so it is kept under the
digest of both. Asking again imports no statistics library.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from harness.plan.identity import source_digest
from harness.plan.step import Json
from harness.store.store import Store

_HERE = Path(__file__).parent


def remembered(store: Store, kind: str, question: Json, answer: Callable[[], Json]) -> Json:
    """The answer to a question, from the store or made now and kept."""
    key: Json = {"judge": source_digest(_HERE, _HERE.parent / "spec"), "question": question}
    known = store.memo.get(kind, key)
    if known is None:
        known = answer()
        with suppress(OSError):  # a store that cannot be written can still be looked at
            store.memo.put(kind, key, known)
    return known
