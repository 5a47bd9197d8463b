"""Judgements that were made before, by what they were made from.

A judgement is a pure function of numbers and of this package's code, so it is kept under the
digest of both. Asking again imports no statistics library.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_jsonable_python

from harness.plan.identity import source_digest
from harness.plan.step import Json
from harness.store.store import Store

T = TypeVar("T")
_HERE = Path(__file__).parent


def remembered(
    store: Store, kind: str, question: Any, model: type[T], answer: Callable[[], list[T]]
) -> list[T]:
    """The answers to a question, from the store or made now and kept.

    Args:
        question: frozen dataclasses, or plain data, that the answers follow from.
        model: the dataclass that each answer is.
    """
    asked: Json = to_jsonable_python(question)
    key: Json = {"judge": source_digest(_HERE, _HERE.parent / "spec"), "question": asked}
    answers = _list_of(model)  # type: ignore[arg-type]
    with suppress(ValidationError):
        return answers.validate_python(store.memo.get(kind, key))
    made = answer()
    with suppress(OSError):  # a store that cannot be written can still be looked at
        store.memo.put(kind, key, answers.dump_python(made, mode="json"))
    return made


@cache
def _list_of(model: type[T]) -> TypeAdapter[list[T]]:
    return TypeAdapter(list[model])  # type: ignore[valid-type]
