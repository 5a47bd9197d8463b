"""The renders of one invented table, as they are; a change of look shows in the review."""

from __future__ import annotations

from dataclasses import replace

import pytest
from syrupy.assertion import SnapshotAssertion

from harness.render import claims, latex, markdown, terminal
from harness.render.layout import View
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
    assert terminal.render(TABLE, view) == snapshot


def test_terminal_transposed_and_narrow(snapshot: SnapshotAssertion) -> None:
    assert terminal.render(replace(TABLE, transposed=True), "both", width=60) == snapshot


def test_claims(snapshot: SnapshotAssertion) -> None:
    assert claims.markdown(CLAIMS) == snapshot(name="markdown")
    assert claims.render(CLAIMS, width=80) == snapshot(name="terminal")
