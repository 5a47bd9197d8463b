"""A table judged by results that exist in files."""

from __future__ import annotations

import json

import pytest

from tests.toy.paper import Workplace

CLAIM = """
[[claims]]
id = "resnet-leads"
text = "The network is better"
where = "Section 4"
kind = "greater"
exhibit = "table2"
better = ["ResNet-18"]
worse = ["Plain"]
columns = ["Wine"]
"""
ADD = ("evidence", "add", "table2")


def test_what_is_clear_is_guessed_and_written(
    place: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place.root)
    done = place.repro(*ADD, "runs.csv", "--json").json["accepted"][0]
    (entry,) = place.paper.exhibits["table2"].evidence  # type: ignore[attr-defined]
    assert (entry.row, entry.column, entry.seed) == ("method", "dataset", "seed")
    assert (entry.value, entry.scale, entry.files) == ("accuracy", 100, ("runs.csv",))
    assert (done["cells"], done["of"], done["unknown"]) == (3, 4, ["other"])


def test_they_are_judged_like_runs_and_said_not_to_be_run_here(added: Workplace) -> None:
    shown = added.repro("show", "table2", "--json").json
    cells = {(cell["row"], cell["column"]): cell for cell in shown["cells"]}
    wine, iris = cells["ResNet-18", "Wine"], cells["ResNet-18", "Iris"]
    ours = wine["reproduced"]
    assert (ours["n"], ours["seeds"]) == (3, [0, 1, 2])
    assert (ours["source"], ours["files"]) == ("evidence", ["runs.csv"])
    assert ours["mean"] == pytest.approx(90.0)
    assert ours["std"] == pytest.approx(0.01)
    assert (wine["verdict"], iris["verdict"]) == ("reproduced", "deviates")
    assert cells["Plain", "Wine"]["reproduced"]["n"] == 1
    assert cells["Plain", "Iris"]["verdict"] == "not run"
    assert shown["not_run"] == {
        "The files of its [[evidence]] have no number for it.": ["table2:Plain:Iris"]
    }
    assert shown["notices"] == []


@pytest.mark.parametrize("command", ["show", "diff", "make"])
def test_people_are_told_too(added: Workplace, command: str) -> None:
    said = added.repro(command, "table2")
    assert "not run here, but read from runs.csv" in " ".join(said.out.split())
    assert said.err == ""
    if command == "make":
        tex = (added.root / "build" / "stated" / "table2.tex").read_text()
        assert "not run here, but read from runs.csv" in tex


def test_a_stand_in_profile_has_none_of_them(added: Workplace) -> None:
    shown = added.repro("show", "table2", "--profile", "small", "--json").json
    assert {cell["reproduced"] for cell in shown["cells"]} == {None}


def test_compare_has_them_under_the_profile_that_they_are_of(added: Workplace) -> None:
    def kinds(*sides: str) -> dict[str, str]:
        found = added.repro("compare", *sides, "table2", "--json").json["changes"]
        return {item["name"]: item["kind"] for item in found}

    read = [f"table2:{cell}" for cell in ("ResNet-18:Wine", "ResNet-18:Iris", "Plain:Wine")]
    assert kinds("stated", "stated") == dict.fromkeys(read, "equal")
    assert kinds("stated", "small") == dict.fromkeys(read, "only in A")
    (added.root / "others").mkdir()
    assert kinds("others", "stated") == dict.fromkeys(read, "only in B")


@pytest.mark.parametrize(
    "command",
    [("show", "table2"), ("diff", "table2"), ("make", "table2"), ("verify",), ("report",)],
)
def test_a_changed_file_is_noticed_on_one_line_until_it_is_accepted(
    added: Workplace, command: tuple[str, ...]
) -> None:
    (added.specs / "claims.toml").write_text(CLAIM)
    runs = added.root / "runs.csv"
    runs.write_text(runs.read_text().replace("0.9001", "0.9002"))
    said = added.repro(*command).err.splitlines()
    assert [line for line in said if "runs.csv changed" in line] == said
    assert len(said) == 1
    assert added.repro("evidence", "accept", "table2").code == 0
    assert added.repro(*command).err == ""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("0.7501", "n/a", "runs.csv:5: field 'accuracy' holds 'n/a'; expected a finite number"),
        ("0.7501", "nan", "runs.csv:5: field 'accuracy' holds 'nan'; expected a finite number"),
        (
            "iris,1",
            "iris,0",
            "runs.csv:6: a second number of row 'ResNet-18', column 'Iris', with seed 0; the first",
        ),
        ("iris,1", "iris,", "runs.csv:6: field 'seed' holds ''; expected what tells this run from"),
        ("method,", "model,", "runs.csv:2: no field 'method'; did you mean 'model'?"),
        ("other,wine,0,0.1", "other,wine", "line 9 has 2 fields, the heading has 4"),
    ],
)
def test_a_mistake_in_a_file_is_one_message_with_its_place(
    added: Workplace, old: str, new: str, message: str
) -> None:
    runs = added.root / "runs.csv"
    runs.write_text(runs.read_text().replace(old, new))
    said = added.repro("show", "table2")
    assert said.code == 2
    assert message in said.err
    assert len(said.err.splitlines()) == 1


def test_a_missing_file_is_named_with_the_line_of_the_spec(added: Workplace) -> None:
    (added.root / "runs.csv").rename(added.root / "others.csv")
    said = added.repro("show", "table2")
    line = added.line("tables/table2.toml", "[[evidence]]")
    assert said.code == 3
    assert f"table2.toml:{line + 1}: evidence.0.files.0: no file of" in said.err
    assert "is called 'runs.csv'; accepted (evidence.lock), but gone now: runs.csv." in said.err


