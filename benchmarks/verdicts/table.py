"""The table of how often each rule is right, and its plot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from benchmarks.verdicts.reruns import (
    OUTCOMES,
    RULES,
    Judged,
    drawn,
    judged,
    judged_at_once,
    moved,
    multiple,
    pools,
    promised,
    resampled,
    stacked,
)
from benchmarks.verdicts.trainings import Counts
from harness.judge.decision import Outcome
from harness.judge.moderated import Floats

RERUNS = 1000
"""Without a change, and as many with one."""
RESAMPLES = 100
EDGES = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, np.inf)
"""Sizes of shifts, in margins."""


@dataclass(frozen=True)
class Said:
    """Of three kinds of reruns; the cells of `planted` are those of all changes in turn."""

    faithful: Judged
    at_margin: Judged
    """Faithful ones, moved to exactly the margin: where errors are most frequent."""
    planted: Judged


@dataclass(frozen=True)
class Experiment:
    """The reruns and what was said of them."""

    multiple: float
    margins: Floats
    """Of the cells of an arm, in points."""
    shifts: Mapping[str, Floats]
    """Change -> what it moves the mean of each cell by, in points."""
    seen: Said
    promised: Said

    @property
    def sizes(self) -> Floats:
        """Of the planted shifts, in margins."""
        return np.abs(stacked(shift / self.margins for shift in self.shifts.values()))


def experiment(arms: Mapping[str, Counts]) -> Experiment:
    """Judge the reruns. The planted ones are equally many of each change, made in all cells."""
    stated, changed = pools(arms)
    margins = multiple() * stated.std
    rng, each = np.random.default_rng(0), RERUNS // len(changed)
    faithful = drawn(stated, stated, RERUNS, rng)
    planted = [drawn(stated, pool, each, rng) for pool in changed.values()]
    seen = Said(
        judged(faithful, margins),
        judged(moved(faithful, margins), margins),
        _joined([judged(reruns, margins) for reruns in planted]),
    )
    promise = Said(
        promised(stated, stated, margins),
        promised(stated, stated, margins, off=1),
        _joined([promised(stated, pool, margins) for pool in changed.values()]),
    )
    shifts = {name: pool.mean - stated.mean for name, pool in changed.items()}
    return Experiment(multiple(), margins, shifts, seen, promise)


def resamples(arms: Mapping[str, Counts], margins: Floats) -> list[Said]:
    """The reruns anew, of seeds that are drawn with replacement."""
    stated, changed = pools(arms)
    found = []
    for number in range(RESAMPLES):
        rng = np.random.default_rng([1, number])
        of = [resampled(len(pool.accuracy), rng) for pool in (stated, *changed.values())]
        faithful = drawn(stated, stated, RERUNS, rng, (of[0], of[0]))
        planted = [
            judged_at_once(drawn(stated, pool, RERUNS, rng, (of[0], own)), margins)
            for pool, own in zip(changed.values(), of[1:], strict=True)
        ]
        at_margin = moved(faithful, margins)
        found.append(
            Said(
                judged_at_once(faithful, margins),
                judged_at_once(at_margin, margins),
                _joined(planted),
            )
        )
    return found


def _joined(parts: Sequence[Judged]) -> Judged:
    return Judged(
        {each: stacked(part.ours[each] for part in parts) for each in OUTCOMES},
        stacked(part.withheld for part in parts),
        {rule: stacked(p.accepted[rule] for p in parts) for rule in parts[0].accepted},
    )


def rows(arms: Mapping[str, Counts], found: Experiment) -> list[str]:
    """The lines of the table, with intervals from whole seeds drawn anew with replacement."""
    again = resamples(arms, found.margins)
    seen, promise, every = found.seen, found.promised, np.ones(len(found.margins), bool)
    lines = [
        _row("none", every, seen.faithful, promise.faithful, [s.faithful for s in again]),
        _row(
            "none, moved to the margin",
            every,
            seen.at_margin,
            promise.at_margin,
            [s.at_margin for s in again],
        ),
    ]
    points = np.abs(stacked(found.shifts.values()))
    planted = [s.planted for s in again]
    for low, high in pairwise(EDGES):
        inside = (found.sizes >= low) & (found.sizes < high)
        if inside.any():
            size = f"{low:g} to {high:g}" if np.isfinite(high) else f"over {low:g}"
            span = f"{points[inside].min():.1f} to {points[inside].max():.1f}"
            name = f"{size} margins (cells: {inside.sum()}; {span} points)"
            lines.append(_row(name, inside, seen.planted, promise.planted, planted))
    return lines


def _row(
    name: str, cells: np.ndarray, seen: Judged, promise: Judged, resamples: Sequence[Judged]
) -> str:
    texts = []
    for outcome in OUTCOMES:
        spread = [float(each.ours[outcome][cells].mean()) for each in resamples]
        low, high = np.percentile(spread, [2.5, 97.5])
        share = float(seen.ours[outcome][cells].mean())
        texts.append(f"{100 * share:.1f} [{100 * low:.1f}, {100 * high:.1f}]")
        texts.append(f"{100 * float(promise.ours[outcome][cells].mean()):.1f}")
    texts.append(f"{100 * float(seen.withheld[cells].mean()):.1f}")
    texts += [f"{100 * float(seen.accepted[rule][cells].mean()):.1f}" for rule in RULES]
    return f"| {name} | " + " | ".join(texts) + " |"


def table(arms: Mapping[str, Counts], found: Experiment) -> str:
    """The whole published text: numbers of the experiment, and its tables, as Markdown."""
    stated, _ = pools(arms)
    spreads = stated.std
    head = [
        f"Margin: {found.multiple:.2f} spreads, as in Tables 3 and 8. {len(found.margins)} cells, "
        f"{len(stated.accuracy)} pipelines as stated.",
        f"Spreads {spreads.min():.2f} to {spreads.max():.2f} points, "
        f"margins {found.margins.min():.2f} to {found.margins.max():.2f}.",
        "",
        "| shift | *reproduced* | promised | *inconclusive* | promised | *deviates* | promised "
        "| withheld | " + " | ".join(f"accepted: {rule}" for rule in RULES) + " |",
        "|---|" + "---:|" * (7 + len(RULES)),
    ]
    return "\n".join([*head, *rows(arms, found), "", *_errors(found), "", *_changes(arms, found)])


def _errors(found: Experiment) -> list[str]:
    """Wrong words over all reruns, as one table: ours beside those of others."""
    inside, beyond = found.sizes < 1, found.sizes >= 1
    groups: tuple[tuple[str, Judged, np.ndarray, bool], ...] = (
        ("no change", found.seen.faithful, np.ones(len(found.margins), bool), True),
        ("a change inside the margin", found.seen.planted, inside, True),
        ("a change beyond the margin", found.seen.planted, beyond, False),
    )
    lines = [
        "| reruns | verdict right | open | wrong | "
        + " | ".join(f"{rule} right" for rule in RULES)
        + " |",
        "|---|" + "---:|" * (3 + len(RULES)),
    ]
    for name, said, cells, same in groups:
        order = OUTCOMES if same else OUTCOMES[::-1]
        of_others = [
            float(said.accepted[rule][cells].mean()) if same
            else 1 - float(said.accepted[rule][cells].mean())
            for rule in RULES
        ]  # fmt: skip
        shares = [float(said.ours[o][cells].mean()) for o in order]
        cells_of = " | ".join(f"{100 * share:.1f} %" for share in (*shares, *of_others))
        lines.append(f"| {name} | {cells_of} |")
    return lines


def _changes(arms: Mapping[str, Counts], found: Experiment) -> list[str]:
    lines = [
        "| change | pipelines | moves the means by, points | in margins |",
        "|---|---:|---|---|",
    ]
    for name, shift in found.shifts.items():
        seeds = len(next(iter(arms[name].values())))
        size = shift / found.margins
        lines.append(
            f"| {name} | {seeds} | {shift.min():+.2f} to {shift.max():+.2f} "
            f"| {size.min():+.2f} to {size.max():+.2f} |"
        )
    return lines


def plot(found: Experiment, path: Path) -> None:
    """Shares over the size of the shift: our verdicts beside what is promised; rules of others."""
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = "verdicts"
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(9, 3.6), sharey=True)
    sizes = np.concatenate([np.zeros(len(found.margins)), found.sizes])
    colours: dict[Outcome, str] = {"reproduced": "#1b7837", "deviates": "#b2182b"}
    for outcome, colour in colours.items():
        seen, promise = (
            stacked((a.ours[outcome], b.ours[outcome]))
            for a, b in (
                (found.seen.faithful, found.seen.planted),
                (found.promised.faithful, found.promised.planted),
            )
        )
        left.plot(sizes, 100 * seen, "o", color=colour, ms=4, label=f"{outcome}, seen")
        left.plot(sizes, 100 * promise, "x", color=colour, ms=5, alpha=0.6, label="promised")
    for rule, colour, mark in zip(RULES, ("#444444", "#2166ac", "#e08214"), "s^v", strict=True):
        seen = stacked((found.seen.faithful.accepted[rule], found.seen.planted.accepted[rule]))
        right.plot(sizes, 100 * seen, mark, color=colour, ms=4, label=rule)
    for axes, title in ((left, "our verdict"), (right, "accepted by the rules of others")):
        axes.axvline(1, color="#999999", lw=1, ls="--")
        axes.set(title=title, xlabel="true shift, in margins", ylim=(-3, 103))
        axes.legend(fontsize=7, loc="upper right", bbox_to_anchor=(0.8, 1.0))
    left.set_ylabel("of reruns, %")
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)
