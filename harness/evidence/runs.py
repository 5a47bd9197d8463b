"""The runs of each cell: which results count, and the number that they come to."""

from __future__ import annotations

import re
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from harness.errors import UserError
from harness.evidence.result import Names, Result, as_number, fits
from harness.spec.evidence import Aggregate, Baseline, Evidence, Formula, Selection, Wanted

Cell: TypeAlias = "tuple[str, str]"
_Candidate: TypeAlias = "tuple[Result, str]"
"""A result, and the field with its number."""


@dataclass(frozen=True)
class Run:
    """One number of a cell, in the unit of the table, and the results that it comes from."""

    value: float
    of: tuple[Result, ...]


_AGGREGATES: Mapping[Aggregate, Callable[[Sequence[float]], float]] = {
    "mean": statistics.fmean,
    "median": statistics.median,
    "std": statistics.stdev,
    "sem": lambda values: statistics.stdev(values) / len(values) ** 0.5,
    "min": min,
    "max": max,
    "sum": sum,
    "count": len,
}
_NEED_TWO = ("std", "sem")
_FORMULAS: Mapping[Formula, Callable[[float, float], float]] = {
    "value / baseline": lambda value, baseline: value / baseline,
    "baseline / value": lambda value, baseline: baseline / value,
    "value - baseline": lambda value, baseline: value - baseline,
    "value / baseline - 1": lambda value, baseline: value / baseline - 1,
    "1 - value / baseline": lambda value, baseline: 1 - value / baseline,
}


def runs_of(
    each: Evidence, results: Iterable[Result], names: Names, unknown: dict[str, None]
) -> dict[Cell, dict[Any, Run]]:
    """Row and column -> seed -> the run of it. Without `seed`, or with `aggregate`, there is one.

    Args:
        unknown: takes the names in files that are no row and no column of the table.

    Raises:
        UserError: a number is missing, or two results are of one run.
    """
    counted = [result for result in results if has(result, each.where)]
    baseline = _Baselines(each, each.baseline, counted) if each.baseline else None
    candidates: dict[Cell, dict[Any, list[_Candidate]]] = defaultdict(lambda: defaultdict(list))
    for result in counted:
        if each.baseline and has(result, each.baseline.where):
            continue
        for row, column, field in names.of(result, unknown):
            runs = candidates[row, column]
            runs[_key(each, result, len(runs))].append((result, field))
    found = {}
    for cell, runs in candidates.items():
        chosen = {key: _chosen(each, cell, key, held) for key, held in runs.items()}
        if numbers := _numbers(each, chosen, baseline):
            found[cell] = numbers
    return found


def _key(each: Evidence, result: Result, number: int) -> Any:
    """What tells a run from the others of its cell: its seed, a whole number where it is one."""
    if not each.seed:
        return number if each.aggregate and not each.select else None
    value = _seed(each.seed, result)
    whole = _whole(value)
    return str(value) if whole is None else whole


_WHOLE = re.compile(r"\s*([+-]?\d{1,999})(?:\.0*)?\s*", re.ASCII)
"""Of no more digits than Python turns into a number."""


def _whole(value: Any) -> int | None:
    """A number that is written as a whole one; else None.

    As floats, long ids of runs would be one, and so would `1e2`, which may be hexadecimal, and 100.
    """
    match = _WHOLE.fullmatch(str(value))
    return int(match[1]) if match else None


def _seed(field: str, result: Result) -> Any:
    """What a result has in the field that tells runs apart.

    Raises:
        UserError: nothing, as a line of means has; that is no run.
    """
    value = result.get(field)
    if value is None or str(value).strip().casefold() in ("", "nan"):
        raise UserError(
            f"{result.place}: field '{field}' holds '{value!s}'; expected what tells this run from "
            "others ('where' passes over results that have none)"
        )
    return value


def _chosen(each: Evidence, cell: Cell, key: Any, held: Sequence[_Candidate]) -> _Candidate:
    if (select := each.select) is not None:
        sign = 1 if select.take == "largest" else -1
        return max(held, key=lambda one: sign * _decides(select, one[0]))
    if len(held) > 1:
        raise twice(each, cell, key, held[1][0], held[0][0])
    return held[0]


def _decides(select: Selection, result: Result) -> float:
    return statistics.fmean(result.number(field) for field in _several(select.by))


