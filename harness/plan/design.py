"""Designs: which alternatives to what the paper leaves open are run together, written down before.

With as many runs as alternatives, each is run alone. With fewer, alternatives that meet in no
number share a run, so that each number still meets one at a time. Where even these are too many,
and in the runs that are left over, half of the alternatives are taken at once, by the rows of a
Hadamard matrix (Plackett and Burman, 1946; supersaturated where there are fewer runs than
alternatives: Lin, 1993). A few rows of it alone have columns without a minus or without a plus:
there, an alternative that no run has is put into one, and one that all runs have is taken out of
one, so that every alternative can be held against its absence.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from harness.errors import UserError, one_line
from harness.plan.changes import change_of, variations_of
from harness.plan.exhibit import plan_exhibit
from harness.plan.identity import digest
from harness.plan.parts import addresses, exhibit_of
from harness.plan.settings import written
from harness.plan.step import Json
from harness.spec.base import SeedCount, SpecModel
from harness.spec.paper import Paper
from harness.spec.toml import wrong_key

_HELP = "; a design was expected, as 'repro make --explore' writes it"


@dataclass(frozen=True)
class Alternative:
    """One other value of a setting that the paper does not state."""

    name: str
    """`owner.setting`."""
    value: Any
    touches: frozenset[str]
    """Addresses of the numbers that it changes."""

    @property
    def text(self) -> str:
        """`owner.setting=value`, as `--vary` reads it."""
        return written({self.name: self.value})


class Design(SpecModel):
    """Runs of an exhibit, each with its own alternatives and all of the exhibit's seeds."""

    exhibit: str
    parts: tuple[str, ...]
    """What is run of it: itself, or rows, columns, cells."""
    profile: str
    seeds: SeedCount
    """The search has so many first seeds; later ones are fresh."""
    runs: tuple[tuple[str, ...], ...]
    """For each run, its alternatives as `owner.setting=value`."""
    left_out: Mapping[str, str]
    """Alternative -> why it cannot be taken here."""


def alternatives(
    paper: Paper, names: Sequence[str], profile: str | None
) -> tuple[list[Alternative], dict[str, str]]:
    """The alternatives that change something in parts of an exhibit.

    Args:
        names: an exhibit, or parts of one.

    Returns:
        The alternatives by name, and of the others `owner.setting=value` -> why they are left out.
    """
    default = plan_exhibit(paper, exhibit_of(names[0]), profile, 1)
    wanted = addresses(default, names)
    items = [i for i in default.items if str(i.address) in wanted and i.sources]
    found, left_out = [], {}
    for text, variation in variations_of(items).items():
        change = change_of(paper, default, variation, 1)
        if touches := wanted.intersection(change.touches):
            ((name, value),) = variation.items()
            found.append(Alternative(name, value, frozenset(touches)))
        else:
            why = change.why or "it changes none of the numbers that are asked for"
            left_out[text] = why
    return found, left_out


def arranged(known: Sequence[Alternative], runs: int) -> tuple[tuple[str, ...], ...]:
    """The alternatives of each run, as texts; no more than `runs` of them, without repetition.

    Every alternative is in a run, and with two runs or more in none but some of them. Where a
    setting has more alternatives than there are runs, as many of these as there are runs are taken.
    """
    alone = [[each] for each in known]
    packed = _packed(known)
    first = alone if runs >= len(alone) else packed if runs >= len(packed) else []
    texts = (tuple(each.text for each in run) for run in chain(first, _halves(known)))
    return _balanced(known, [*islice(dict.fromkeys(filter(None, texts)), runs)])


def too_many(known: Sequence[Alternative], runs: Sequence[tuple[str, ...]]) -> dict[str, str]:
    """Of what `arranged` could not put into a run: `owner.setting=value` -> why."""
    taken = set(chain.from_iterable(runs))
    counts = Counter(each.name for each in known)
    return {
        each.text: f"a run takes one of the {counts[each.name]} alternatives of {each.name} that "
        f"are explored; for all of them it needs --explore {counts[each.name]}"
        for each in known
        if each.text not in taken
    }


