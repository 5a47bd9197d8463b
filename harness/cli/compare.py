"""The command that compares two stores, exports or profiles."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import fmean
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.options import AsJson, in_study
from harness.cli.output import console, print_grid, print_json
from harness.study import as_json as to_json
from harness.study.study import How, Study

if TYPE_CHECKING:
    from harness.judge.changes import Change

app = typer.Typer()


@app.command(epilog="Such as: repro compare store/published ../theirs/store table7")
@in_study
def compare(
    study: Study,
    a: Annotated[str, typer.Argument(metavar="A", help="A store, an export, or a profile.")],
    b: Annotated[
        str, typer.Argument(metavar="B", help="Another one; --vary is of this one alone.")
    ],
    exhibits: Annotated[
        list[str] | None, typer.Argument(metavar="[EXHIBIT]...", help="All by default.")
    ] = None,
    *,
    how: How,
    as_json: AsJson = False,
) -> None:
    """Say which numbers changed between two places, or by an alternative.

    By the paired t test over the seeds that both share, where these are enough, else by Welch's.
    """
    found = study.compare(a, b, *exhibits or (), **how)
    if as_json:
        print_json(to_json.comparison(found))
        return
    rows = [_row(item) for item in found.changes if item.kind != "equal"]
    if rows:
        print_grid(("Number", "A", "B", "B - A", "95 % interval", ""), rows)
    if any(item.of_fewer for item in found.changes):
        told = "An n beside B - A is how many seeds A and B share, which it is over"
        console().print(told, soft_wrap=True)
    counts = Counter(item.kind for item in found.changes)
    console().print(
        ", ".join(f"{count} {kind}" for kind, count in counts.items()) or "nothing in either"
    )


def _row(item: Change) -> tuple[str, ...]:
    return (
        item.name,
        _mean(item.a),
        _mean(item.b),
        _difference(item),
        "–" if item.interval is None else f"{item.interval[0]:+.4g} to {item.interval[1]:+.4g}",
        item.kind,
    )


def _difference(item: Change) -> str:
    if item.difference is None:
        return "–"
    return f"{item.difference:+.4g}" + (f" (n={item.pairs})" * item.of_fewer)


def _mean(values: Sequence[float]) -> str:
    return f"{fmean(values):.4g} (n={len(values)})" if values else "–"
