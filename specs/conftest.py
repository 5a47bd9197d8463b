"""`pytest specs`: each claim is an item, judged on the numbers that the paper reports.

A claim that is expected to fail, or to stay undecided, is a strict expected failure: it is one
only while its outcome is the expected one, and any other outcome is a failure.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.judge.outcomes import on_reported
from harness.spec.claims import Claim
from harness.spec.paper import load_paper
from harness.spec.toml import line_of


class ExpectedOutcome(Exception):
    """A claim does not hold on the paper's own numbers, and is known not to."""


class UnexpectedOutcome(Exception):
    """A claim comes out otherwise than `expect` says."""


def pytest_collect_file(parent: pytest.Collector, file_path: Path) -> pytest.Collector | None:
    """`claims.toml` beside `paper.toml` is a file of tests."""
    if file_path.name == "claims.toml" and file_path.with_name("paper.toml").is_file():
        return ClaimsCollector.from_parent(parent, path=file_path)
    return None


class ClaimsCollector(pytest.File):
    """The claims of one paper."""

    def collect(self) -> Iterator[pytest.Item]:
        paper = load_paper(self.path.parent)
        for index, claim in enumerate(paper.claims.values()):
            outcome = on_reported(paper, claim)
            yield ClaimItem.from_parent(
                self, name=claim.id, claim=claim, index=index, outcome=outcome
            )


class ClaimItem(pytest.Item):
    """One claim."""

    def __init__(self, *, claim: Claim, index: int, outcome: Any, **rest: Any) -> None:
        super().__init__(**rest)
        self.claim, self.index, self.outcome = claim, index, outcome
        if claim.expect != "holds":
            known = pytest.mark.xfail(reason=claim.expect, raises=ExpectedOutcome, strict=True)
            self.add_marker(known)

    def runtest(self) -> None:
        found, why = self.outcome.outcome, self.outcome.why
        if found != self.claim.expect:
            raise UnexpectedOutcome(f"expected {self.claim.expect}, found {found}: {why}")
        if found != "holds":
            raise ExpectedOutcome(why)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        if isinstance(excinfo.value, ExpectedOutcome | UnexpectedOutcome):
            return f"{self.claim.where}: “{self.claim.text}”\n{excinfo.value}"
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        line = line_of(self.path, ("claims", self.index, "id"))
        return self.path, line - 1, f"claim {self.claim.id}"
