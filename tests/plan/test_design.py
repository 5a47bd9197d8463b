"""Designs as they are written down and read."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import UserError
from harness.plan.design import read_design

ROOT = Path(__file__).parents[2]


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
