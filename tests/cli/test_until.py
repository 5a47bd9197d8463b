"""Runs are added to cells until they are decided, on the invented paper."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import Any

import pytest

from harness.judge.sequential import LOOKS
from harness.plan.exhibit import plan_exhibit
from tests.cli.conftest import INLINE
from tests.toy.paper import Outcome, Workplace, new_workplace, plotted_workplace

ROW = """
[[rows]]
name = "{id}"
label = "{id}"
bind = {{ method = "{id}" }}
cells = {{ Small = "{printed} ± {std}" }}
"""
CELLS = {
    "near": ("50.00", "0.60", 0.5, 0.006),
    "beyond": ("52.30", "0.60", 0.5, 0.006),
    "edge": ("51.00", "0.30", 0.5, 0.003),
    "wide": ("50.00", "4.00", 0.5, 0.002),
}
"""Method -> printed number and its ±, true accuracy and its spread, at a margin of 1 point."""


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    """One table whose cells are decided early, late and never."""
    made = new_workplace(tmp_path)
    table = made.specs / "tables" / "verdicts.toml"
    text = table.read_text(encoding="utf-8")
    head = text[: text.index('[[columns]]\nname = "Large"')]
    body = ""
    for name, (printed, std, truth, scatter) in CELLS.items():
        method = (made.specs / "methods" / "faithful.toml").read_text(encoding="utf-8")
        for old, new in (
            ('"faithful"', f'"{name}"'),
            ("value = 0.5\n", f"value = {truth}\n"),
            ("value = 0.002\n", f"value = {scatter}\n"),
            ("value = 10\n", f"value = {10 + len(body) % 7}\n"),  # other sets, other runs
        ):
            method = method.replace(old, new)
        made.add(f"methods/{name}.toml", method)
        body += ROW.format(id=name, printed=printed, std=std)
    table.write_text(head + body, encoding="utf-8")
    (made.specs / "claims.toml").write_text("", encoding="utf-8")
    return made


def until(place: Workplace, *more: str) -> Outcome:
    return place.repro("make", "verdicts", "--until-decided", *more, *INLINE, "--json")


def ends(outcome: Outcome) -> dict[str, dict[str, Any]]:
    return {cell["address"].split(":")[1]: cell for cell in outcome.json["cells"]}


def shown(place: Workplace) -> dict[str, dict[str, Any]]:
    return {cell["row"]: cell for cell in place.repro("show", "verdicts", "--json").json["cells"]}


def test_each_cell_is_looked_at_until_it_is_decided_or_given_up(place: Workplace) -> None:
    outcome = until(place)
    assert outcome.code == 0
    first, *later = outcome.json["looks"]
    assert set(first["runs"].values()) == {LOOKS[0]}
    assert len(first["runs"]) == len(CELLS)
    assert all(len(look["runs"]) == 1 for look in later)
    found = ends(outcome)
    assert {name: cell["verdict"] for name, cell in found.items()} == {
        "near": "reproduced",
        "beyond": "deviates",
        "edge": "inconclusive",
        "wide": "inconclusive",
    }
    assert {found[name]["why"] for name in ("near", "beyond")} == {"decided"}
    assert found["wide"]["why"] == "no look up to 12 runs is likely to decide it"
    assert found["wide"]["looks"] == [LOOKS[0]]
    assert max(found["near"]["looks"]) > LOOKS[0]
    for cell in found.values():
        assert tuple(cell["looks"]) == LOOKS[: len(cell["looks"])]


def test_what_no_number_of_runs_decides_is_said_after_three(place: Workplace) -> None:
    """Ours is known to a tenth, theirs to two points, at a margin of one."""
    place.repro("make", "verdicts:wide", *INLINE)
    assert ends(until(place))["wide"]["why"] == "no number of runs of ours is likely to decide it"


def test_show_gives_the_verdicts_that_the_last_look_gave(place: Workplace) -> None:
    found = ends(until(place))
    for name, cell in shown(place).items():
        assert cell["verdict"] == found[name]["verdict"]
        assert len(cell["reproduced"]["seeds"]) == max(found[name]["looks"])
    assert place.repro("diff", "verdicts").code == 1  # one deviates


def test_listed_seeds_come_first(place: Workplace) -> None:
    place.edit("profiles/stated.toml", "seeds = 5", "seeds = [7, 3]")
    assert place.repro("make", "verdicts", *INLINE).code == 0
    looks = until(place).json["looks"]
    assert set(looks[0]["runs"].values()) == {2}  # which are there, and suffice to be looked at
    assert looks[0]["seconds"] == 0
    for cell in shown(place).values():
        assert tuple(cell["reproduced"]["seeds"][:4]) == (7, 3, 0, 1)[: cell["reproduced"]["n"]]


def test_the_seeds_of_one_cell_come_first_in_its_looks_alone(place: Workplace) -> None:
    own = 'device = "cpu"\n[seeds_of]\n"verdicts:near:Small" = [7, 3]'
    place.edit("profiles/stated.toml", 'device = "cpu"', own)
    assert until(place).code == 0
    first = {name: tuple(cell["reproduced"]["seeds"][:2]) for name, cell in shown(place).items()}
    assert first == {name: (7, 3) if name == "near" else (0, 1) for name in CELLS}


def test_looks_make_a_verdict_harder(place: Workplace) -> None:
    until(place)
    looked = shown(place)["near"]
    runs = str(len(looked["reproduced"]["seeds"]))
    shutil.rmtree(place.root / "store" / "looks")
    once = place.repro("show", "verdicts", "--seeds", runs, "--json").json["cells"][0]
    assert once["reproduced"] == looked["reproduced"]
    wide, narrow = (cell["interval"][1] - cell["interval"][0] for cell in (looked, once))
    assert wide > narrow
    assert "judged after 2 too" in looked["why"]
    assert "judged after" not in once["why"]


def test_what_was_stopped_by_its_budget_goes_on_to_the_same_end(
    place: Workplace, tmp_path: Path
) -> None:
    other = place.copy(tmp_path / "other")
    whole = until(place)
    cost = whole.json["looks"][0]["seconds"] + whole.json["looks"][1]["seconds"]
    stopped = until(other, "--budget", f"{cost + 0.01:.2f}s")
    assert len(stopped.json["looks"]) == 2
    assert "its next look is beyond the budget" in {c["why"] for c in ends(stopped).values()}
    assert shown(other) != shown(place)
    again = until(other)
    assert ends(again) == ends(whole)
    assert shown(other) == shown(place)
    starts = other.starts()
    assert len(until(other).json["looks"]) == 1
    assert other.starts() == starts == place.starts()


def test_a_look_that_was_cut_off_counts_when_its_runs_are_there(place: Workplace) -> None:
    until(place, "--most", "2")
    before = shown(place)
    item = next(i for i in plan_exhibit(place.paper, "verdicts").items if i.address.row == "near")
    place.store.looks.add(item.key, [3])
    after = shown(place)
    assert {n: c["interval"] for n, c in after.items()} == {
        n: c["interval"] for n, c in before.items()
    }
    assert until(place, "--most", "3").json["looks"][0]["runs"]["verdicts:near:Small"] == 3
    assert len(shown(place)["near"]["reproduced"]["seeds"]) == 3


def test_runs_that_are_there_are_looked_at_first(place: Workplace) -> None:
    place.repro("make", "verdicts:near", *INLINE)
    first = until(place).json["looks"][0]["runs"]
    assert first["verdicts:near:Small"] == place.paper.profile(None).seeds
    assert first["verdicts:wide:Small"] == LOOKS[0]


def test_the_plan_says_what_comes_next_and_changes_nothing(place: Workplace) -> None:
    def plan(*more: str) -> dict[str, Any]:
        return place.repro("plan", "verdicts", "--until-decided", *more, "--json").json

    begun = plan()
    assert {(cell["next"], cell["chance"]) for cell in begun["cells"]} == {(2, None)}
    assert begun["first"]["mid"] < begun["all"]["mid"]
    assert place.starts() == 0
    until(place, "--most", "2")
    files = {name for name in place.files() if not name.startswith("memo")}
    going = plan()["cells"][0]
    assert going["next"] == 3
    assert going["chance"] > 0
    assert files == {name for name in place.files() if not name.startswith("memo")}
    assert list(until(place).json["looks"][1]["runs"]) == [going["address"]]


def test_looks_go_out_and_come_in_with_the_records(place: Workplace, tmp_path: Path) -> None:
    until(place)
    out = tmp_path / "out"
    assert place.repro("store", "export", str(out), "verdicts").code == 0
    there = Workplace(tmp_path / "there")
    shutil.copytree(place.specs, there.specs)
    assert there.repro("store", "import", str(out)).code == 0
    assert shown(there) == shown(place)
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert len(manifest["looks"]) == len(CELLS)
    # Published beside a store, they count as well.
    beside = Workplace(tmp_path / "beside")
    shutil.copytree(place.specs, beside.specs)
    shutil.copytree(out, beside.root / "store" / "published")
    assert shown(beside) == shown(place)


def test_looks_that_cannot_be_read_are_not_forgotten(place: Workplace) -> None:
    until(place, "--most", "2")
    file = next((place.root / "store" / "looks").glob("*/*.json"))
    file.write_text('["two"]', encoding="utf-8")
    outcome = place.repro("show", "verdicts")
    assert outcome.code == 3
    assert "the looks at a number cannot be read" in outcome.err
    assert outcome.err.count("\n") == 1


def test_under_a_stand_in_profile_the_first_look_is_the_last(place: Workplace) -> None:
    outcome = until(place, "--profile", "small")
    assert len(outcome.json["looks"]) == 1
    assert {c["why"] for c in ends(outcome).values()} == {
        "not comparable, so the first look is the last"
    }
    text = place.repro("make", "verdicts", "--until-decided", "-p", "small", *INLINE).out
    assert sum("the first look is the last" in line for line in text.splitlines()) == 1


def test_a_cell_whose_step_fails_is_closed_and_told(tmp_path: Path) -> None:
    place = new_workplace(tmp_path)
    outcome = place.repro("make", "broken", "--until-decided", *INLINE, "--json")
    assert outcome.code == 3
    assert "asked to fail" in outcome.err
    cells = ends(outcome)
    assert cells["Failing"]["why"] == "a run of it failed"
    assert cells["Faithful"]["looks"] == [2]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("make", "verdicts", "--until-decided", "--seeds", "3"), "leave out --seeds"),
        (("plan", "verdicts", "--until-decided", "--seeds", "3"), "leave out --seeds"),
        (("make", "verdicts", "--until-decided", "--executor", "slurm"), "--executor slurm"),
        (("make", "verdicts", "averaged", "--until-decided"), "one exhibit"),
        (("make", "scatter", "--until-decided", *INLINE), "nothing to decide"),
        (("make", "verdicts", "--until-decided", "--budget", "soon"), "such as 8h"),
        (("make", "verdicts", "--until-decided", "--budget", "0s", *INLINE), "a larger budget"),
        (("make", "verdicts", "--until-decided", "--explore", "2"), "does not go with --explore;"),
        (("make", "verdicts", "--until-decided", "--cluster", "c"), "does not go with --cluster;"),
        (("make", "verdicts", "--until-decided", "--write-only"), "does not go with --write-only"),
        (("make", "verdicts", "--most", "3"), "--budget are of --until-decided; add it"),
        (("plan", "verdicts", "--most", "3"), "--until-decided"),
    ],
)
def test_what_it_cannot_do_is_one_message(
    tmp_path: Path, arguments: tuple[str, ...], told: str
) -> None:
    place = plotted_workplace(tmp_path)
    outcome = place.repro(*arguments)
    assert outcome.code == 2
    assert told in outcome.err
    assert outcome.err.count("\n") == 1
    assert not (place.root / "store").exists() or place.starts() == 0


def test_a_cell_that_open_claims_read_comes_before_one_that_none_reads(place: Workplace) -> None:
    """The cell that came last of those that go on comes first when enough open claims read it."""
    plan = ("plan", "verdicts", "--until-decided", "--json")
    place.repro("make", "verdicts", "--until-decided", "--most", "2", *INLINE)
    alone = {cell["address"]: cell for cell in place.repro(*plan).json["cells"]}
    going = [address for address, cell in alone.items() if cell["next"]]
    assert len(going) > 1, [cell["why"] for cell in alone.values()]
    first, last = going[0], going[-1]
    enough = math.ceil(alone[first]["promise"] / alone[last]["promise"])
    row = last.split(":")[1]
    number = shown(place)[row]["reproduced"]["mean"]
    claim = (
        '[[claims]]\nid = "c{i}"\ntext = "It is so much"\nwhere = "Section 1"\nkind = "within"\n'
    )
    claim += 'exhibit = "verdicts"\nrows = ["{row}"]\ncolumns = ["Small"]\nlow = {low}\n'
    for i in range(enough):
        place.add("claims.toml", claim.format(i=i, row=row, low=number + i / 100))
    found = {cell["address"]: cell for cell in place.repro(*plan).json["cells"]}
    assert next(iter(found)) == last != first
    assert found[last]["claims"] == [f"c{i}" for i in range(enough)]
    assert found[last]["promise"] == pytest.approx((1 + enough) * alone[last]["promise"])
    assert all(found[at] == alone[at] for at in found.keys() - {last})
    looked = place.repro("make", "verdicts", "--until-decided", *INLINE, "--json").json["looks"]
    assert list(looked[1]["runs"]) == [last]
