"""The things that exhibits combine: data sets, networks, methods and recipes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import StringConstraints, model_validator

from harness.spec.base import Bound, Label, Name, ShownText, SpecModel
from harness.spec.setting import Written, applies
from harness.spec.template import StepTemplate


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
