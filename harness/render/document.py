"""The parts of a LaTeX document about a paper that are written for it: what `repro.sty` reads.

Tables and plots are rendered as everywhere else; here is the rest. Figures of which no plot exists
show what they plot and what the paper states of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from harness.judge.audit.finding import SEVERITIES, Finding
from harness.judge.model import Source
from harness.judge.outcomes import Judged
from harness.render.symbols import VERDICTS
from harness.render.templating import TEMPLATES, template

REPORTED = "reported"
"""Stands for a profile where a document shows the paper's own numbers only."""
STYLE = TEMPLATES / "repro.sty"
"""The LaTeX package that reads all this."""
_KEY = str.maketrans({char: f"\\{char}" for char in "\\{}%"})


@dataclass(frozen=True, slots=True)
class KnownCell:
    """A cell that running text may cite."""

    address: str
    reported: str | None
    """As printed; None where the paper prints no number."""
    reproduced: Mapping[str, str]
    """Profile -> our number, as it is printed; only where every run is there."""

    @property
    def key(self) -> str:
        """The address as LaTeX source."""
        return self.address.translate(_KEY)


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of the cells and the verdicts of one table of results."""

    label: str
    title: str
    printed: int
    """Cells with a number of the paper's."""
    ours: int
    """Cells with all of their runs."""
    verdicts: str
    """Such as '10 reproduced, 2 not run'."""


def tally(label: str, title: str, printed: int, ours: int, verdicts: Sequence[str]) -> Tally:
    """Count verdicts, in the order of their legend."""
    counts = Counter(verdicts)
    named = ", ".join(f"{counts[name]} {name}" for name in VERDICTS if counts[name])
    return Tally(label, title, printed, ours, named)


def cells(profile: str, known: Sequence[KnownCell], plots: Mapping[str, str]) -> str:
    r"""The cells that `\reprocell` looks up.

    Args:
        profile: the document's, or `REPORTED`.
        plots: exhibits that have a plot, with its caption.
    """
    return template("cells").render(profile=profile, cells=known, plots=plots)


def summary(rows: Sequence[Tally], source: Source) -> str:
    """All tables of results at a glance."""
    return template("summary").render(rows=rows, ours=source == "reproduced")


def claims(judged: Sequence[Judged], source: Source) -> str:
    """Every claim with its outcomes; one that is not as expected is set bold."""
    sentences = [
        {"text": text, "where": where, "judged": list(items)}
        for (text, where), items in groupby(judged, key=lambda i: (i.claim.text, i.claim.where))
    ]
    return template("claims").render(sentences=sentences, ours=source == "reproduced")


def findings(found: Sequence[Finding]) -> str:
    """The findings of an audit, by severity, numbered S1, N1, M1, ..."""
    groups = []
    for severity in SEVERITIES:
        of_it = [finding for finding in found if finding.severity == severity]
        if of_it:
            groups.append({"severity": severity, "findings": _numbered(severity, of_it)})
    return template("findings").render(groups=groups)


def _numbered(severity: str, found: Sequence[Finding]) -> list[dict[str, Any]]:
    return [
        {
            "number": f"{severity[0].upper()}{number}",
            "id": finding.id,
            "printed": finding.printed,
            "expected": finding.expected,
            "confidence": finding.confidence,
            "explanation": finding.explanation,
        }
        for number, finding in enumerate(found, 1)
    ]
