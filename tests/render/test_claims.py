from __future__ import annotations

import pytest

from harness.render.claims import ClaimRow, markdown, render, summary
from tests.render.readers import markdown_rows
from tests.render.sample import CLAIMS


def _claim(expect: str, reported: str, reproduced: str) -> ClaimRow:
    return ClaimRow("c", "text", "Sec. 1", expect, reported, reproduced, "small")


def test_the_markdown_reads_back() -> None:
    first, second, third = markdown_rows(markdown(CLAIMS))
    assert first == [
        *("grows Numbers grow | with n.", "Sec. 1", "holds", "✓ holds"),
        *("✗ fails, not as expected", "small"),
    ]
    assert second[2:5] == ["fails", "✗ fails", "– not run"]
    assert third[3:5] == ["? undecided", "? undecided"]


@pytest.mark.parametrize("outcome", ["undecided", "not run"])
@pytest.mark.parametrize("expect", ["holds", "fails"])
def test_what_was_not_decided_counts_neither_way(outcome: str, expect: str) -> None:
    text = summary([_claim(expect, outcome, outcome)])
    assert text.count("0 as expected, 0 not as expected, 1 open") == 2


def test_an_expected_failure_is_as_expected() -> None:
    text = summary([_claim("fails", "fails", "holds")])
    assert "paper's numbers: 1 as expected" in text
    assert "ours: 0 as expected, 1 not as expected" in text


def test_every_claim_is_shown_whole_at_a_narrow_width() -> None:
    text = " ".join(render(CLAIMS, width=60).split())
    for row in CLAIMS:
        assert row.id in text
        assert all(word in text for word in row.text.split())


@pytest.mark.parametrize("bad", [("maybe", "holds", "holds"), ("holds", "passes", "holds")])
def test_unknown_outcomes_are_refused(bad: tuple[str, str, str]) -> None:
    with pytest.raises(ValueError, match=r"maybe|passes"):
        _claim(*bad)