def _balanced(
    known: Sequence[Alternative], runs: Sequence[tuple[str, ...]]
) -> tuple[tuple[str, ...], ...]:
    """The runs, with each alternative in one of them at least, and not in all.

    Distinct runs stay so: what is put into one is in no other, and what is taken out of one is in
    all others. None gets empty: of distinct runs with something in common, the fullest has more.
    """
    names = {each.text: each.name for each in known}
    held = [{names[text]: text for text in run} for run in runs]
    for text, name in names.items():
        times = Counter(run.get(name) for run in held)
        if not times[text]:
            free = [run for run in held if name not in run]
            # What another run has too may give way to it.
            if places := free or [run for run in held if times[run[name]] > 1]:
                min(places, key=len)[name] = text
    for text, name in names.items():
        if len(held) > 1 and all(run.get(name) == text for run in held):
            del max(held, key=len)[name]
    return tuple(tuple(t for t, name in names.items() if run.get(name) == t) for run in held)


def _packed(known: Sequence[Alternative]) -> list[list[Alternative]]:
    """Each alternative in the first run where it meets no other one in any number."""
    made: list[list[Alternative]] = []
    for each in known:
        free = (
            run
            for run in made
            if all(each.name != o.name and not each.touches & o.touches for o in run)
        )
        place = next(free, None)
        if place is None:
            made.append([each])
        else:
            place.append(each)
    return made


def _halves(known: Sequence[Alternative]) -> Iterator[list[Alternative]]:
    """Half of the alternatives in each run; of several values of one setting, by turns."""
    if len(known) < 2:
        return
    # Rows 1, 2, 4, ... tell all columns apart, so they come first.
    order = 1 << len(known).bit_length()
    rows = sorted(range(1, order), key=lambda row: (row.bit_count(), row))
    rounds = max(Counter(each.name for each in known).values())
    for turn, row in enumerate(rows * rounds):
        taken: dict[str, list[Alternative]] = {}
        for column, each in enumerate(known, start=1):
            if (row & column).bit_count() % 2:  # a minus in Sylvester's matrix
                taken.setdefault(each.name, []).append(each)
        yield [values[turn % len(values)] for values in taken.values()]


def design_file(folder: Path, parts: Sequence[str], profile: str, runs: int, seeds: int) -> Path:
    """Where the design of so many runs is written down."""
    exhibit = exhibit_of(parts[0])
    named: list[Json] = [*sorted(parts)]
    part = "" if list(parts) == [exhibit] else f"-{digest('parts', named)[:6]}"
    name = re.sub(r"[^a-z0-9]+", "-", f"{exhibit}-{profile}-{runs}x{seeds}".lower())
    return folder / f"{name}{part}.json"


def read_design(path: Path) -> Design:
    """A design as it was written down.

    Raises:
        UserError: it cannot be read; the message says where it is wrong, and what was expected.
    """
    try:
        raw = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read as UTF-8 text ({error})") from None
    except json.JSONDecodeError as error:
        raise UserError(f"{path}:{error.lineno}: not valid JSON: {error.msg}{_HELP}") from None
    except (ValueError, RecursionError) as error:  # a number of too many digits, too many brackets
        raise UserError(f"{path}: not valid JSON: {error}{_HELP}") from None
    if not isinstance(raw, dict):
        raise UserError(f"{path}: expected an object, the fields of a design{_HELP}")
    try:
        return Design.model_validate(raw)
    except ValidationError as error:
        keys, told = wrong_key(Design, raw, error)
        place = f"{path}: {'.'.join(map(str, keys))}" if keys else f"{path}"
        raise UserError(f"{place}: {one_line(told)}{_HELP}") from None