def _numbers(
    each: Evidence, chosen: Mapping[Any, _Candidate], baselines: _Baselines | None
) -> dict[Any, Run]:
    """Each run, or the one number that they are aggregated to; none where that needs more runs."""
    results = tuple(result for result, _ in chosen.values())
    values = [result.number(field) for result, field in chosen.values()]
    keys: list[Any] = list(chosen)
    fields = [field for _, field in chosen.values()]
    groups: list[tuple[Result, ...]] = [(result,) for result in results]
    if each.aggregate is not None:
        if len(values) < 2 and each.aggregate in _NEED_TWO:
            return {}
        values, keys, groups = [_AGGREGATES[each.aggregate](values)], [None], [results]
    runs = {}
    met: list[tuple[Result, ...]] = []
    for key, value, field, group in zip(keys, values, fields, groups, strict=False):
        compared, beside = baselines.compare(value, field, group) if baselines else (value, ())
        if len(beside) > 1 and beside in met:
            raise _shared(each, group[0], beside)
        met.append(beside)
        runs[key] = Run(each.scale * compared, (*group, *beside))
    return runs


def _shared(each: Evidence, result: Result, beside: Sequence[Result]) -> UserError:
    """That runs would count as independent, though the error of one mean is in all of them."""
    return UserError(
        f"{result.place}: a second run against one mean of {len(beside)} runs of the baseline, "
        "which says nothing of how that mean varies. Pair the runs by a field in 'per', such as "
        f"'{each.seed}', or take one number of both sides by 'aggregate'"
    )


class _Baselines:
    """The baseline of each group of results."""

    def __init__(self, each: Evidence, spec: Baseline, results: Iterable[Result]) -> None:
        self._spec, self._aggregate = spec, _AGGREGATES[each.aggregate or "mean"]
        self._groups: dict[tuple[str, ...], list[Result]] = defaultdict(list)
        met: dict[Any, Result] = {}
        for result in results:
            if has(result, spec.where):
                group = self._group(result)
                self._groups[group].append(result)
                seed = _seed(each.seed, result) if each.seed else len(met)
                if (before := met.setdefault((group, str(seed)), result)) is not result:
                    raise UserError(
                        f"{result.place}: a second result of seed {seed} in the baseline; the "
                        f"first is in {before.place}. 'where' can leave one of them out"
                    )

    def _group(self, result: Result) -> tuple[str, ...]:
        return tuple(str(result.get(field)) for field in _several(self._spec.per))

    def compare(
        self, value: float, field: str, of: Sequence[Result]
    ) -> tuple[float, tuple[Result, ...]]:
        """A number beside its baseline, and the results of that.

        Raises:
            UserError: it has none, or several, or would be divided by 0.
        """
        groups = {self._group(result) for result in of}
        held = self._groups.get(next(iter(groups)), ())
        if len(groups) > 1 or not held:
            shared = ", ".join(_several(self._spec.per)) or "nothing"
            many = f"{len(groups)} baselines" if len(groups) > 1 else "no baseline"
            raise UserError(f"{of[0].place}: {many} for a number; 'per' tells them by {shared}")
        baseline = self._aggregate([result.number(field) for result in held])
        try:
            return _FORMULAS[self._spec.formula](value, baseline), tuple(held)
        except ZeroDivisionError:
            raise UserError(f"{of[0].place}: '{self._spec.formula}' divides by 0") from None


def _several(fields: str | tuple[str, ...] | None) -> tuple[str, ...]:
    return (fields,) if isinstance(fields, str) else fields or ()


def has(result: Result, wanted: Wanted) -> bool:
    """Whether a result has the values that are asked for.

    Raises:
        UserError: it has no such field.
    """
    return all(_is(result.get(field), value) for field, value in wanted.items())


def _is(value: Any, wanted: Any) -> bool:
    """Whether a field has a value, or one of several; numbers may be written as texts."""
    if isinstance(wanted, tuple):
        return any(_is(value, each) for each in wanted)
    if isinstance(wanted, bool) or isinstance(value, bool):
        return str(value).casefold() == str(wanted).casefold()
    one, other = _exact(value), _exact(wanted)
    return fits(str(value), str(wanted)) or (one is not None and one == other)


def _exact(value: Any) -> float | None:
    whole = _whole(value)
    return as_number(value) if whole is None else whole


def twice(each: Evidence, cell: Cell, key: Any, result: Result, before: Result) -> UserError:
    """That two results are of one run, where there can be one."""
    of = f"seed {key}" if each.seed else "no field in 'seed' that tells runs apart"
    return UserError(
        f"{result.place}: a second number of row '{cell[0]}', column '{cell[1]}', with {of}; the "
        f"first is in {before.place}. 'where' can leave one of them out, 'select' can choose"
    )
