"""Claims of the paper and what became of them, for a terminal or as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich import box
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from harness.judge.model import ClaimOutcome, OutcomeName
from harness.judge.outcomes import Judged, Sentence, by_sentence, tally
from harness.media import spelt
from harness.render.markdown import escape
from harness.render.markup import named
from harness.render.symbols import OUTCOMES
from harness.render.text import plain
from harness.words import counted

_STYLES: Mapping[OutcomeName, str] = {"holds": "green", "fails": "red", "undecided": "yellow"}
_FLIPS = "†"
_WIDEST = 1000
"""Characters of a table that has all the room it asks for."""
_SCREEN = 11
"""Sentences that are listed below an exhibit, so that they fit a screen of 24 lines."""


def markdown(judged: Sequence[Judged], profile: str) -> str:
    """A pipe table of the claims under their count."""
    lines = [
        "| Claim | Where | Expected | On the paper's numbers | On ours | Profile |",
        "| :-- | :-- | :-- | :-- | :-- | :-- |",
    ]
    for item in judged:
        reported = _outcome(item.reported)
        cells = (
            f"**{escape(plain(item.claim.id))}** {escape(plain(item.claim.text))}",
            escape(plain(item.claim.where)),
            item.claim.expect,
            (reported if item.as_expected else f"**{reported}, not as expected**")
            + escape(_hangs_on(item)),
            _outcome(item.reproduced),
            escape(plain(profile)),
        )
        lines.append("| " + " | ".join(cells) + " |")
    return f"{summary(judged)}\n\n" + "\n".join(lines) + "\n"


def show(judged: Sequence[Judged], profile: str, console: Console) -> None:
    """Print the claims; the console decides on colour and width, and long texts wrap."""
    grid = Grid(box=box.HORIZONTALS, header_style="bold")
    grid.add_column("Claim", ratio=1, overflow="fold")
    for heading in ("Expected", "Paper's numbers", "Ours"):
        grid.add_column(heading, overflow="fold")

    def said(text: str) -> str:
        return spelt(named(text), console.encoding)

    for item in judged:
        claim = Text(said(item.claim.id), style="bold")
        claim.append("\n" + said(item.claim.text), style="not bold")
        claim.append("\n" + said(item.claim.where), style="not bold dim")
        ours = _styled(item.reproduced).append(f"\n({plain(profile)})", style="dim")
        paper = _styled(item.reported)
        if not item.as_expected:
            paper.append("\nnot as expected", style="bold")
        if item.reported.flips:
            paper.append(_hangs_on(item), style="dim")
        grid.add_row(claim, item.claim.expect, paper, ours)
    console.print(grid)
    console.print(Text(summary(judged)))


def overview(sentences: Sequence[Sentence], profile: str, console: Console) -> None:
    """Print how many sentences and comparisons come out which way."""
    claims = sum(len(sentence.claims) for sentence in sentences)
    console.print(Text(_surprises(sentences, claims), style="bold"))
    sides = {"printed": "reported", "ours": "reproduced"}
    whole = _counts(sentences, profile, sides)
    asked = console.measure(whole, options=console.options.update(width=_WIDEST))
    if asked.maximum > console.width:
        for words, side in sides.items():
            console.print(_counts(sentences, profile, {words: side}))
    else:
        console.print(whole)
    console.print()


def _counts(sentences: Sequence[Sentence], profile: str, sides: Mapping[str, str]) -> Grid:
    """A line for each outcome that there is, and for each of some sides two columns."""
    claims = [claim for sentence in sentences for claim in sentence.claims]
    counts = Grid(box=None, pad_edge=False)
    counts.add_column(f"Profile {plain(profile)}")
    columns = []
    for words, side in sides.items():
        made = [one for claim in claims for one in getattr(claim, side).comparisons]
        columns += [tally(getattr(sentence, side) for sentence in sentences), tally(made)]
        counts.add_column(f"{words}: sentences", justify="right")
        counts.add_column("comparisons", justify="right")
    for outcome, glyph in OUTCOMES.items():
        if any(column[outcome] for column in columns):
            counts.add_row(f"{outcome} {glyph}", *(str(column[outcome]) for column in columns))
    return counts


def gravest(sentences: Sequence[Sentence], console: Console) -> None:
    """Print every sentence that does not come out as expected, then every one that fails."""
    noted = sorted(
        (s for s in sentences if not s.as_expected or "fails" in (s.reported, s.reproduced)),
        key=lambda sentence: sentence.as_expected,
    )
    for sentence in noted:
        console.print(_line(sentence), no_wrap=True, overflow="ellipsis")
    if rest := len(sentences) - len(noted):
        console.print(Text(f"{rest} more: repro verify --all", style="dim"))


def brief(judged: Sequence[Judged], console: Console) -> None:
    """Print the sentences that claims are of, a line for each, under their count."""
    sentences = by_sentence(judged)
    console.print(Text(summary(judged)))
    for sentence in sentences[:_SCREEN]:
        console.print(_line(sentence), no_wrap=True, overflow="ellipsis")
    more = f"{len(sentences) - _SCREEN} more, and why" if len(sentences) > _SCREEN else "why"
    console.print(Text(f"{more}: repro verify --all", style="dim"))


def _surprises(sentences: Sequence[Sentence], claims: int) -> str:
    other = sum(not sentence.as_expected for sentence in sentences)
    what = f"{other} NOT" if other else "all"
    some = f"{counted(len(sentences), 'sentence')} with {counted(claims, 'claim')}"
    return f"{some}, {what} as the specs expect"


def _line(sentence: Sentence) -> Text:
    """One sentence: its outcome on the paper's numbers and on ours, its place, its words."""
    line = Text()
    for outcome in (sentence.reported, sentence.reproduced):
        line.append(f"{OUTCOMES[outcome]} ", style=_STYLES.get(outcome, "dim"))
    if not sentence.as_expected:
        line.append("not as expected: ", style="bold")
    line.append(f"{plain(sentence.where)}: ", style="dim")
    return line.append(named(sentence.text))


def summary(judged: Sequence[Judged]) -> str:
    """How many outcomes on the paper's numbers are as expected, and what ours come to."""
    met = sum(item.as_expected for item in judged)
    counts = tally(item.reproduced.outcome for item in judged)
    ours = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    return (
        f"{counted(len(judged), 'claim')}; on the paper's numbers: {met} as "
        f"expected, {len(judged) - met} not; on ours: {ours or 'none'}."
    )


def _hangs_on(item: Judged) -> str:
    """A mark and the readings under which the outcome would be another; else nothing."""
    flips = item.reported.flips
    return f" {_FLIPS} flips if {' or if '.join(flips)}" if flips else ""


def _outcome(found: ClaimOutcome) -> str:
    return f"{OUTCOMES[found.outcome]} {found.outcome}"


def _styled(found: ClaimOutcome) -> Text:
    return Text(_outcome(found), style=_STYLES.get(found.outcome, "dim"))
