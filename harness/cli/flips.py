"""Printing designs, and what turns the verdicts of an exhibit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.cli.output import console, print_grid
from harness.words import counted

if TYPE_CHECKING:
    from harness.study.explore import WrittenDesign
    from harness.study.flips import CellFlips, Flips, FlipSet, Reading


def show_design(written: WrittenDesign) -> None:
    """Print where a design lies, and its runs."""
    design = written.design
    for number, run in enumerate(design.runs, start=1):
        console().print(f"{number:3} {', '.join(run)}", soft_wrap=True)
    for text, why in design.left_out.items():
        console().print(f"left out: {text}: {why}", soft_wrap=True)
    if written.missing:
        told = "remove the file to have it arranged with them"
        console().print(f"not in it: {', '.join(written.missing)}; {told}", soft_wrap=True)
    verb = "found" if written.found else "wrote"
    seeds = counted(design.seeds, "seed")
    runs = f"{counted(len(design.runs), 'run')} beside the default, {seeds} each"
    console().print(f"{verb} {written.path}: {runs}", soft_wrap=True)


def show_flips(found: Flips) -> None:
    """Print the effect of every reading that was run, then what turns each verdict."""
    rows = [_row(cell, reading) for cell in found.cells for reading in cell.readings]
    if rows:
        many = f" (all {found.tried} together)" if found.tried > 1 else ""
        together = f"95 % interval{many}"
        print_grid(("Number", "Choices", "Effect", together, "Verdict"), rows)
    for cell in found.cells:
        _show_cell(cell, found.seeds)
    if not found.cells:
        console().print(
            f"nothing of {found.exhibit} was run under profile {found.profile}, so no choice can "
            "turn a verdict",
            soft_wrap=True,
        )
    for text, why in found.left_out.items():
        console().print(f"cannot be taken: {text}: {why}", soft_wrap=True)


def _row(cell: CellFlips, reading: Reading) -> tuple[str, ...]:
    effect, interval = reading.effect, reading.effect and reading.effect.interval
    told = f"{reading.verdict} ({reading.turn})" if reading.turn != "none" else reading.verdict
    return (
        cell.address.partition(":")[2],
        ", ".join(reading.choices),
        f"{effect.estimate:+.4g}" if effect else "–",
        f"{interval[0]:+.4g} to {interval[1]:+.4g}" if interval else "–",
        told,
    )


def _show_cell(cell: CellFlips, most: int) -> None:
    out = console()
    out.print(f"{cell.address}: {cell.verdict}", soft_wrap=True)
    for each in cell.sets:
        _show_set(each)
    weakened = [", ".join(each.choices) for each in cell.readings if each.turn == "weakened"]
    if weakened:
        out.print(f"  weakened by: {'; '.join(weakened)}", soft_wrap=True)
    if not cell.sets and cell.verdict in ("reproduced", "deviates"):
        out.print(f"  turned by none of the readings that were run ({len(cell.readings)})")
    for text, seeds in cell.begun.items():
        out.print(f"  begun: {text}, {counted(seeds, 'seed')} of {most}", soft_wrap=True)
    if untried := [text for text in cell.untried if text not in cell.begun]:
        out.print(f"  not tried: {', '.join(untried)}", soft_wrap=True)


def _show_set(found: FlipSet) -> None:
    reading = found.reading
    choices = ", ".join(reading.choices)
    console().print(f"  {choices}: {reading.verdict}; {found.said}", soft_wrap=True)
    if found.standing == "to be confirmed":
        console().print(f"    {found.command}", soft_wrap=True)
