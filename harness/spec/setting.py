"""A hyperparameter, and where its value comes from.

Whatever the paper does not state is an assumption: it carries its reason and the alternatives
that are worth trying. What two methods or recipes share is stated by one and taken by the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from harness.spec.base import Bound, Misplaced, Scalar, SpecModel, same

Value = Scalar | tuple[Scalar, ...]
Source = Literal["paper", "code", "inferred", "ours"]


def applies(when: Mapping[str, tuple[Bound, ...]], variables: Mapping[str, Any]) -> bool:
    """Whether every variable of a `when` has one of the values that stand there."""
    return all(
        any(same(variables.get(name), value) for value in values) for name, values in when.items()
    )


class Choice(SpecModel):
    """One value of a hyperparameter, for the cases that `when` describes."""

    value: Value
    source: Source
    place: str = ""
    """Where the paper states it, or the official repository and commit that has it."""
    why: str = ""
    """Why this value where the paper is silent."""
    alternatives: tuple[Value, ...] = ()
    """Other values that the paper's words allow."""
    when: Mapping[str, tuple[Bound, ...]] = {}
    """Variable -> the values for which this choice applies; empty means always."""
    label: str = ""
    """The paper's symbol for the hyperparameter, such as `J`; one of several choices gives it."""
    printed: str = ""
    """How the paper prints the value, where that differs from the value itself."""

    @model_validator(mode="after")
    def _sourced(self) -> Choice:
        if self.source in ("paper", "code") and not self.place:
            raise ValueError(f"source '{self.source}' needs a 'place' that says where it stands")
        if self.source in ("inferred", "ours") and not self.why:
            raise ValueError(f"source '{self.source}' needs a 'why' that gives the reason")
        if self.source == "paper" and self.alternatives:
            raise ValueError("a value that the paper states has no 'alternatives'")
        return self

    def applies(self, variables: Mapping[str, Any]) -> bool:
        return applies(self.when, variables)


def _as_list(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else [value]


Choices = Annotated[
    tuple[Choice, ...],
    BeforeValidator(_as_list, json_schema_input_type=Choice | tuple[Choice, ...]),
]
"""One choice, or several told apart by `when`; the first that applies counts."""


class Reference(SpecModel):
    """A setting that another method, recipe or exhibit states, in place of choices of its own."""

    from_: Annotated[
        str,
        Field(
            alias="from",
            description="`owner.setting`. What is varied there, or put in its place by a profile, "
            "holds here too.",
        ),
    ]


class Setting(SpecModel):
    """A hyperparameter as one owner has it: its choices, and the names that they were taken from.

    A setting that is taken from another has no choices until the whole paper is loaded.
    """

    choices: Choices = ()
    origins: tuple[str, ...] = ()
    """`owner.setting` that it is taken from, that this one is taken from, and so on; empty for a
    setting that states its own choices."""

    @property
    def label(self) -> str:
        """The paper's symbol, which one of the choices gives for all."""
        return next((choice.label for choice in self.choices if choice.label), "")


def _as_setting(stated: Any) -> Any:
    if isinstance(stated, Setting):
        return stated
    if not isinstance(stated, dict) or "from" not in stated:
        return {"choices": stated}
    beside = sorted(stated.keys() - {"from"})
    if beside:
        message = "a setting that is taken from another ('from') states nothing of its own"
        raise Misplaced(f"{message}; keep one of the two", beside[0])
    return {"origins": [stated["from"]]}


Written = Annotated[
    Setting,
    BeforeValidator(_as_setting, json_schema_input_type=Reference | Choice | tuple[Choice, ...]),
]
"""A setting as it is written in TOML: a table with `from`, one choice, or several."""
