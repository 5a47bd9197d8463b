"""The things that exhibits combine: data sets, networks, methods and recipes; and profiles.

Whatever the paper does not state of a hyperparameter is an assumption: it carries its reason and
the alternatives that are worth trying. What two methods or recipes share is stated by one and taken
by the other. A profile says how exhibits are run, as the paper states or as a smaller stand-in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints, field_validator, model_validator

from harness.spec.base import (
    Bound,
    Label,
    Misplaced,
    Name,
    Replicate,
    Scalar,
    Seeds,
    ShownLabel,
    ShownText,
    SpecModel,
    StepTemplate,
    same,
)

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


class Dataset(SpecModel):
    """A data set, known by its fingerprint."""

    id: Name
    label: Label
    abbreviations: tuple[Label, ...] = ()
    """Other names that the paper prints for it."""
    description: ShownText
    official: bool
    """Whether it is the very data set that a paper means by this name."""
    fields: Mapping[str, Any]
    """Given to steps; becomes part of the identity of everything made from it."""
    facts: Mapping[str, Any] = {}
    """Further facts, which templates may refer to as `{about_dataset.name}`."""
    origin: str
    """Where the publisher's files are had."""


class Network(SpecModel):
    """A network, by its cost and size."""

    id: Name
    label: Label
    abbreviations: tuple[Label, ...] = ()
    """Other names that the paper prints for it."""
    origin: str
    forward_flops: float
    """For one image at `resolution`; a multiply-add is two operations."""
    resolution: int
    parameters: Mapping[str, int] = {}
    """Data set -> number of trainable parameters."""


class Follows(SpecModel):
    """That the paper says it takes settings from official code."""

    recipe: Name
    """The official recipe, from `recipes/official`."""
    where: str
    """Place in the paper."""
    quote: str
    """The words that say so."""
    settings: tuple[str, ...] = ()
    """The settings that the words are about; empty means all."""
    tuned: bool = False
    """Whether the words say that values were only tuned around those."""


class Lacks(SpecModel):
    """Settings that other recipes of the same scale have, and why this one has none of them."""

    settings: tuple[str, ...]
    why: str


class Recipe(SpecModel):
    """Training hyperparameters of one label regime at one scale, and the steps that use them."""

    id: Name
    label: Label
    scale: str = ""
    regime: str = ""
    follows: tuple[Follows, ...] = ()
    lacks: tuple[Lacks, ...] = ()
    settings: Mapping[str, Written] = {}
    steps: tuple[StepTemplate, ...] = ()


ImageSource = Literal["official-set", "official-code", "own", "real"]


class Images(SpecModel):
    """Where a method's images come from, in the paper and here."""

    paper: ImageSource
    here: ImageSource | Annotated[str, StringConstraints(pattern=r"^\{[a-z][a-z0-9_]*\}$")]
    """Or `{setting}`: the setting of the method that says it, and that its steps heed."""


class Method(SpecModel):
    """A method, declared as steps; the last one gives the images that students train on."""

    id: Name
    label: Label
    origin: str
    """Citation, or 'this paper'."""
    state: Literal["runs", "imports", "cited"]
    """`runs`: done here. `imports`: official sets are read. `cited`: only reported numbers."""
    note: str = ""
    images: Images
    when: Mapping[str, tuple[Bound, ...]] = {}
    """Variable -> the values with which it can be run at all; empty means always."""
    elsewhere: str = ""
    """Why it cannot be run with others."""
    settings: Mapping[str, Written] = {}
    steps: tuple[StepTemplate, ...] = ()

    @model_validator(mode="after")
    def _runnable(self) -> Method:
        if (self.state == "runs") != bool(self.steps):
            raise ValueError("a method has 'steps' exactly when its state is 'runs'")
        if self.state != "runs" and not self.note:
            raise ValueError("a method that does not run needs a 'note' that says why")
        if bool(self.when) != bool(self.elsewhere):
            raise ValueError("a method has 'elsewhere', which says why, exactly when it has 'when'")
        return self

    def cannot_run(self, variables: Mapping[str, Any]) -> str:
        """Why it cannot be run with these variables; empty if it can."""
        if self.state != "runs":
            return self.note
        return "" if applies(self.when, variables) else self.elsewhere


OVERRIDABLE = ("epochs", "epoch", "runs", "batch_size", "iterations", "subsets")
"""The only hyperparameters that a stand-in may change; a name may end in one of these words."""


Device = Literal["a100", "h200", "cpu"]


class Profile(SpecModel):
    """A mapping from the paper's runs to smaller ones; the empty mapping is the paper itself."""

    id: Name
    label: ShownLabel
    description: ShownText
    seeds: Seeds = 3
    """How many student seeds each number has, which are those from 0; or a list of them. With
    `--seeds N`, the first N of the list are taken; where it has fewer, the lowest others follow."""
    seeds_of: Mapping[str, Seeds] = {}
    """`exhibit:row:column`, a cell of a table -> its student seeds, where they are others than the
    profile's. `--seeds N` asks for as many of all cells; designs and flips take the profile's."""
    replicate: Replicate = "seed"
    """What is done again for each run, where an exhibit does not say."""
    device: Device
    """The device whose rate the cost forecast assumes."""
    map: Mapping[str, Mapping[str, Bound]] = {}
    """Kind of name (`dataset`, `network`, ...), or variable that holds a plain value -> the paper's
    value (or `*`) -> the value used instead."""
    override: Mapping[str, Choices] = {}
    """`owner.setting` -> another value."""

    @field_validator("seeds_of", mode="before")
    @classmethod
    def _of_cells(cls, stated: Any) -> Any:
        for address in stated if isinstance(stated, Mapping) else ():
            if not re.fullmatch("[^:]+:[^:]+:[^:]+", address):
                expected = 'expected "exhibit:row:column", in quotes'
                raise Misplaced(f"'{address}' is no cell; {expected}", address)
        return stated

    @field_validator("override")
    @classmethod
    def _only_scale(cls, override: Mapping[str, Choices]) -> Mapping[str, Choices]:
        for name in override:
            if not name.endswith(OVERRIDABLE):
                raise Misplaced(
                    f"'{name}' may not be overridden by a profile; only settings that end in "
                    + ", ".join(OVERRIDABLE),
                    name,
                )
        return override

    def usual_seeds(self, address: str) -> Seeds:
        """The student seeds of a number, where nobody asks for others."""
        return self.seeds_of.get(address, self.seeds)

    def mapped(self, kind: str, value: Any) -> Any:
        """The value that this profile uses in the place of the paper's."""
        table = self.map.get(kind, {})
        return table.get(str(value), table.get("*", value))
