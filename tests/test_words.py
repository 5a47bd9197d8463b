"""Counts and lists in English."""

from __future__ import annotations

from harness.words import counted, listed


def test_one_is_singular_and_nothing_else_is() -> None:
    assert [counted(count, "page") for count in (0, 1, 2)] == ["0 pages", "1 page", "2 pages"]
    assert counted(1, "verdict is", "verdicts are") == "1 verdict is"
    assert counted(3, "verdict is", "verdicts are") == "3 verdicts are"


def test_the_last_two_of_a_list_are_joined() -> None:
    assert [listed("a"), listed("ab"), listed("abc")] == ["a", "a and b", "a, b and c"]
