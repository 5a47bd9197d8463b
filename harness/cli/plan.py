"""The command that says what a make would do, and how long it would take."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

import typer

from harness.cli.options import MOST, AsJson, Most, PartName, UntilDecided, in_study
from harness.cli.output import console, print_grid, print_json
from harness.cli.until import show_ahead
from harness.errors import UserError
from harness.render.numbers import hours
from harness.study import as_json as to_json
from harness.study.study import How, Study
from harness.words import counted

if TYPE_CHECKING:
    from harness.plan.cost import Seconds
    from harness.study.forecast import Forecast

app = typer.Typer()


@app.command(epilog="Such as: repro plan table7 --profile paper")
@in_study
def plan(
    study: Study,
    exhibit: PartName,
    how: How,
    until_decided: UntilDecided = False,
    most: Most = None,
    as_json: AsJson = False,
) -> None:
    """Say what a make would do, and how long it would take. Changes nothing."""
    if most and not until_decided:
        raise UserError("--most is of --until-decided; add it, or give --seeds")
    if until_decided:
        ahead = study.look_ahead(exhibit, most=most or MOST, **how)
        if as_json:
            print_json(to_json.look_ahead(ahead))
        else:
            show_ahead(ahead)
        return
    planned = study.plan(exhibit, whole=as_json, **how)
    if as_json:
        print_json(to_json.forecast(planned))
        return
    if planned.rows:
        print_grid(
            ("Row", f"All that it stands on, on {planned.device}"),
            [(row, _interval(cost)) for row, cost in planned.rows.items()],
        )
    _print_steps(planned)
    _print_longest(planned)
    _print_fused(planned)
    for identity, why in planned.unreadable.items():
        name = planned.steps[identity].name
        console().print(f"record {identity} of step {name} cannot be read: {why}", soft_wrap=True)


def _print_steps(planned: Forecast) -> None:
    wanted = set(planned.todo)
    rows = []
    by_name: dict[str, list[str]] = defaultdict(list)
    for identity, step in planned.steps.items():
        by_name[step.name].append(identity)
    for name, own in sorted(by_name.items()):
        counts = Counter(planned.states[i] for i in own)
        states = ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))
        rows.append((name, states, _interval(planned.sum(i for i in own if i in wanted))))
    print_grid(("Step", "State", f"To do, on {planned.device}"), rows)
    total = planned.remaining
    console().print(
        f"{len(wanted)} of {counted(len(planned.steps), 'step')} to run under profile "
        f"{planned.profile}: {hours(total.mid)} ({hours(total.low)} to {hours(total.high)}) "
        f"of one {planned.device}",
    )


def _print_longest(planned: Forecast) -> None:
    """Print the critical path, and how short it could get if its longest kind of step did."""
    if len(planned.longest) < 2:
        return
    names = [planned.steps[i].name for i in planned.longest]
    costs = {
        name: sum(planned.seconds[i].mid for i in planned.longest if planned.steps[i].name == name)
        for name in dict.fromkeys(names)
    }
    told = " -> ".join(f"{name} {hours(cost)}" for name, cost in costs.items())
    whole, slowest = planned.sum(planned.longest), max(costs, key=costs.__getitem__)
    console().print(
        f"The longest chain takes {hours(whole.mid)} ({hours(whole.low)} to {hours(whole.high)}), "
        f"however many devices there are: {told}. Only less of {slowest} shortens it, down to "
        f"{hours(planned.without(slowest).mid)}, or a record of it that is there already"
    )


def _print_fused(planned: Forecast) -> None:
    """Print how many steps of each kind may run together, and how many at once."""
    groups = Counter(planned.fused.values())
    sizes = Counter((planned.steps[i].name, groups[at]) for i, at in planned.fused.items())
    parts = [
        f"{count} {name}, {size} at once"
        for (name, size), count in sorted(sizes.items())
        if size > 1
    ]
    if parts:
        told = "; ".join(parts)
        console().print(f"May be fused, as they differ in seed and set alone: {told}")


def _interval(cost: Seconds) -> str:
    return f"{hours(cost.mid)} ({hours(cost.low)}–{hours(cost.high)})"
