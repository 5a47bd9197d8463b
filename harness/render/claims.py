"""Claims of the paper and what became of them, for a terminal or as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import StringIO

from rich import box
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from harness.judge.model import OutcomeName
from harness.judge.outcomes import Judged, Sentence, tally
from harness.render.markdown import escape
from harness.render.text import plain

_GLYPHS: Mapping[OutcomeName, str] = {
    "holds": "✓",
    "fails": "✗",
    "undecided": "?",
    "not applicable": "∅",
    "restated": "=",
    "not run": "–",
}
_STYLES: Mapping[OutcomeName, str] = {"holds": "green", "fails": "red", "undecided": "yellow"}
_FLIPS = "†"
_SCREEN = 14
"""Sentences that an overview lists, so that it fits a screen of 24 lines with its counts."""


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """One claim, judged on the paper's own numbers and on those of one profile."""

    id: str
    text: str
    where: str
    """The place in the paper."""
    expect: OutcomeName
    """The outcome that the specs expect on the paper's numbers."""
    reported: OutcomeName
    """Outcome on the paper's numbers."""
    reproduced: OutcomeName
    """Outcome on ours."""
    profile: str
    flips: tuple[str, ...] = ()
    """Other readings of the paper's numbers under which the outcome on them would be another."""

    def __post_init__(self) -> None:
        for outcome in (self.reported, self.reproduced, self.expect):
            if outcome not in _GLYPHS:
                raise ValueError(f"{self.id}: outcome '{outcome}' is none of {', '.join(_GLYPHS)}")


def row_of(judged: Judged, profile: str) -> ClaimRow:
    """A judged claim as it is shown."""
    claim = judged.claim
    reported, reproduced = judged.reported.outcome, judged.reproduced.outcome
    return ClaimRow(
        claim.id,
        claim.text,
        claim.where,
        claim.expect,
        reported,
        reproduced,
        profile,
        judged.reported.flips,
    )


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
            _outcome(row.reported, row.expect) + escape(_hangs_on(row)),
            _shown(row.reproduced),
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
        if row.flips:
            paper.append(_hangs_on(row), style="dim")
        grid.add_row(claim, row.expect, paper, ours)
    console.print(grid)
    console.print(Text(summary(rows)))


def overview(sentences: Sequence[Sentence], profile: str, console: Console) -> None:
    """Print how many sentences and comparisons come out which way, then the sentences that do not
    come out as expected, then those that fail; no more than a screen holds.
    """
    claims = [claim for sentence in sentences for claim in sentence.claims]
    console.print(Text(_surprises(sentences, len(claims)), style="bold"))
    sides = {"paper's": "reported", plain(profile): "reproduced"}
    counts = Grid(box=None, pad_edge=False)
    counts.add_column("Numbers")
    for outcome, glyph in _GLYPHS.items():
        counts.add_column(f"{glyph} {outcome}", justify="right")
    for words, side in sides.items():
        made = [one for claim in claims for one in getattr(claim, side).comparisons]
        for what, found in (
            ("sentences", [getattr(sentence, side) for sentence in sentences]),
            ("comparisons", made),
        ):
            counts.add_row(f"{words}: {what}", *map(str, tally(found).values()))
    console.print(counts)
    console.print()
    noted = sorted(
        (s for s in sentences if not s.as_expected or "fails" in (s.reported, s.reproduced)),
        key=lambda sentence: sentence.as_expected,
    )
    for sentence in noted[:_SCREEN]:
        console.print(_line(sentence), no_wrap=True, overflow="ellipsis")
    rest = len(sentences) - len(noted[:_SCREEN])
    if rest:
        console.print(Text(f"{rest} more: repro verify --all", style="dim"))


def _surprises(sentences: Sequence[Sentence], claims: int) -> str:
    other = sum(not sentence.as_expected for sentence in sentences)
    what = f"{other} NOT" if other else "all"
    return f"{len(sentences)} sentences with {claims} claims, {what} as the specs expect"


def _line(sentence: Sentence) -> Text:
    """One sentence: its outcome on the paper's numbers and on ours, its place, its words."""
    line = Text()
    for outcome in (sentence.reported, sentence.reproduced):
        line.append(f"{_GLYPHS[outcome]} ", style=_STYLES.get(outcome, "dim"))
    if not sentence.as_expected:
        line.append("not as expected: ", style="bold")
    line.append(f"{plain(sentence.where)}: ", style="dim")
    return line.append(plain(sentence.text))


def summary(rows: Sequence[ClaimRow]) -> str:
    """How many outcomes on the paper's numbers are as expected, and what ours come to."""
    met = sum(row.reported == row.expect for row in rows)
    counts = ((sum(row.reproduced == outcome for row in rows), outcome) for outcome in _GLYPHS)
    ours = ", ".join(f"{count} {outcome}" for count, outcome in counts if count)
    return (
        f"{len(rows)} claim{'s' * (len(rows) != 1)}; on the paper's numbers: {met} as expected, "
        f"{len(rows) - met} not; on ours: {ours or 'none'}."
    )


def _hangs_on(row: ClaimRow) -> str:
    """A mark and the readings under which the outcome would be another; else nothing."""
    return f" {_FLIPS} flips if {' or if '.join(row.flips)}" if row.flips else ""


def _outcome(outcome: OutcomeName, expect: OutcomeName) -> str:
    shown = _shown(outcome)
    return shown if outcome == expect else f"**{shown}, not as expected**"


def _shown(outcome: OutcomeName) -> str:
    return f"{_GLYPHS[outcome]} {outcome}"


def _styled(outcome: OutcomeName) -> Text:
    return Text(_shown(outcome), style=_STYLES.get(outcome, "dim"))
