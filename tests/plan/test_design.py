"""Which alternatives share a run, over many numbers of runs, settings and values."""

from __future__ import annotations

from collections import Counter
from itertools import chain
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import UserError
from harness.plan.design import Alternative, arranged, read_design, too_many

ROOT = Path(__file__).parents[2]


@st.composite
def explored(draw: st.DrawFn) -> list[Alternative]:
    """Alternatives of a few settings, which meet in some numbers or in all."""
    counts = draw(st.lists(st.integers(1, 5), min_size=1, max_size=12))
    numbers = st.frozensets(st.sampled_from("xyz"), min_size=1)
    touches = numbers if draw(st.booleans()) else st.just(frozenset("x"))
    return [
        Alternative(f"s.{index:02}", value, draw(touches))
        for index, count in enumerate(counts)
        for value in range(count)
    ]


@given(known=explored(), runs=st.integers(1, 40))
def test_every_alternative_is_tried_and_its_absence_too(
    known: list[Alternative], runs: int
) -> None:
    made = arranged(known, runs)
    assert len(made) <= runs
    assert len({frozenset(run) for run in made}) == len(made)
    assert all(made)
    names = {each.text: each.name for each in known}
    assert all(max(Counter(names[text] for text in run).values()) == 1 for run in made)

    times = Counter(chain.from_iterable(made))
    untaken = too_many(known, made)
    assert untaken.keys() == names.keys() - times.keys()
    for name, count in Counter(names.values()).items():
        taken = sum(names[text] == name for text in times)
        assert taken == min(count, runs), "a run takes one of them"
    if len(made) > 1:
        assert max(times.values()) < len(made)


@pytest.mark.parametrize("count", range(2, 70))
def test_where_rows_of_a_hadamard_matrix_try_everything_they_are_kept(count: int) -> None:
    """Rows 1, 2, 4 and so on leave no column without a minus; row 3 leaves none without a plus."""
    known = [Alternative(f"s.{index:02}", True, frozenset("x")) for index in range(count)]
    rows = count.bit_length() + 1
    if rows >= count:
        return
    made = arranged(known, rows)
    order = [1 << bit for bit in range(rows - 1)] + [3]
    expected = [
        tuple(each.text for column, each in enumerate(known, 1) if (column & row).bit_count() % 2)
        for row in order
    ]
    assert list(made) == expected
    columns = [tuple(each.text in run for run in made) for each in known]
    assert len(set(columns)) == count, "none is taken for another"


@pytest.mark.parametrize("path", sorted((ROOT / "designs").glob("*.json")), ids=lambda p: p.name)
def test_designs_that_were_written_down_are_read(path: Path) -> None:
    assert read_design(path).runs


GOOD = """{
 "exhibit": "open",
 "parts": ["open"],
 "profile": "stated",
 "seeds": 3,
 "runs": [["lone.one=0.9"]],
 "left_out": {}
}"""


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"seeds": 3', '"seeds": -4', ": seeds: Input should be greater than 0 (found -4)"),
        ('"seeds": 3', '"seeds": 0', ": seeds: Input should be greater than 0 (found 0)"),
        ('"seeds": 3', '"seeds": "3"', ": seeds: Input should be a valid integer (found '3')"),
        ('"seeds": 3', '"seedz": 3', ": seedz: unknown key; did you mean 'seeds'?"),
        (' "seeds": 3,\n', "", ": the key 'seeds' is missing"),
        ('["lone.one=0.9"]', '"lone.one=0.9"', ": runs.0: Input should be a valid list (found 'lo"),
        ('["lone.one=0.9"]', "[1]", ": runs.0.0: Input should be a valid string (found 1)"),
        (' "left_out": {}', ' "left_out": {', ":8: not valid JSON: Expecting"),
        (GOOD, "", ":1: not valid JSON: Expecting value"),
        (GOOD, "[]", ": expected an object, the fields of a design"),
        (GOOD, "[" * 100_000, ": not valid JSON: "),
    ],
)
def test_a_broken_design_is_told_in_one_line_with_its_place(
    tmp_path: Path, old: str, new: str, told: str
) -> None:
    path = tmp_path / "some.json"
    path.write_text(GOOD, encoding="utf-8")
    assert read_design(path).seeds == 3
    assert GOOD.count(old) == 1
    path.write_text(GOOD.replace(old, new), encoding="utf-8")
    with pytest.raises(UserError) as error:
        read_design(path)
    message = str(error.value)
    assert message.startswith(f"{path}{told}")
    assert message.endswith("; a design was expected, as 'repro make --explore' writes it")
    assert "\n" not in message
    assert "pydantic" not in message


def test_what_is_no_text_is_told_too(tmp_path: Path) -> None:
    (tmp_path / "folder.json").mkdir()
    (tmp_path / "bytes.json").write_bytes(b"\xff{}")
    for path in tmp_path.iterdir():
        with pytest.raises(UserError, match="cannot be read as UTF-8 text"):
            read_design(path)
