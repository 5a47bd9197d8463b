"""Steps: their declared type, the contract of its function, and one resolved instance.

This module imports neither torch nor numpy, so planning stays cheap.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar, get_args, get_type_hints

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    import numpy as np

P = TypeVar("P", bound="StepParams")
Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"


class StepParams(BaseModel):
    """Base of every step's parameters: frozen, complete, and closed to unknown keys."""

    # A plan uses few of the many kinds of steps, so a model is only built when it is used.
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


@dataclass(frozen=True, slots=True)
class Neutral:
    """Marks a parameter that was added when records existed: `Annotated[int, Neutral(0)] = 0`.

    At this value the parameter does not enter the identity, so the older records stay valid. It
    says what those records were made with, and stays as it is when the default changes.
    """

    value: Json
    """As in JSON: a list stands for a tuple."""


class Uncounted:
    """Marks a parameter that no number depends on, and no identity holds."""


@cache
def uncounted(params: type[BaseModel]) -> frozenset[str]:
    """The parameters of a model that are marked so."""
    fields = params.model_fields.items()
    return frozenset(n for n, f in fields if any(isinstance(m, Uncounted) for m in f.metadata))


@cache
def neutral_values(params: type[BaseModel]) -> Mapping[str, Json]:
    """The neutral values of a model's parameters; a dotted path names one of an inner model."""
    found: dict[str, Json] = {}
    for name, parameter in params.model_fields.items():
        for mark in parameter.metadata:
            if isinstance(mark, Neutral):
                found[name] = mark.value
        for inner in (parameter.annotation, *get_args(parameter.annotation)):
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                found.update({f"{name}.{path}": v for path, v in neutral_values(inner).items()})
    return found


@dataclass(frozen=True, slots=True)
class Work:
    """The work of one step, before any knowledge of a device."""

    samples: float
    """Forward passes of one example, backward passes included where `flops` counts them."""
    flops: float
    """Floating-point operations (a multiply-add is two)."""
    half: float = 0.0
    """How many of these are done in numbers of 16 bits, which devices do faster."""
    seconds: float = 0.0
    """Duration of work that no network does, on one core of a processor."""

    def __add__(self, other: Work) -> Work:
        return Work(
            self.samples + other.samples,
            self.flops + other.flops,
            self.half + other.half,
            self.seconds + other.seconds,
        )


class Facts(Protocol):
    """Facts that a cost formula may ask the specs for."""

    def forward_flops(self, network: str, resolution: int) -> float:
        """Floating-point operations of one forward pass of one `resolution`-pixel square image."""
        ...


@dataclass(frozen=True, slots=True)
class StepType:
    """A kind of work that the harness can do, declared without importing what does it."""

    name: str
    params: type[StepParams]
    function: str
    """`package.module:function`, resolved when the step runs."""
    inputs: tuple[str, ...]
    """Names of the inputs it needs. A name ending in `?` may be absent; one ending in `*` stands
    for one or more, which templates call `name.0`, `name.1` and so on."""
    revision: int
    """Raised by hand when the numbers that the step makes change; the probe guards it."""
    cost: Callable[[Any, Facts], Work]
    probe: Callable[[], Probe] | str
    """Makes the step's tiny fixed input; or `package.module:function` that does. Empty: it has
    none, so that nothing tells whether its code still makes the same numbers."""
    fused: Callable[[Any], str] = lambda params: ""
    """From the parameters, `package.module:function` that does several such steps at once, equal
    but for seeds and inputs: it takes the parameters, a `Share` for each and the context of the
    whole, and returns the result of each. Empty: they are done one by one."""

    @property
    def neutral(self) -> Mapping[str, Json]:
        """Parameters added later, with the values at which they do not enter the identity."""
        return neutral_values(self.params)


@dataclass(frozen=True, slots=True)
class Step:
    """One unit of work, fully resolved. Equal identities mean the same work."""

    name: str
    revision: int
    params: Mapping[str, Json]
    """Every parameter, defaults included, as JSON values."""
    seed: int
    inputs: Mapping[str, str]
    """Input name -> identity of the step that provides it."""
    identity: str
    function: str
    work: Work
    fused: str = ""
    """The function that `StepType.fused` names for the parameters; empty if none."""


class StepInput(Protocol):
    """A finished record, as the function of a later step sees it."""

    @property
    def values(self) -> Mapping[str, Json]: ...

    @property
    def arrays(self) -> frozenset[str]:
        """Names of the arrays that the record holds."""
        ...

    def array(self, name: str) -> np.ndarray: ...

    def tensors(self, name: str) -> Path:
        """Path of a safetensors file of the record."""
        ...


