"""Probes: committed numbers of each step on a tiny input, which tell when its revision is due.

Beside the numbers of a revision, the probe file remembers the fingerprints of the code that made
them, so that a record made by other code than today's can be known to hold the same numbers.
"""

from __future__ import annotations

import json
import math
import traceback
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, Union, get_args, get_origin

from pydantic import ValidationError

from harness.errors import UserError
from harness.plan.step import Probe, Share, StepContext, StepParams, StepResult, StepType
from harness.registry import resolve
from harness.run.call import call, call_together
from harness.run.fingerprint import fingerprint

if TYPE_CHECKING:
    import numpy as np

RELATIVE = 1e-6
"""Numbers further apart than this, relative to the larger, count as changed."""
_ROUNDING = 1e-10
"""Numbers closer than this, relative to the norm of their array, are equal."""
_WHOLE = 64
"""Arrays of at most so many elements are kept element by element."""
SHORT = 16
"""Hexadecimal digits of a fingerprint that are remembered."""

Numbers: TypeAlias = dict[str, Any]


def check(types: Iterable[StepType], path: Path, known: Collection[str] | None = None) -> list[str]:
    """Run every probe and compare it with the committed numbers; what is wrong, one line each.

    Args:
        known: names of all steps that there are, where `types` are some of them.
    """
    held = _read(path)
    messages = []
    names = set(known or ())
    for kind in types:
        names.add(kind.name)
        if not kind.probe:
            continue
        known = held.get(kind.name)
        if known is None:
            messages.append(f"step {kind.name}: no probe numbers are kept; {_UPDATE}")
        elif known["revision"] != kind.revision:
            messages.append(
                f"step {kind.name}: its revision is {kind.revision}, but the probe numbers are of "
                f"revision {known['revision']}; {_UPDATE}"
            )
        else:
            _, runs = _run_probe(kind)
            messages += _changed(kind, known, runs)
            if set(known.get(_VARIANTS, {})) != set(runs) - {_ITSELF}:
                messages.append(
                    f"step {kind.name}: the alternatives that its probe numbers are of are not "
                    f"those that it has; {_UPDATE}"
                )
    gone = sorted(set(held) - names)
    return messages + [f"step {name}: probe numbers of no step; {_UPDATE}" for name in gone]


def update(types: Iterable[StepType], path: Path) -> list[str]:
    """Write the numbers of new steps and new revisions, and drop those of steps that are gone.

    The fingerprints of the present code are added to those that the revision has.

    Returns what was written or dropped, one line each.

    Raises UserError, and writes nothing, if a step's numbers changed and its revision did not.
    """
    held = _read(path)
    kept: dict[str, Any] = {}
    refused = []
    for kind in types:
        if not kind.probe:
            continue
        probe, runs = _run_probe(kind)
        first = {name: each[0] for name, each in runs.items()}
        fresh: dict[str, Any] = {"revision": kind.revision, "numbers": first.pop(_ITSELF)}
        known = held.get(kind.name)
        if known is not None and known["revision"] == kind.revision:
            fresh = known
            first |= {name: n for name, n in known.get(_VARIANTS, {}).items() if name in first}
        if first:
            fresh = fresh | {_VARIANTS: first}
        refused += _changed(kind, fresh, runs)
        codes = {fingerprint(function)[:SHORT] for function in probed_by(kind, probe)}
        kept[kind.name] = fresh | {"confirmed": sorted(codes.union(fresh.get("confirmed", ())))}
    if refused:
        raise UserError("\n".join(refused))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return list(_written(held, kept))


def _written(held: Mapping[str, Any], kept: Mapping[str, Any]) -> Iterator[str]:
    for name, fresh in kept.items():
        if name not in held:
            yield f"step {name}: the numbers of revision {fresh['revision']} are kept"
        elif (now := fresh["revision"]) != (before := held[name]["revision"]):
            yield f"step {name}: the numbers of revision {now} replace those of {before}"
        elif fresh != held[name]:
            yield f"step {name}: its code has changed since, and is remembered under revision {now}"
    yield from (f"step {name}: its numbers are dropped" for name in sorted(set(held) - set(kept)))


_UPDATE = "run `repro probe --update`"
_ITSELF, _VARIANTS = "", "variants"


def _changed(
    kind: StepType, kept: Mapping[str, Any], runs: Mapping[str, Iterable[Numbers]]
) -> list[str]:
    """Whether any run's numbers differ from those that are kept: one message, or none."""
    known = {_ITSELF: kept["numbers"], **kept.get(_VARIANTS, {})}
    for name in runs.keys() & known.keys():
        for fresh in runs[name]:
            if change := next(differences(known[name], fresh), None):
                of = f" with {name}" if name else ""
                return [
                    f"step {kind.name}: revision {kind.revision} gives different numbers{of} "
                    f"({change}): raise its revision in {kind.params.__module__} and {_UPDATE}"
                ]
    return []


def _run_probe(kind: StepType) -> tuple[Probe, dict[str, list[Numbers]]]:
    """The probe of a step, and the numbers that come of it.

    Raises:
        UserError: the step, or its probe, does not run; the message says where it stopped.
    """
    try:
        return probe_of(kind), _runs(kind)
    except UserError:
        raise
    except Exception as error:
        at = traceback.extract_tb(error.__traceback__)[-1]
        raise UserError(
            f"step {kind.name}: its probe does not run ({type(error).__name__}: {error}; "
            f"{at.filename}:{at.lineno}); correct the step or its probe"
        ) from error


