"""Printing looks at cells to which runs are added until they are decided."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from harness.cli.output import console, print_grid, print_json
from harness.render.numbers import hours
from harness.study import as_json as to_json
from harness.words import counted

if TYPE_CHECKING:
    from harness.study.study import How, Study
    from harness.study.until import Look, LooksAhead, Standing


def show_look(look: Look) -> None:
    """Print what one look decided, cell by cell."""
    console().print(f"look, expected to take {hours(look.seconds)} of one device:")
    for address, verdict in look.verdicts.items():
        spread = "by the others' spreads"
        runs = counted(look.runs[address], "run") if address in look.runs else spread
        console().print(f"  {address}: {verdict} ({runs})", soft_wrap=True)


def make_until_decided(
    study: Study,
    exhibits: Sequence[str],
    how: How,
    bounds: tuple[int, float | None, str, str],
    as_json: bool,
) -> Sequence[str]:
    """Add runs until cells are decided, print each look and the end of it; what failed.

    Args:
        bounds: runs of a cell, seconds in all, executor and device.
    """
    most, budget, executor, device = bounds
    made = study.until_decided(
        *exhibits,
        most=most,
        budget=budget,
        executor=executor,
        device=device,
        tell=(lambda look: None) if as_json else show_look,
        **how,
    )
    if as_json:
        print_json(to_json.until_decided(made))
        return made.problems
    for item in made.exhibits:
        item.show(console())
    show_ends(made.cells)
    return made.problems


def show_ends(cells: Iterable[Standing]) -> None:
    """Print why each cell has no more runs, those with the same reason together."""
    by_reason: dict[str, list[str]] = {}
    for cell in cells:
        if cell.why:
            runs = f" ({counted(max(cell.looks), 'run')})" if cell.looks else ""
            by_reason.setdefault(cell.why, []).append(f"{cell.address}{runs}")
    for why, named in by_reason.items():
        console().print(f"{len(named)} not run further, {why}: {', '.join(named)}", soft_wrap=True)


def show_ahead(found: LooksAhead) -> None:
    """Print the order of the next looks, and what they cost."""
    going = [cell for cell in found.cells if cell.next]
    if going:
        print_grid(
            ("Cell", "Last look", "Verdict", "Next look", "Chance to decide", "To the next look"),
            [
                (
                    cell.address.partition(":")[2],
                    counted(max(cell.looks), "run") if cell.looks else "–",
                    cell.verdict,
                    counted(cell.next or 0, "run"),
                    "–" if cell.chance is None else f"{cell.chance:.0%}",
                    hours(cell.seconds),
                )
                for cell in going
            ],
        )
    show_ends(found.cells)
    first, most, device = hours(found.first.mid), hours(found.all.mid), found.device
    console().print(f"first looks: {first}; all that may follow: up to {most} of one {device}")