def test_what_is_not_clear_is_asked_for_and_nothing_is_written(
    place: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place.root)
    before = (place.specs / "tables" / "table2.toml").read_text()
    (place.root / "x.csv").write_text("a,b,c\n1,2,3\n")
    said = place.repro(*ADD, "x.csv")
    assert said.code == 2
    assert (
        "give --row FIELD --column FIELD --value FIELD. The fields are: file, a, b, c" in said.err
    )
    assert place.repro(*ADD, "no.csv").code == 2
    assert place.repro(*ADD, "../x.csv").code == 2
    twice = place.repro(*ADD, "runs.csv", "--seed", "dataset")
    assert "a second number" in twice.err
    assert (place.specs / "tables" / "table2.toml").read_text() == before


def test_columns_may_be_fields_and_parts_of_paths(
    place: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place.root)
    for seed in (1, 2):
        path = place.root / "out" / f"plain_seed{seed}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f'{{"final": {{"Wine": 70.{seed}, "acc.iris": 60.{seed}}}}}')
    done = place.repro(
        *ADD, "out/{model}_seed{seed}.json", "--row", "model", "--value", "Wine=final.Wine",
        "--value", "Iris=final.acc.iris",
    )  # fmt: skip
    assert done.code == 0, done.err
    shown = place.repro("show", "table2", "--json").json["cells"]
    plain = [cell["reproduced"] for cell in shown if cell["row"] == "Plain"]
    assert [(each["mean"], each["seeds"]) for each in plain] == [
        (pytest.approx(70.15), [1, 2]),
        (pytest.approx(60.15), [1, 2]),
    ]


def test_a_row_may_be_named_by_several_fields(
    place: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place.root)
    (place.root / "nets.csv").write_text("net,depth,seed,acc\nResNet,18,0,90.1\nVGG,18,0,10\n")
    place.edit("tables/table2.toml", 'name = "ResNet-18"\n', 'name = "ResNet/18"\n')
    entry = '[[evidence]]\nfiles = ["nets.csv"]\nrow = ["net", "depth"]\nseed = "seed"\n'
    place.add("tables/table2.toml", f'\n{entry}value = {{ Wine = "acc" }}\n')
    shown = place.repro("show", "table2", "--json").json["cells"]
    found = {(c["row"], c["column"]): c["reproduced"]["mean"] for c in shown if c["reproduced"]}
    assert found == {("ResNet/18", "Wine"): 90.1}


RUNS = "model,seed,acc\nResNet-18,0,90.03\nResNet-18,1,{}\nResNet-18,2,{}\n"
DECLARED = '\n[[evidence]]\nfiles = ["one.csv"]\nrow = "model"\nseed = "seed"\n'


@pytest.mark.parametrize(
    ("rest", "n", "verdict"),
    [
        (("70.1", "71.2"), 3, "inconclusive"),
        (("90.03", "90.03"), 1, "reproduced"),
        (("90.03", "90.0300000001"), 1, "reproduced"),
    ],
)
def test_runs_that_differ_refute_that_a_number_is_deterministic(
    place: Workplace, rest: tuple[str, str], n: int, verdict: str
) -> None:
    (place.root / "one.csv").write_text(RUNS.format(*rest))
    place.edit("tables/table2.toml", "[measure]\n", "[measure]\ndeterministic = true\n")
    place.add("tables/table2.toml", f'{DECLARED}value = {{ Wine = "acc" }}\n')
    (cell,) = (c for c in place.repro("diff", "table2", "--json").json["cells"] if c["reproduced"])
    assert (cell["reproduced"]["n"], cell["verdict"]) == (n, verdict)
    assert ("in every run" in cell["why"]) == (n == 1)
    said = " ".join(place.repro("diff", "table2").out.split())
    told = "Its runs differ in accuracy, which is declared deterministic (70.1: seed 1; 90.03"
    assert (told in said) == (n == 3)


def test_a_share_in_parentheses_is_no_error(place: Workplace) -> None:
    place.edit("tables/table2.toml", 'Wine = "90.00 ± 0.10"', 'Wine = "12 (3.4)"')
    place.edit("tables/table2.toml", 'spread = "std"', 'spread = "share"')
    cells = place.repro("show", "table2", "--json").json["cells"]
    reported = next(c["reported"] for c in cells if c["reported"]["text"] == "12 (3.4)")
    assert (reported["mean"], reported["error"], reported["spread"]) == (12, None, "share")


def test_names_filters_and_places_may_be_options(
    place: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place.root)
    runs = [{"net": "rn18", "s": "test", "acc": 0.8}, {"net": "rn18", "s": "val", "acc": 0.7}]
    (place.root / "one.json").write_text(json.dumps({"runs": runs}))
    done = place.repro(
        *ADD, "one.json", "--inside", "runs.{number}", "--row", "net", "--value", "Wine=acc",
        "--where", "s=test", "--name", "rn18=ResNet-18",
    )  # fmt: skip
    assert done.code == 0, done.err
    cells = place.repro("show", "table2", "--json").json["cells"]
    assert [c["reproduced"]["mean"] for c in cells if c["reproduced"]] == [80.0]
    wrong = place.repro(*ADD, "one.json", "--name", "rn18")
    assert (wrong.code, len(wrong.err.splitlines())) == (2, 1)
    assert "found 'rn18', expected two texts with = between them" in wrong.err
