"""The renders of one invented table, as they are; a change of look shows in the review."""

from __future__ import annotations

from dataclasses import replace

import pytest
from syrupy.assertion import SnapshotAssertion

from harness.render import claims, latex, markdown, terminal
from harness.render.layout import View
from tests.render.readers import as_text
from tests.render.sample import CLAIMS, TABLE

views = pytest.mark.parametrize("view", ["reported", "reproduced", "both"])


@views
def test_latex(view: View, snapshot: SnapshotAssertion) -> None:
    assert latex.render(TABLE, view) == snapshot


@views
def test_markdown(view: View, snapshot: SnapshotAssertion) -> None:
    assert markdown.render(TABLE, view) == snapshot


@views
def test_terminal(view: View, snapshot: SnapshotAssertion) -> None:
    assert as_text(lambda console: terminal.show(TABLE, view, console)) == snapshot


def test_terminal_transposed_and_narrow(snapshot: SnapshotAssertion) -> None:
    table = replace(TABLE, transposed=True)
    assert as_text(lambda console: terminal.show(table, "both", console), 60) == snapshot


def test_claims(snapshot: SnapshotAssertion) -> None:
    assert claims.markdown(CLAIMS, "small") == snapshot(name="markdown")
    assert as_text(lambda console: claims.show(CLAIMS, "small", console), 80) == snapshot(
        name="terminal"
    )