class Checkpoints(Protocol):
    """Where a long step keeps what it needs to go on after its process has died."""

    def load(self) -> Mapping[str, np.ndarray] | None:
        """The state that the same code on the same kind of device saved last; None if nothing."""
        ...

    def due(self) -> bool:
        """Whether it is time to save again."""
        ...

    def save(self, state: Mapping[str, np.ndarray]) -> None:
        """Replace what was saved."""
        ...

    def part(self, name: str) -> Checkpoints:
        """Those of one of several parts of the step, each with a name of its own."""
        ...


class NoCheckpoints:
    """For steps that are not resumed. Satisfies `Checkpoints`."""

    def load(self) -> None:
        return None

    def due(self) -> bool:
        return False

    def save(self, state: Mapping[str, np.ndarray]) -> None:
        return None

    def part(self, name: str) -> NoCheckpoints:
        return self


@dataclass(frozen=True)
class StepContext:
    """The context that a step's function is given beside its parameters and inputs."""

    step: str
    seed: int
    device: str = "cpu"
    report: Callable[[float, str], None] = lambda fraction, message: None
    """Progress: fraction done in [0, 1] and a short message."""
    checkpoints: Checkpoints = field(default_factory=NoCheckpoints)
    project: Path = Path()
    """The folder to which the paths of files that it reads are relative."""

    def part(self, number: int, count: int, step: str = "") -> StepContext:
        """The context of one of `count` runs inside a step, from 0.

        It draws as `step` does if that is given, else as nothing else.
        """

        def report(fraction: float, message: str) -> None:
            self.report((number + fraction) / count, f"run {number + 1} of {count}: {message}")

        return replace(
            self,
            step=step or f"{self.step}/{number}",
            report=report,
            checkpoints=self.checkpoints.part(str(number)),
        )

    def derive(self, purpose: str) -> int:
        """Seed of the generator for one purpose: a function of (seed, step name, purpose) alone."""
        text = f"{self.seed}/{self.step}/{purpose}"
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


@dataclass(frozen=True)
class Share:
    """One of several steps, equal but for seeds and inputs, that are done by one program."""

    inputs: Mapping[str, StepInput]
    context: StepContext


@dataclass(frozen=True)
class StepResult:
    """The result that a step's function returns; the store turns it into a record."""

    values: Mapping[str, Json]
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)
    tensors: Mapping[str, Mapping[str, np.ndarray]] = field(default_factory=dict)
    """Named safetensors files: file name -> tensor name -> array."""


@dataclass(frozen=True)
class Probe:
    """A step on a tiny fixed input, in float64 on one CPU thread, in under a second."""

    params: StepParams
    inputs: Mapping[str, StepInput]
    seed: int = 0
    variants: tuple[Mapping[str, Json], ...] = ()
    """Further parameters to run it with, each in the place of these ones; an inner table replaces
    single values. Other values of what is true or false, or one of several words, need not be
    listed: each is run."""


def declare(
    function: Callable[[P, Mapping[str, StepInput], StepContext], StepResult],
    probe: Callable[[], Probe],
    cost: Callable[[P, Facts], Work] = lambda params, facts: Work(samples=0, flops=0),
    *,
    inputs: tuple[str, ...] = (),
    revision: int = 1,
    fused: Callable[[P], str] = lambda params: "",
) -> StepType:
    """The step that `function` does, under the function's own name; see `StepType`.

    Its parameters are those that the function is annotated with. Without a cost it is array
    arithmetic: no pass through a network. It stands below its parameters and its function, in a
    module that has torch and numpy from `harness.later` and imports what else is heavy only inside
    functions, because planning imports the module.
    """
    return StepType(
        name=function.__name__,
        params=get_type_hints(function)["params"],
        function=dotted(function),
        inputs=inputs,
        revision=revision,
        cost=cost,
        probe=probe,
        fused=fused,
    )


def dotted(function: Callable[..., Any]) -> str:
    """`package.module:function`, by which a process finds a function of a module."""
    return f"{function.__module__}:{function.__qualname__}"


@dataclass(frozen=True)
class MemoryInput:
    """A step input held in memory, for probes and tests."""

    values: Mapping[str, Json] = field(default_factory=dict)
    held: Mapping[str, np.ndarray] = field(default_factory=dict)
    files: Mapping[str, Path] = field(default_factory=dict)

    @property
    def arrays(self) -> frozenset[str]:
        return frozenset(self.held)

    def array(self, name: str) -> np.ndarray:
        return self.held[name]

    def tensors(self, name: str) -> Path:
        return self.files[name]
