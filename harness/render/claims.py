"""Claims of the paper and what became of them, for a terminal or as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO

from rich import box
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from harness.judge.outcomes import Judged
from harness.render.markdown import escape
from harness.render.text import plain

_GLYPHS = {"holds": "✓", "fails": "✗", "undecided": "?", "not run": "–"}
_STYLES = {"holds": "green", "fails": "red", "undecided": "yellow", "not run": "dim"}
_EXPECTED = ("holds", "fails", "undecided")


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """One claim, judged on the paper's own numbers and on those of one profile."""

    id: str
    text: str
    where: str
    """The place in the paper."""
    expect: str
    """The outcome that the specs expect on the paper's numbers: `holds`, `fails` or `undecided`."""
    reported: str
    """Outcome on the paper's numbers: `holds`, `fails`, `undecided` or `not run`."""
    reproduced: str
    """Outcome on ours, the same words."""
    profile: str

    def __post_init__(self) -> None:
        for outcome in (self.reported, self.reproduced):
            if outcome not in _GLYPHS:
                raise ValueError(f"{self.id}: outcome '{outcome}' is none of {', '.join(_GLYPHS)}")
        if self.expect not in _EXPECTED:
            raise ValueError(f"{self.id}: expect '{self.expect}' is none of {', '.join(_EXPECTED)}")


def row_of(judged: Judged, profile: str) -> ClaimRow:
    """A judged claim as it is shown."""
    claim = judged.claim
    reported, reproduced = judged.reported.outcome, judged.reproduced.outcome
    return ClaimRow(claim.id, claim.text, claim.where, claim.expect, reported, reproduced, profile)


def markdown(rows: Sequence[ClaimRow]) -> str:
    """A pipe table of the claims under their count."""
    lines = [
        "| Claim | Where | Expected | On the paper's numbers | On ours | Profile |",
        "| :-- | :-- | :-- | :-- | :-- | :-- |",
    ]
    for row in rows:
        cells = (
            f"**{escape(plain(row.id))}** {escape(plain(row.text))}",
            escape(plain(row.where)),
            row.expect,
            _outcome(row.reported, row.expect),
            f"{_GLYPHS[row.reproduced]} {row.reproduced}",
            escape(plain(row.profile)),
        )
        lines.append("| " + " | ".join(cells) + " |")
    return f"{summary(rows)}\n\n" + "\n".join(lines) + "\n"


def render(rows: Sequence[ClaimRow], width: int = 100) -> str:
    """The claims as uncoloured text, `width` characters wide."""
    out = StringIO()
    show(rows, Console(file=out, width=width, color_system=None, force_terminal=False))
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"


def show(rows: Sequence[ClaimRow], console: Console) -> None:
    """Print the claims; the console decides on colour and width, and long texts wrap."""
    grid = Grid(box=box.HORIZONTALS, header_style="bold")
    grid.add_column("Claim", ratio=1, overflow="fold")
    for heading in ("Expected", "Paper's numbers", "Ours"):
        grid.add_column(heading, overflow="fold")
    for row in rows:
        claim = Text(plain(row.id), style="bold")
        claim.append("\n" + plain(row.text), style="not bold")
        claim.append("\n" + plain(row.where), style="not bold dim")
        ours = _styled(row.reproduced).append(f"\n({plain(row.profile)})", style="dim")
        paper = _styled(row.reported)
        if row.reported != row.expect:
            paper.append("\nnot as expected", style="bold")
        grid.add_row(claim, row.expect, paper, ours)
    console.print(grid)
    console.print(Text(summary(rows)))


def summary(rows: Sequence[ClaimRow]) -> str:
    """How many outcomes on the paper's numbers are as expected, and what ours come to."""
    met = sum(row.reported == row.expect for row in rows)
    counts = ((sum(row.reproduced == outcome for row in rows), outcome) for outcome in _GLYPHS)
    ours = ", ".join(f"{count} {outcome}" for count, outcome in counts if count)
    return (
        f"{len(rows)} claim{'s' * (len(rows) != 1)}; on the paper's numbers: {met} as expected, "
        f"{len(rows) - met} not; on ours: {ours or 'none'}."
    )


def _outcome(outcome: str, expect: str) -> str:
    shown = f"{_GLYPHS[outcome]} {outcome}"
    return shown if outcome == expect else f"**{shown}, not as expected**"


def _styled(outcome: str) -> Text:
    return Text(f"{_GLYPHS[outcome]} {outcome}", style=_STYLES[outcome])
