"""The table of docs/reliability.md: one line a row, each replaced when it is measured again."""

from __future__ import annotations

from pathlib import Path

from benchmarks.reliability.rows import ROWS
from benchmarks.reliability.trial import Tally

DOCUMENT = Path(__file__).parents[2] / "docs" / "reliability.md"


def line(name: str, tally: Tally) -> str:
    """A row of the table in Markdown."""
    outcomes = [f"{count:,} {what}" for what, count in sorted(tally.outcomes.items()) if count]
    outcomes.append(f"**{len(tally.defects)} defects**" if tally.defects else "no defect")
    return f"| {ROWS[name].fault} | `{name}` | {tally.times:,} | {'; '.join(outcomes)} |"


def write(name: str, tally: Tally) -> None:
    """Put a row in the place of its former measurement, or at the end of the table."""
    lines = DOCUMENT.read_text(encoding="utf-8").splitlines()
    rows = [at for at, text in enumerate(lines) if text.startswith("|")]
    known = [at for at in rows if f"| `{name}` |" in lines[at]]
    if known:
        lines[known[0]] = line(name, tally)
    else:
        lines.insert(rows[-1] + 1, line(name, tally))
    DOCUMENT.write_text("\n".join(lines) + "\n", encoding="utf-8")
