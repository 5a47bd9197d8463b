"""Files that were accepted and are not as they were: cut down, broken, deleted, with fewer runs."""

from __future__ import annotations

import json

import pytest

from tests.toy.paper import Workplace

READING = [("show", "table2"), ("diff", "table2"), ("verify",), ("status",), ("plan", "table2")]


@pytest.mark.parametrize("command", READING)
def test_a_file_without_any_result_left_is_noticed(
    added: Workplace, command: tuple[str, ...]
) -> None:
    runs = added.root / "runs.csv"
    runs.write_text(runs.read_text().splitlines()[0] + "\n")
    (line,) = added.repro(*command).err.splitlines()
    assert "table2: runs.csv changed since its numbers were accepted" in line
    assert (
        "than accepted: Plain:Wine (0 of 1), ResNet-18:Iris (0 of 3), ResNet-18:Wine (0 of 3);"
        in line
    )


def test_where_files_give_nothing_they_are_named_as_the_reason(added: Workplace) -> None:
    (added.root / "runs.csv").write_text("method,dataset,seed,accuracy\n")
    shown = added.repro("show", "table2", "--json").json
    assert shown["profile"] == "stated"
    assert list(shown["not_run"]) == ["The files of its [[evidence]] have no number for it."]
    small = added.repro("show", "table2", "--profile", "small", "--json").json
    (why,) = small["not_run"]
    assert why.endswith("[[evidence]] count under profile stated.")


@pytest.mark.parametrize("profile", [(), ("--profile", "small")])
@pytest.mark.parametrize("broken", [True, False])
def test_verify_fails_where_evidence_is_gone_and_others_say_the_same_line(
    added: Workplace, broken: bool, profile: tuple[str, ...]
) -> None:
    runs = added.root / "runs.csv"
    if broken:
        runs.write_text(runs.read_text().replace("0.7501", "n/a"))
    else:
        runs.unlink()
    said = added.repro("verify", *profile)
    (line,) = said.err.splitlines()
    assert said.code == 3
    assert line.startswith("repro: table2 has no results: ")
    assert ("runs.csv:5" if broken else "gone now: runs.csv") in line
    assert added.repro("verify", *profile, "--json").json["problems"] == [line[7:]]
    for command in (("plan", "table2"), ("status",), ("report",), ("list",)):
        other = added.repro(*command, *(profile if command != ("list",) else ()))
        assert (other.code, other.err.splitlines()) == (0, [line]), command


def test_a_run_that_is_gone_is_said_and_then_shown_beside_the_number(added: Workplace) -> None:
    runs = added.root / "runs.csv"
    runs.write_text(runs.read_text().replace("resnet_18,iris,1,0.7499\n", ""))
    (line,) = added.repro("show", "table2").err.splitlines()
    assert line.count("; fewer runs than accepted: ResNet-18:Iris (2 of 3); look") == 1
    assert added.repro("evidence", "accept").code == 0
    shown = added.repro("show", "table2")
    assert shown.err == ""
    assert "(n = 2)" in shown.out
    assert "(n = 3)" not in shown.out


def test_a_lock_of_before_runs_were_kept_is_still_read(added: Workplace) -> None:
    lock = added.specs / "evidence.lock"
    held = json.loads(lock.read_text())
    lock.write_text(json.dumps({table: each["files"] for table, each in held.items()}))
    assert added.repro("show", "table2").err == ""
    (added.root / "runs.csv").write_text("method,dataset,seed,accuracy\n")
    (line,) = added.repro("show", "table2").err.splitlines()
    assert "runs.csv changed" in line


def test_one_file_of_several_that_is_gone_is_said_to_be(
    added: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    added.edit("tables/table2.toml", '"runs.csv"', '"run*.csv"')
    (added.root / "runs2.csv").write_text("method,dataset,seed,accuracy\nPlain,Iris,0,0.6\n")
    assert added.repro("evidence", "accept").code == 0
    (added.root / "runs2.csv").unlink()
    (line,) = added.repro("show", "table2").err.splitlines()
    assert (
        "table2: accepted, but gone now: runs2.csv; fewer runs than accepted: Plain:Iris (0 of 1);"
        in line
    )


@pytest.mark.parametrize(
    "command", [("show", "table2"), ("diff", "table2"), ("evidence", "accept", "table2")]
)
def test_where_a_file_is_gone_what_needs_it_exits_as_verify_does(
    added: Workplace, command: tuple[str, ...]
) -> None:
    (added.root / "runs.csv").unlink()
    said = added.repro(*command)
    assert said.code == added.repro("verify").code == 3
    assert "gone now: runs.csv" in said.err


def test_the_list_says_whether_files_are_gone_or_hold_nothing(added: Workplace) -> None:
    def remark() -> str:
        listed = added.repro("list", "--json").json["exhibits"]
        return next(str(each["remark"]) for each in listed if each["id"] == "table2")

    runs = added.root / "runs.csv"
    lines = runs.read_text()
    runs.write_text(lines.splitlines()[0] + "\n")
    assert remark().startswith("no result in its files")
    runs.write_text(lines.replace("0.7501", "n/a"))
    assert remark().startswith("its files cannot be read")
    runs.unlink()
    assert remark().startswith("a file of its results is gone")
