"""The findings that rules of the audit report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["severe", "notable", "minor"]
"""`severe`: a number cannot be right as printed, or two printed values of one quantity disagree.
`notable`: the paper says two things that do not go together. `minor`: something is left unsaid.
"""
Confidence = Literal["certain", "likely", "possible"]
"""How sure it is that the finding is a mistake of the paper and not of its reading."""
Source = tuple[str, int]
"""A file, named from the folder of the project, and a line in it, from 1."""
SEVERITIES: tuple[Severity, ...] = ("severe", "notable", "minor")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing in the paper that does not go together with another."""

    rule: str
    subject: str
    """Its subject; together with the rule it stays the same when numbers change."""
    addresses: tuple[str, ...]
    """`exhibit:row:column`, `exhibit:stated:id`, `exhibit:caption:variable`, `exhibit:table` for
    a whole exhibit, `recipe:id:setting` or `claim:id`."""
    printed: str
    expected: str
    severity: Severity
    confidence: Confidence
    explanation: str
    """Why it matters, in whole sentences that can stand alone."""
    cause: str = ""
    """Findings with one cause are one finding; without a name, a finding is its own."""

    @property
    def id(self) -> str:
        return f"{self.rule}/{self.subject}"

    @property
    def where(self) -> str:
        return "; ".join(self.addresses)
