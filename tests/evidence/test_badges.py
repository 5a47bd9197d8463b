"""Badges of a paper with results in files: none says more than was read and run."""

from __future__ import annotations

import json

import pytest

from tests.evidence.conftest import TABLE
from tests.evidence.test_judged import CLAIM
from tests.toy.paper import Workplace


def badges(place: Workplace, *command: str) -> dict[str, tuple[str, str, str]]:
    """Name -> label, message and colour."""
    place.repro(*command, str(place.root / "out"))
    return {
        path.stem: (told["label"], told["message"], told["color"])
        for path in (place.root / "out").rglob("*.json")
        if "schemaVersion" in (told := json.loads(path.read_text(encoding="utf-8")))
    }


@pytest.fixture
def two(added: Workplace) -> Workplace:
    """Table 2 has all its numbers; Table 3 has one that deviates, in a file of its own."""
    for name in ("verdicts", "averaged", "broken"):
        (added.specs / "tables" / f"{name}.toml").unlink()
    added.edit("tables/table2.toml", "80.00 ± 0.10", "75.00 ± 0.10")
    added.edit("tables/table2.toml", ', Iris = "60.00 ± 0.10"', "")
    with (added.root / "runs.csv").open("a", encoding="utf-8") as runs:
        runs.write("plain,wine,1,0.6998\nplain,wine,2,0.7001\n")
    other = TABLE.replace("able2", "able3").replace("able 2", "able 3")
    entry = '\n[[evidence]]\nfiles = ["other.csv"]\nrow = "method"\nvalue = { Wine = "acc" }\n'
    added.add("tables/table3.toml", other + entry + 'seed = "seed"\n')
    lines = "method,seed,acc\nResNet-18,0,50.0\nResNet-18,1,50.1\nResNet-18,2,49.9\n"
    (added.root / "other.csv").write_text(lines, encoding="utf-8")
    (added.specs / "claims.toml").write_text(CLAIM, encoding="utf-8")
    return added


def test_a_file_that_is_gone_betters_no_badge(two: Workplace) -> None:
    before = badges(two, "report", "--out")
    assert (before["paper"][2], before["table3"][2]) == ("red", "red")
    (two.root / "other.csv").unlink()
    after = badges(two, "report", "--out")
    assert after["paper"] == ("numbers", "3 of 3 reproduced, 1 exhibit not read", "lightgrey")
    assert after["table3"] == ("Table 3", "not read", "lightgrey")


def test_nor_one_of_claims(two: Workplace) -> None:
    (two.root / "other.csv").unlink()
    told = badges(two, "verify", "--badge")
    message = "1 of 1 tested claim holds, 1 exhibit not read"
    assert told["paper"][1:] == (message, "lightgrey")
    assert told["table2"][2] == "brightgreen"
    assert told["table3"][1:] == ("no claim was tested, 1 exhibit not read", "lightgrey")


def test_a_claim_that_fails_on_ours_is_not_bright_green(two: Workplace) -> None:
    fine = badges(two, "verify", "--badge")
    label, message = "Table 2: claims on the paper's numbers", "1 of 1 tested claim holds"
    assert fine["table2"] == (label, message, "brightgreen")
    assert fine["paper"] == (label.removeprefix("Table 2: "), message, "brightgreen")
    runs = two.root / "runs.csv"
    runs.write_text(runs.read_text().replace("0.9", "0.6").replace("0.8999", "0.5999"))
    told = badges(two, "verify", "--badge")
    assert told["table2"] == (label, f"{message}, 1 fails on ours", "orange")
    assert told["paper"][1:] == told["table2"][1:]


def test_a_printed_number_that_was_not_run_is_counted_beside_the_others(two: Workplace) -> None:
    complete = ("Table 2", "3 of 3 reproduced", "brightgreen")
    assert badges(two, "report", "--out")["table2"] == complete
    two.edit("tables/table2.toml", 'Wine = "70.00 ± 0.10"', 'Wine = "70.00 ± 0.10", Iris = "60"')
    told = badges(two, "report", "--out")
    assert told["table2"] == ("Table 2", "3 of 3 reproduced, 1 not run", "lightgrey")