def _read(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        held: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UserError(f"{path}: probe numbers are not JSON ({error}); restore the file") from None
    return held


def _runs(kind: StepType) -> dict[str, list[Numbers]]:
    """The numbers that a step makes of its probe: alone, and twice at once where it can.

    Those of its alternatives stand beside them, by name: alone, each.
    """
    probe = probe_of(kind)
    context = StepContext(kind.name, probe.seed)
    params = probe.params.model_dump(mode="json")
    results = [call(kind.function, params, probe.inputs, context)]
    if fused := kind.fused(probe.params):
        results += call_together(fused, params, [Share(probe.inputs, context)] * 2, context)
    found = {_ITSELF: [flatten(result) for result in results]}
    for change in (*_other_words(probe.params), *probe.variants):
        try:
            varied = kind.params.model_validate(_replaced(params, change)).model_dump(mode="json")
            made = flatten(call(kind.function, varied, probe.inputs, context))
        except ValidationError:
            continue
        except UserError as error:
            made = {"values": {"refused": str(error)}, "arrays": {}}
        except Exception as error:  # a value that fails on the probe's inputs has to go on failing
            made = {"values": {"failed": f"{type(error).__name__}: {error}"}, "arrays": {}}
        found[_named(change)] = [made]
    return found


def _other_words(params: StepParams) -> Iterator[dict[str, Any]]:
    """Each value that a parameter could have instead, of those that are one of a few.

    Not of `precision`: what is computed in fewer bits differs between machines.
    """
    for name, field in type(params).model_fields.items():
        if name != "precision":
            for value in _words(field.annotation):
                if value != getattr(params, name):
                    yield {name: value}


def _words(kind: Any) -> Iterator[Any]:
    """The values of a type that is a bool, a literal, or may be one of these."""
    if kind is bool:
        yield from (False, True)
    elif get_origin(kind) is Literal:
        yield from get_args(kind)
    elif get_origin(kind) in (Union, UnionType):
        for each in get_args(kind):
            yield from _words(each)


def _replaced(params: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters with some replaced, at any depth."""
    return {
        **params,
        **{
            name: _replaced(params[name], value) if isinstance(value, Mapping) else value
            for name, value in change.items()
        },
    }


def _named(change: Mapping[str, Any]) -> str:
    return json.dumps(change, sort_keys=True).strip("{}")


def probed_by(kind: StepType, probe: Probe) -> list[str]:
    """The functions that a probe runs: the step's own, and the one that does several at once."""
    return [kind.function, *filter(None, [kind.fused(probe.params)])]


def confirmed(path: Path) -> dict[str, tuple[int, tuple[str, ...]]]:
    """Step -> the revision that its kept numbers are of, and short fingerprints of code that was
    seen to make them.
    """
    return {
        name: (held["revision"], tuple(held.get("confirmed", ())))
        for name, held in _read(path).items()
    }


def probe_of(kind: StepType) -> Probe:
    """The tiny fixed input of a step."""
    function = resolve(kind.probe) if isinstance(kind.probe, str) else kind.probe
    probe: Probe = function()
    return probe


def flatten(result: StepResult) -> Numbers:
    """A result as JSON: values as they are, small arrays by element, large ones by a summary."""
    arrays = {name: _summary(array) for name, array in result.arrays.items()}
    for file, tensors in result.tensors.items():
        arrays.update({f"{file}/{name}": _summary(array) for name, array in tensors.items()})
    numbers: Numbers = json.loads(json.dumps({"values": dict(result.values), "arrays": arrays}))
    return numbers


def _summary(array: np.ndarray) -> Numbers:
    """Shape and elements; of more than 64, the first 8, Σx, Σx² and Σ x_i·cos(i) in float64."""
    import numpy as np

    shape = list(array.shape)
    if array.dtype.kind in "US":
        return {"shape": shape, "elements": array.ravel().astype(str).tolist()}
    x = np.asarray(array, dtype=np.float64).ravel()
    if x.size <= _WHOLE:
        return {"shape": shape, "elements": x.tolist()}
    return {
        "shape": shape,
        "first": x[:8].tolist(),
        "sum": float(x.sum()),
        "squares": float(x @ x),
        "weighted": float(x @ np.cos(np.arange(x.size))),
    }


def differences(known: Numbers, fresh: Numbers) -> Iterator[str]:
    """Paths of the components that differ, with the old and the new number."""
    yield from _compare("values", known["values"], fresh["values"], 0.0)
    old, new = known["arrays"], fresh["arrays"]
    for name in sorted({*old, *new}):
        yield from _compare(name, old.get(name), new.get(name), _norm(old.get(name)))


def _norm(summary: Mapping[str, Any] | None) -> float:
    """√Σx² of one array: what is far below it is rounding, also where a sum cancels."""
    if summary is None:
        return 0.0
    elements = (x for x in summary.get("elements", []) if isinstance(x, float))
    squares = summary.get("squares", sum(x * x for x in elements))
    return math.sqrt(squares) if math.isfinite(squares) else 0.0


def _compare(path: str, old: Any, new: Any, scale: float) -> Iterator[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}):
            yield from _compare(f"{path}.{key}", old.get(key), new.get(key), scale)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for place, (a, b) in enumerate(zip(old, new, strict=True)):
            yield from _compare(f"{path}.{place}", a, b, scale)
    elif not _equal(old, new, scale):
        yield f"{path}: {old} → {new}"


def _equal(old: Any, new: Any, scale: float) -> bool:
    if not (_is_number(old) and _is_number(new)):
        return bool(old == new)
    if math.isnan(old) or math.isnan(new):
        return math.isnan(old) and math.isnan(new)
    allowed = max(RELATIVE * max(abs(old), abs(new)), _ROUNDING * max(scale, 0.01))
    return bool(old == new or abs(old - new) <= allowed)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
