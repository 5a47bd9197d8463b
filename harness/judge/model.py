"""Results of judging: plain frozen values, which need no statistics to be read or shown."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from harness.judge.decision import Decision, Tail
from harness.judge.nested import Components
from harness.judge.sample import ReportedNumber, Summary
from harness.judge.second_opinion import Predicted
from harness.later import np
from harness.spec.runs import Adjustment

VerdictName = Literal[
    "reproduced", "deviates", "inconclusive", "not comparable", "not run", "paper-inconsistent"
]
OutcomeName = Literal[
    "holds", "fails", "undecided", "not applicable", "restated", "not run", "printed only"
]
"""`restated`: the number could only be compared with itself, so that nothing was tested;
`not applicable`: what the claim takes for granted is not there; `printed only`: it is about what
the paper prints, so that no run bears on it."""
Source = Literal["reported", "reproduced"]
"""Whose numbers: the paper's, or ours."""
Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Amount:
    """A quantity as it came back: one value for each run, in the unit of the item.

    Seeds that lead to the same record are one run.
    """

    values: tuple[float, ...]
    deterministic: bool = False
    """Whether it is declared to be the same for every seed, and is; there is one value then."""
    low: float | None = None
    high: float | None = None
    """Ends that hold the 95 % intervals which the step gives for every seed."""
    students: tuple[float, ...] | None = None
    """Where each run is a pipeline: those of the first pipeline. None where runs share all that
    comes before, or nothing comes before."""
    seeds: tuple[int, ...] = ()
    """The seed of each value; none where the values are not of seeds."""

    @property
    def by_seed(self) -> dict[int, float]:
        """Seed -> its value, for comparisons of pairs."""
        return dict(zip(self.seeds, self.values, strict=False))

    @property
    def summary(self) -> Summary:
        """The same as a sample."""
        return Summary.exact(self.values[0]) if self.deterministic else Summary.of(self.values)

    @property
    def text(self) -> str:
        """Its mean with the 95 % interval or else the spread over seeds, in significant digits."""
        if self.low is not None and self.high is not None:
            return f"{self.mean:.4g} [{self.low:.4g}, {self.high:.4g}]"
        return f"{self.mean:.4g}" + (f" ± {self.std:.2g}" if self.std is not None else "")

    @property
    def mean(self) -> float:
        return statistics.fmean(self.values)

    @property
    def std(self) -> float | None:
        """Sample standard deviation over runs; None where there is one."""
        return statistics.stdev(self.values) if len(self.values) > 1 else None


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture that a step left."""

    height: int
    width: int
    channels: int
    pixels: bytes
    """uint8, row by row."""

    @property
    def array(self) -> np.ndarray:
        """uint8 (height, width) where there is one channel, else (height, width, channels)."""

        made = np.frombuffer(self.pixels, np.uint8)
        shape = (self.height, self.width, self.channels)
        return made.reshape(shape[:2] if self.channels == 1 else shape)


@dataclass(frozen=True, slots=True)
class Rival:
    """Another number that the paper prints for the same quantity."""

    where: str
    """The place with the number, in words."""
    number: ReportedNumber


@dataclass(frozen=True, slots=True)
class CellEvidence:
    """All that a verdict on one cell rests on; numbers in the unit of the cell."""

    address: str
    reported: ReportedNumber | None
    values: tuple[float, ...]
    """Reproduced, one for each run; empty where nothing was run."""
    comparable: bool
    reason: str
    """Why it is not comparable."""
    margin: float | None
    """Differences up to this count as none; positive, declared before any result. None: none is."""
    tail: Tail = "both"
    deterministic: bool = False
    """Whether further runs give the same value."""
    conditional_on: tuple[str, ...] = ()
    """Names of the steps that were done once for all runs."""
    students: tuple[float, ...] | None = None
    """See `Amount.students`: the printed number is of one pipeline then, and ours of several. None
    where the paper ran several itself."""
    rivals: tuple[Rival, ...] = ()
    looks: tuple[int, ...] = ()
    """Runs of ours after which it was judged before, where runs are added until it is decided."""
    work: str = ""
    """Tells which runs the values are of, and what of them; empty where no other cell has them."""
    text: str = ""
    """What the paper prints where that is no number."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict of our runs on one printed number. Figures are None where no test was made."""

    address: str
    name: VerdictName
    why: str
    margin: float | None = None
    """Differences up to this count as none; None where none is declared."""
    difference: float | None = None
    """Ours minus reported."""
    interval: Interval | None = None
    """At 95 %, of the difference."""
    decision: Decision | None = None
    """The tests behind it."""
    seeds_needed: int | None = None
    """The first of `chances` that decides an open cell with 80 %; None where none does."""
    chances: Mapping[int, float] = field(default_factory=dict)
    """Runs of ours -> how likely so many are to decide an open cell."""
    flips: tuple[int, ...] = ()
    """Numbers of reported runs under which another verdict would stand, since the paper does not
    state its own."""
    prediction: Predicted | None = None
    """Where their runs predict the mean of ours."""
    cv_star: float | None = None
    """Coefficient of variation of the two numbers, in percent."""
    deterministic: bool = False
    conditional_on: tuple[str, ...] = ()
    """Names of the steps that were done once for all runs: the verdict is on that one outcome."""
    components: Components | None = None
    """What our runs vary by, where each is a pipeline and enough have run to tell."""
    ours_interval: Interval | None = None
    """The 95 % interval of our own number, where a stated number is judged."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Our counterpart of a stated number, with what is known of its uncertainty."""

    mean: float
    error: float | None
    """Standard error; None where there is none to be had."""
    df: int | None
    """Degrees of freedom of the error; None where it is taken as known."""
    n: int
    """Points that it is of."""
    interval: Interval | None = None
    """At 95 %, where it is known otherwise than from the error."""


@dataclass(frozen=True, slots=True)
class Coefficient:
    """One rank correlation; None where it is not defined, as where all points are alike."""

    adjustment: Adjustment
    rho: float | None
    n: int
    """Points."""
    low: float | None
    high: float | None
    """Ends of the 95 % interval."""
    error: float | None
    """Standard deviation over resampled points."""
    without: Mapping[str, float | None]
    """Size -> the coefficient of all other points."""


@dataclass(frozen=True, slots=True)
class ClaimOutcome:
    """The outcome of a claim on one set of numbers, in one word and one sentence."""

    outcome: OutcomeName
    why: str
    comparisons: tuple[OutcomeName, ...] = ()
    """The outcome of every comparison that was made for it."""
    flips: tuple[str, ...] = ()
    """Other readings of what the paper leaves open (how many runs, what ± is) under which another
    outcome would stand."""


def together(outcomes: Iterable[OutcomeName]) -> OutcomeName:
    """One outcome of many: any failure, else anything missing, else anything open, else it holds.

    Parts that could only be compared with themselves, or do not apply, count for nothing beside
    others; where there are no others, they give their word.
    """
    found = set(outcomes)
    order: tuple[OutcomeName, ...] = (
        "fails", "not run", "undecided", "holds", "not applicable", "restated", "printed only",
    )  # fmt: skip
    return next((name for name in order if name in found), "not run")
