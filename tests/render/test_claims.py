from __future__ import annotations

import pytest

from harness.judge.outcomes import Judged, by_sentence
from harness.render.claims import gravest, markdown, overview, show, summary
from tests.render.readers import as_text, markdown_rows
from tests.render.sample import CLAIMS, judged


def _claim(expect: str, reported: str, reproduced: str) -> Judged:
    return judged("c", "text", "Sec. 1", expect, reported, reproduced)


def test_the_markdown_reads_back() -> None:
    first, second, third = markdown_rows(markdown(CLAIMS, "small"))
    assert first == [
        *("grows Numbers grow | with n.", "Sec. 1", "holds", "✓ holds"),
        *("✗ fails", "small"),
    ]
    assert second[2:5] == ["fails", "✗ fails", "– not run"]
    assert third[3:5] == ["? undecided, not as expected", "? undecided"]


@pytest.mark.parametrize("outcome", ["undecided", "not run", "fails"])
def test_any_other_outcome_than_expected_counts_against_the_papers_numbers(outcome: str) -> None:
    assert "1 claim; on the paper's numbers: 0 as expected, 1 not" in summary(
        [_claim("holds", outcome, "holds")]
    )


def test_an_expected_failure_is_as_expected_and_ours_are_counted_by_outcome() -> None:
    text = summary([_claim("fails", "fails", "holds"), _claim("holds", "holds", "not run")])
    assert "paper's numbers: 2 as expected, 0 not" in text
    assert "ours: 1 holds, 1 not run" in text


def test_every_claim_is_shown_whole_at_a_narrow_width() -> None:
    text = " ".join(as_text(lambda console: show(CLAIMS, "small", console), 60).split())
    for claim in (item.claim for item in CLAIMS):
        assert claim.id in text
        assert all(word in text for word in claim.text.split())


def test_every_sentence_that_fails_is_listed_and_no_other() -> None:
    """However many there are: what is left for --all neither fails nor surprises."""
    failing = [judged(f"c{n}", f"T{n}.", "S", "holds", "holds", "fails") for n in range(30)]
    surprise = judged("odd", "Odd.", "S", "holds", "undecided", "holds")
    fine = judged("fine", "Fine.", "S", "holds", "holds", "holds")
    sentences = by_sentence([fine, *failing, surprise])
    lines = as_text(lambda console: gravest(sentences, console)).splitlines()
    assert "Odd." in lines[0]
    assert [line.rpartition(" ")[2] for line in lines[1:-1]] == [f"T{n}." for n in range(30)]
    assert lines[-1] == "1 more: repro verify --all"


def test_formulas_of_a_sentence_are_in_plain_signs() -> None:
    claim = judged("c", r"with $\delta = 2$", "S", "holds", "fails", "fails")
    for text in (
        as_text(lambda console: gravest(by_sentence([claim]), console)),
        as_text(lambda console: show([claim], "small", console)),
    ):
        assert "with δ = 2" in text


@pytest.mark.parametrize(("width", "tables"), [(100, 1), (40, 2)])
def test_an_overview_cuts_no_heading_and_parts_its_table_where_it_must(
    width: int, tables: int
) -> None:
    sentences = by_sentence(CLAIMS)
    text = as_text(lambda console: overview(sentences, "small", console), width)
    assert "…" not in text
    assert text.count("Profile") == tables
    assert [text.count(word) for word in ("printed:", "ours:", "comparisons")] == [1, 1, 2]
