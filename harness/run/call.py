"""Resolving a dotted function and calling it as a step."""

from __future__ import annotations

import inspect
import io
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any

from harness.plan.step import Json, Share, StepContext, StepInput, StepParams, StepResult
from harness.registry import resolve
from harness.run.computing import exact, memory_kept, one_thread


def call(
    dotted: str, params: Mapping[str, Json], inputs: Mapping[str, StepInput], context: StepContext
) -> StepResult:
    """Call a step's function with its own parameter class, in the arithmetic that it names.

    On the CPU it has one thread.

    Raises what the function raises; TypeError if it returns anything but a `StepResult`.
    """
    result = _called(dotted, params, inputs, context)
    if not isinstance(result, StepResult):
        raise TypeError(f"{dotted} returned {type(result).__name__}, not a StepResult")
    return result


def call_together(
    dotted: str, params: Mapping[str, Json], shares: Sequence[Share], context: StepContext
) -> Sequence[StepResult]:
    """As `call`, of a function that does several steps at once; one result for each share."""
    results = _called(dotted, params, shares, context)
    if len(results) != len(shares) or not all(isinstance(each, StepResult) for each in results):
        raise TypeError(f"{dotted} did not return a StepResult for each of {len(shares)} steps")
    return results  # type: ignore[no-any-return]


def _called(dotted: str, params: Mapping[str, Json], given: object, context: StepContext) -> Any:
    function = resolve(dotted)
    model = params_model(dotted, function)
    with one_thread(context.device), exact(context.device), memory_kept():
        return function(model.model_validate(dict(params)), given, context)


def params_model(dotted: str, function: Callable[..., Any]) -> type[StepParams]:
    """The parameter class that a step's function names as the annotation of its first argument."""
    first = next(iter(inspect.signature(function).parameters.values()), None)
    annotation = first.annotation if first else None
    if isinstance(annotation, str):
        annotation = eval(annotation, inspect.unwrap(function).__globals__)
    if not (isinstance(annotation, type) and issubclass(annotation, StepParams)):
        raise TypeError(f"{dotted} must annotate its first argument with its StepParams class")
    return annotation


@contextmanager
def captured() -> Iterator[io.StringIO]:
    """Captures as text all that is printed and logged inside."""
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        with redirect_stdout(text), redirect_stderr(text):
            yield text
    finally:
        root.removeHandler(handler)
