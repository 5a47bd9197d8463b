"""Our numbers beside those of other laboratories, cell by cell, and what they come to together.

    python -m benchmarks.reproductions      prints and writes the table of docs/findings.md

The numbers of others, with repository, commit and file, are in `reproductions.toml`; ours are the
published ones. Where two laboratories and more read a cell in the same way, their means are pooled
as random effects: tau by Paule and Mandel, the interval by Hartung, Knapp, Sidik and Jonkman, which
keeps to its 95 % with few laboratories (IntHout et al. 2014), the test of heterogeneity by
Cochran's Q, as Hedges and Schauer (2019) ask of several replications. The spread between students
is one for all laboratories of a reading, since three students alone tell little of it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from statsmodels.stats.meta_analysis import combine_effects

from benchmarks.bench import RESULTS, ROOT, kept_table
from harness import Study

FILE = Path(__file__).with_suffix(".toml")
TABLE = RESULTS / "reproductions.md"
BESIDE = RESULTS / "reproductions-beside.md"


class Runs(NamedTuple):
    """The students of one laboratory in one cell; accuracies in percent."""

    mean: float
    n: int
    squares: float
    """Sum of squared deviations from the mean of their attempt."""
    attempts: int = 1

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Runs:
        """From single runs, or from a mean and a standard deviation that is divided by n."""
        if "runs" in told:
            values = np.array(told["runs"])
            return cls(float(values.mean()), len(values), float(values.var() * len(values)))
        return cls(told["mean"], told["n"], told["n"] * told["std"] ** 2)

    @classmethod
    def joined(cls, attempts: Sequence[Runs]) -> Runs:
        """Several attempts of one laboratory, so that none is picked by what came out of it."""
        n = sum(each.n for each in attempts)
        mean = sum(each.n * each.mean for each in attempts) / n
        return cls(mean, n, sum(each.squares for each in attempts), len(attempts))

    def __str__(self) -> str:
        tried = f" in {self.attempts} attempts" if self.attempts > 1 else ""
        return f"{self.mean:.2f} ({self.n}{tried})"


class Pooled(NamedTuple):
    """Several laboratories as random effects: all in points of accuracy, but p."""

    mean: float
    low: float
    high: float
    tau: float
    """Standard deviation between laboratories, beyond that of their students."""
    p: float
    """Of Cochran's Q: the chance of laboratories so far apart if they had one mean."""

    @classmethod
    def of(cls, laboratories: Sequence[Runs]) -> Pooled:
        """Needs two laboratories, and one of them with two students or more."""
        freedom = sum(each.n - each.attempts for each in laboratories)
        variance = sum(each.squares for each in laboratories) / freedom
        means = np.array([each.mean for each in laboratories])
        errors = np.array([variance / each.n for each in laboratories])
        found = combine_effects(means, errors, method_re="iterated", use_t=True)
        low, high = found.conf_int()[3]  # fixed, random, fixed scaled, random scaled (HKSJ)
        p = float(found.test_homogeneity().pvalue)
        return cls(float(found.mean_effect_re), low, high, float(found.tau2**0.5), p)


def ours(study: Study, reading: Mapping[str, Any]) -> tuple[str, Runs]:
    """What the paper prints for the cell, and our published runs."""
    exhibit = reading["cell"].split(":")[0]
    judgement = study.judge(exhibit, profile="paper", **reading.get("ours", {})).judgement
    result = next(r for r in judgement.results if str(r.item.address) == reading["cell"])
    reported = result.item.reported
    if reported is None or result.amount is None:
        raise LookupError(f"{reading['cell']} has no printed number, or no published runs")
    return reported.text, Runs.of({"runs": result.amount.values})


def row(reading: Mapping[str, Any], printed: str, mine: Runs) -> str:
    """A line of the table: a cell, ours, those of others and what they come to."""
    told: dict[str, list[Runs]] = {}
    for each in reading["others"]:
        told.setdefault(each["source"], []).append(Runs.of(each))
    others = {source: Runs.joined(attempts) for source, attempts in told.items()}
    by = ", ".join(f"{each} {source}" for source, each in others.items())
    both = Pooled.of([mine, *others.values()])
    p = "< 0.001" if both.p < 0.001 else f"{both.p:.3f}"
    pooled = f"{both.mean:.2f} ({both.low:.2f} to {both.high:.2f})"
    return (
        f"| {reading['cell']} | {reading['how']} | {printed} | {mine} | {by} | {pooled} | "
        f"{both.tau:.2f} | {p} |"
    )


def readings() -> list[dict[str, Any]]:
    """The cells that others have run, each in one way of reading the paper."""
    found: list[dict[str, Any]] = tomllib.loads(FILE.read_text(encoding="utf-8"))["readings"]
    return found


def table() -> str:
    """All readings that others share, with our runs and theirs."""
    study = Study.open(ROOT)
    head = "| cell | read as | reported | ours (n) | others (n) | pooled (95 %) | τ | p |"
    lines = [head, "|---|---|---|---:|---|---|---:|---:|"]
    shared = [each for each in readings() if each["others"]]
    return "\n".join(lines + [row(each, *ours(study, each)) for each in shared])


def beside() -> str:
    """What others tried besides, which is not pooled."""
    lines = ["| cell | read as | accuracy (n) | by |", "|---|---|---:|---|"]
    for each in readings():
        for told in each.get("beside", []):
            by = f"{told['source']}, `{told['file']}` at {told['commit'][:7]}"
            lines.append(f"| {each['cell']} | {told['how']} | {Runs.of(told)} | {by} |")
    return "\n".join(lines)


if __name__ == "__main__":
    kept_table("reproductions", TABLE, lambda: None, table)
    BESIDE.write_text(beside() + "\n", encoding="utf-8")
