"""Papers and reproductions made of whole seeds, and what each rule says of them.

A paper is three seeds of the trainings as stated, printed as mean ± standard deviation with two
decimals. A reproduction is three other seeds, of the same trainings or of those with a change.
Every cell takes part, with the same seeds. The truth of a cell is the difference between all seeds
of the one and all seeds of the other, from which the reruns are drawn: it is 0 without a change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.stats import false_discovery_control

from benchmarks.bench import ROOT
from benchmarks.rule.simulate import MARGIN, Setting, draw, printed_spreads
from benchmarks.verdicts.kept import TESTED
from benchmarks.verdicts.trainings import STATED, Counts
from harness.judge.decision import ALPHA, Evidence, Outcome, decide
from harness.judge.moderated import Errors, Floats, moderate, p_inside, p_outside, welch
from harness.judge.sample import Summary

RUNS = 3
DECIMALS = 2
HALF_UNIT = 0.5 * 10**-DECIMALS
PRINTED = ("table3", "table8")
"""The tables whose margin, in units of their spreads, is taken over."""
RULES = ("printed digits", "inside ±", "within 1 %")
"""Of others: the same number as printed; within the paper's ±; within 1 % of the paper's number."""
OUTCOMES: tuple[Outcome, ...] = ("reproduced", "inconclusive", "deviates")


@dataclass(frozen=True)
class Pool:
    """All trainings of an arm, as accuracies in percent (seeds, cells)."""

    accuracy: Floats

    @classmethod
    def of(cls, counts: Counts) -> Pool:
        return cls(100 * np.array(list(counts.values()), dtype=float).T / TESTED)

    @property
    def mean(self) -> Floats:
        return np.asarray(self.accuracy.mean(axis=0))

    @property
    def std(self) -> Floats:
        return np.asarray(self.accuracy.std(axis=0, ddof=1))


@dataclass(frozen=True)
class Judged:
    """How often each thing was said of each cell: shares (cells,)."""

    ours: Mapping[Outcome, Floats]
    withheld: Floats
    """Inconclusive only because of the control over the exhibit."""
    accepted: Mapping[str, Floats]
    """Rule of others -> how often it accepts."""


def multiple() -> float:
    """The margin of the printed tables over the mean of the spreads that they print."""
    printed = printed_spreads(ROOT / "specs")
    return MARGIN / float(np.mean([std for table in PRINTED for std in printed[table]]))


@dataclass(frozen=True)
class Reruns:
    """Accuracies of papers and of their reproductions: arrays (reruns, runs, cells)."""

    papers: Floats
    ours: Floats


def drawn(
    stated: Pool,
    arm: Pool,
    reruns: int,
    rng: np.random.Generator,
    weights: tuple[Floats, Floats] | None = None,
) -> Reruns:
    """Three seeds of the arm for each reproduction, and three others of `stated` for its paper.

    Args:
        weights: how often each seed of `stated` and of `arm` may come; None: all alike.
    """
    sizes = len(stated.accuracy), len(arm.accuracy)
    of_stated, of_arm = weights or (np.ones(sizes[0]), np.ones(sizes[1]))
    ours = _first(rng, np.broadcast_to(of_arm, (reruns, sizes[1])))
    left = np.broadcast_to(of_stated, (reruns, sizes[0])).copy()
    np.put_along_axis(left, ours, 0.0, axis=1)
    return Reruns(stated.accuracy[_first(rng, left)], arm.accuracy[ours])


def _first(rng: np.random.Generator, weights: Floats) -> np.ndarray:
    """The seeds whose turn comes first when each waits as long as its weight makes likely."""
    with np.errstate(divide="ignore"):
        waits = rng.exponential(size=weights.shape) / weights
    return np.argsort(waits, axis=1)[:, :RUNS]


def moved(reruns: Reruns, margins: Floats) -> Reruns:
    """The same, with every second reproduction exactly a margin too high, the others too low."""
    sign = np.where(np.arange(len(reruns.ours)) % 2, 1.0, -1.0)[:, None, None]
    return Reruns(reruns.papers, reruns.ours + sign * (margins + HALF_UNIT))


def judged(reruns: Reruns, margins: Floats) -> Judged:
    """Hold each reproduction against its paper, by the rule itself."""
    outcomes, withheld, accepted = [], [], []
    for paper, ours in zip(reruns.papers, reruns.ours, strict=True):
        exhibit = _exhibit(paper, ours, margins)
        decisions = decide(exhibit)
        outcomes.append([decision.outcome for decision in decisions])
        withheld.append([decision.withheld for decision in decisions])
        accepted.append([_accepted(evidence) for evidence in exhibit])
    said, shares = np.array(outcomes), np.mean(accepted, axis=0)
    return Judged(
        {each: (said == each).mean(axis=0) for each in OUTCOMES},
        np.mean(withheld, axis=0),
        {rule: shares[:, i] for i, rule in enumerate(RULES)},
    )


def judged_at_once(reruns: Reruns, margins: Floats) -> Judged:
    """As `judged`, by the statistics below the rule, for many reruns; without rules of others.

    The few exhibits with a cell that scatters on neither side go through the rule itself.
    """
    papers = np.round(reruns.papers.mean(axis=1), DECIMALS)
    stds = np.round(reruns.papers.std(axis=1, ddof=1), DECIMALS)
    own = np.where(np.ptp(reruns.ours, axis=1) > 0, reruns.ours.var(axis=1, ddof=1), np.nan)
    theirs = np.where(stds > 0, stds**2, np.nan)
    odd = (np.isnan(own) & np.isnan(theirs)).any(axis=1)
    runs = np.full(own[~odd].shape, float(RUNS))
    errors = welch((own[~odd], theirs[~odd]), (runs, runs))
    gaps = (reruns.ours.mean(axis=1) - papers)[~odd]
    errors = moderate(errors, 2 / RUNS * np.broadcast_to(margins**2, gaps.shape))
    found = _outcomes(gaps, margins + HALF_UNIT, errors)
    if not odd.any():
        return found
    rest, share = judged(Reruns(reruns.papers[odd], reruns.ours[odd]), margins), odd.mean()
    return Judged(
        {name: (1 - share) * found.ours[name] + share * rest.ours[name] for name in OUTCOMES},
        (1 - share) * found.withheld + share * rest.withheld,
        {},
    )


def _exhibit(paper: Floats, ours: Floats, margins: Floats) -> list[Evidence]:
    return [
        Evidence(
            Summary(
                round(float(p.mean()), DECIMALS),
                round(float(p.std(ddof=1)), DECIMALS) or None,
                RUNS,
            ),
            Summary.of(o.tolist()),
            float(margin),
            half_unit=HALF_UNIT,
        )
        for p, o, margin in zip(paper.T, ours.T, margins, strict=True)
    ]


def _accepted(cell: Evidence) -> tuple[bool, bool, bool]:
    """In the order of `RULES`."""
    off, printed = abs(cell.difference), cell.reported.mean
    same = round(cell.ours.mean, DECIMALS) == printed
    return same, off <= (cell.reported.std or 0.0), off <= 0.01 * printed


def promised(
    stated: Pool, arm: Pool, margins: Floats, off: float = 0.0, repetitions: int = 20_000
) -> Judged:
    """What the simulation of the rules says of these cells: normal runs, independent cells.

    Args:
        off: what reproductions are off by, in bounds of the margin, beside the shift of the arm.
    """
    stds = (stated.std / margins, arm.std / margins)
    draws = draw(Setting("", (tuple(stds[0]), tuple(stds[1])), (RUNS, RUNS)), repetitions)
    bounds = 1 + HALF_UNIT / margins
    gaps = draws.gaps + (arm.mean - stated.mean) / margins + off * bounds
    return _outcomes(gaps, bounds, draws.moderated)


def _outcomes(gaps: Floats, bounds: Floats, errors: Errors) -> Judged:
    """Of exhibits in rows."""
    alone = p_outside(gaps, -bounds, bounds, errors)
    inside = p_inside(gaps, -bounds, bounds, errors) < ALPHA
    beyond = ~inside & (false_discovery_control(alone, axis=1) < ALPHA)
    said = zip(OUTCOMES, (inside, ~inside & ~beyond, beyond), strict=True)
    withheld = ~inside & ~beyond & (alone < ALPHA)
    return Judged({name: each.mean(axis=0) for name, each in said}, withheld.mean(axis=0), {})


def pools(arms: Mapping[str, Counts]) -> tuple[Pool, dict[str, Pool]]:
    """The trainings as stated, and those with each change."""
    made = {name: Pool.of(counts) for name, counts in arms.items()}
    return made.pop(STATED.name), made


def resampled(seeds: int, rng: np.random.Generator) -> Floats:
    """How often each seed comes when as many are drawn with replacement."""
    return np.asarray(rng.multinomial(seeds, np.full(seeds, 1 / seeds)), dtype=float)


def stacked(parts: Iterable[Floats]) -> Floats:
    return np.concatenate(list(parts))
