"""The base of every spec model, the small types that specs share, and steps as templates."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import islice
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    GetCoreSchemaHandler,
    StringConstraints,
    Tag,
)
from pydantic_core import CoreSchema

from harness.errors import require

Scalar = bool | int | float | str


def _whole(value: Scalar) -> Scalar:
    return int(value) if isinstance(value, float) and value.is_integer() else value


MOST_SEEDS = 10_000
SeedCount = Annotated[int, Field(gt=0, le=MOST_SEEDS)]
SeedList = tuple[Annotated[int, Field(ge=0, lt=2**31)], ...]


def _each_once(seeds: SeedList) -> SeedList:
    if len(set(seeds)) < len(seeds):
        raise ValueError("a seed comes twice; expected each once")
    return seeds


def _form_of_seeds(value: Any) -> str | None:
    if isinstance(value, list | tuple):
        return "list"
    return "count" if type(value) is int else None


Seeds = Annotated[
    Annotated[SeedCount, Tag("count")]
    | Annotated[
        SeedList,
        Field(min_length=1, max_length=MOST_SEEDS),
        AfterValidator(_each_once),
        Tag("list"),
    ],
    Discriminator(
        _form_of_seeds,
        custom_error_type="no_seeds",
        custom_error_message="expected a count of seeds, or a list of them",
    ),
]
"""How many seeds something has, which are those from 0; or the seeds themselves, as a list."""


def count_seeds(stated: int | SeedList) -> int:
    """How many seeds are stated."""
    return stated if isinstance(stated, int) else len(stated)


def first_seeds(stated: int | SeedList, count: int) -> SeedList:
    """So many seeds: of those that are stated the first ones, then the lowest of all others."""
    listed = () if isinstance(stated, int) else stated[:count]
    taken = frozenset(listed)
    others = (seed for seed in range(count + len(listed)) if seed not in taken)
    return (*listed, *islice(others, count - len(listed)))


MOST_NUMBERS = 10_000
"""Numbers of one table, or points of one panel."""
Bound = Annotated[Scalar, AfterValidator(_whole)]
"""A value of a variable. What is looked up by it is found however it is written: 20.0 is 20."""


def same(one: Any, other: Any) -> bool:
    """Whether two values of a variable are equal; a truth value is no number."""
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]*$", max_length=80)]
"""An identifier: lower case, digits, '.', '_' and '-'."""


def _addressable(text: str) -> str:
    if ":" in text or not text.isprintable():
        raise ValueError("expected a printable name without ':', which separates address parts")
    return text


Label = Annotated[str, StringConstraints(min_length=1, max_length=200)]
"""A text that the paper prints."""
SHOWN = "shown"
"""Marks a field on which no step depends, nor what is said of one: it is only shown, or says what
to show first."""
ShownLabel = Annotated[Label, SHOWN]
ShownText = Annotated[str, SHOWN]
AddressPart = Annotated[Label, AfterValidator(_addressable)]
"""The name of a row or a column, as used in the address of a cell."""


class Misplaced(ValueError):
    """A mistake in one key of a spec, found where its file is not known.

    Args:
        keys: path from the spec, or the part of it that is checked, to what is wrong.
    """

    def __init__(self, message: str, *keys: int | str) -> None:
        super().__init__(message)
        self.keys = keys


def check_distinct(what: str, names: Sequence[str], key: str = "name") -> None:
    """Raise Misplaced if two of the entries of a spec's list `what` have one `key`."""
    for index, name in enumerate(names):
        if name in names[:index]:
            message = f"{key}s of {what} must differ; '{name}' comes twice"
            raise Misplaced(message, what, index, key)


def check_known(what: str, name: str, known: Collection[str], *keys: int | str) -> None:
    """Raise Misplaced, with the nearest name, if a name is not known."""
    require(name, known, f"unknown {what} '{name}'", lambda told: Misplaced(told, *keys))


def _make_strict(schema: Any) -> None:
    """Set all numbers, truth values and texts inside a schema strict."""
    if isinstance(schema, dict):
        if schema.get("type") in ("int", "float", "bool", "str"):
            schema["strict"] = True
        schema = list(schema.values())
    for inner in schema if isinstance(schema, list | tuple) else ():
        _make_strict(inner)


class SpecModel(BaseModel):
    """A frozen piece of a spec. Unknown keys are errors, and so is `20.0` or `"20"` or `true` where
    a whole number is expected: lists are read as tuples, but nothing else is turned into another
    type."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = handler(source)
        _make_strict(schema)
        return schema


def identifying(part: Any) -> Any:
    """What steps may depend on, of a spec or a part of one: all that is stated but what is only
    shown, as JSON has it. Fields that are added later, and not stated, change nothing."""
    if isinstance(part, BaseModel):
        return {
            name: identifying(getattr(part, name))
            for name, field in type(part).model_fields.items()
            if name in part.model_fields_set and SHOWN not in field.metadata
        }
    if isinstance(part, Mapping):
        return {str(name): identifying(value) for name, value in part.items()}
    return [identifying(each) for each in part] if isinstance(part, list | tuple) else part


Replicate = Literal["seed", "pipeline"]
"""What is done again for each run. `seed`: the steps that take the student seed. `pipeline`: every
step, so that each run has a selection, a teacher and a set of its own."""


class StepTemplate(SpecModel):
    """One step of a method or of a recipe.

    In `params`, a text `{name}` or `{name.field}` stands for a variable, and a table with the one
    key `product`, `min`, `max` or `rounded_ratio` for that function of the numbers in its list.
    """

    id: Name
    step: str
    """A step type of the paper's step library."""
    inputs: Mapping[str, str] = {}
    """Input name -> id of an earlier step here, or `{images}`: the last step of the method. Of an
    input that may come many times, `name.0`, `name.1` and so on."""
    params: Mapping[str, Any] = {}
    seed: int | Literal["{seed}"] = 0
    """0: done once for all seeds, unless pipelines are replicated. `{seed}`: drawn anew with each
    student seed."""
    when: Mapping[str, tuple[Bound, ...]] = {}
    """Variable -> values for which the step is done at all; empty means always."""
