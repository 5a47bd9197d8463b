"""Exploring alternatives by a design, and what turns a verdict, on the invented paper."""

from __future__ import annotations

import json
import re
from collections import Counter
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from harness.judge.effects import Effect
from harness.judge.model import VerdictName
from harness.plan.design import Alternative, arranged
from harness.study.flips import Choices, _Search
from tests.report.sites import pages, report
from tests.toy.paper import Workplace, new_workplace, plotted_workplace

INLINE = ("--executor", "inline")
SETTING = """
[settings.{name}]
value = {value}
source = "inferred"
why = "The paper does not say."
alternatives = [{other}]
"""
METHOD = """
id = "{id}"
label = "{id}"
origin = "invented"
state = "runs"
images = {{ paper = "real", here = "real" }}
{settings}
[settings.fail]
value = false
source = "paper"
place = "Section 1"

[[steps]]
id = "drawn"
step = "draw"
params = {{ count = "{{size}}" }}

[[steps]]
id = "chosen"
step = "select"
inputs = {{ draw = "drawn" }}
params = {{ keep = "{{keep}}" }}
"""
RECIPE = """
id = "factors"
label = "Factors"

[settings.epochs]
value = 3
source = "paper"
place = "Section 1"

[[steps]]
id = "measured"
step = "measure"
inputs = { images = "{images}" }
params = { mean = { product = ["{one}", "{other}"] }, std = "{scatter}", fail = "{fail}" }
seed = "{seed}"
"""
ROW = """
[[rows]]
name = "{id}"
label = "{id}"
bind = {{ method = "{id}" }}
cells = {{ Small = "50.00 ± 0.05" }}
"""
LONE = {"one": (1.0, 0.9), "other": (0.5, 0.5005), "scatter": (0.0005, 0.05), "keep": (10, 5)}
"""Setting -> value and alternative: `one` turns the verdict, `scatter` weakens it, nothing comes of
`keep` or of `other`, which is a twentieth of a point."""
PAIR = {"one": (1.0, 0.985), "other": (0.5, 0.493), "scatter": (0.0005, 0.0006), "keep": (10, 5)}
"""`one` and `other` are 0.7 points each; only both are more than the margin of 1."""


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    made = new_workplace(tmp_path)
    text = (made.specs / "tables" / "verdicts.toml").read_text(encoding="utf-8")
    head = text[: text.index('[[columns]]\nname = "Large"')]
    head = head.replace('id = "verdicts"', 'id = "open"').replace("Table 1", "Table 9")
    head = head.replace('recipe = "measuring"', 'recipe = "factors"')
    rows = "".join(ROW.format(id=id) for id in ("lone", "pair"))
    made.add("tables/open.toml", head + rows)
    made.add("recipes/factors.toml", RECIPE)
    for id, settings in (("lone", LONE), ("pair", PAIR)):
        texts = [SETTING.format(name=n, value=v, other=o) for n, (v, o) in settings.items()]
        made.add(f"methods/{id}.toml", METHOD.format(id=id, settings="".join(texts)))
    return made


def flips(place: Workplace, row: str) -> dict[str, Any]:
    found = place.repro("assumptions", "open", "--flips", "--json")
    assert found.code == 0, found.err
    cells = {cell["address"]: cell for cell in found.json["verdicts"]}
    return cells[f"open:{row}:Small"]


def turns(cell: dict[str, Any]) -> dict[str, str]:
    return {", ".join(each["choices"]): each["turn"] for each in cell["readings"]}


def test_a_design_is_written_down_before_it_runs_and_found_again(place: Workplace) -> None:
    command = ("make", "open", "--explore", "8", "--json")
    written = place.repro(*command, "--write-only").json["design"]
    assert place.store.events.read() == []
    path = Path(written["file"])
    assert path.parent == place.root / "designs"
    assert sorted(map(tuple, written["runs"])) == sorted(
        (f"{row}.{name}={json.dumps(other)}",)
        for row, settings in (("lone", LONE), ("pair", PAIR))
        for name, (_, other) in settings.items()
    )
    before = path.read_bytes()
    made = place.repro(*command, *INLINE).json
    assert path.read_bytes() == before
    told = place.repro("assumptions", "open", "--flips", "--json").json
    assert {"version": told["version"], **made["turned_by"]} == told
    assert "found" in place.repro("make", "open", "--explore", "8", *INLINE).out


def test_the_name_of_a_design_counts_the_runs_that_it_holds(place: Workplace) -> None:
    def file(*arguments: str) -> str:
        more = ("--vary", "lone.one=0.9", "--write-only", "--json")
        return place.repro("make", *arguments, *more).json["design"]["file"]

    few = file("open", "--explore", "1")
    assert few.endswith("open-stated-1x5.json")
    assert file("open", "--explore", "1000000") == few
    assert file("open", "open", "--explore", "2") == few
    assert [path.name for path in (place.root / "designs").iterdir()] == [Path(few).name]
    many = place.repro("make", "open", "--explore", "5000", "--write-only", "--json")
    assert f"-{len(many.json['design']['runs'])}x5.json" in many.json["design"]["file"]


def test_designs_of_as_many_runs_stand_side_by_side(place: Workplace) -> None:
    def write(alternative: str) -> dict[str, Any]:
        more = ("--explore", "1", "--vary", alternative, "--write-only", "--json")
        return place.repro("make", "open", *more).json["design"]

    one, other = write("lone.one=0.9"), write("lone.other=0.5005")
    assert (one["runs"], other["runs"]) == ([["lone.one=0.9"]], [["lone.other=0.5005"]])
    assert one["file"] != other["file"]
    assert (write("lone.one=0.9"), write("lone.other=0.5005")) == (one, other)
    assert len([*(place.root / "designs").iterdir()]) == 2


@pytest.mark.parametrize("names", ["abcd", "abcde", "aabbc", "aaabcdefghijk"])
def test_more_runs_are_never_fewer(names: str) -> None:
    known = [Alternative(name, k, frozenset("xyz"[k % 3])) for k, name in enumerate(names)]
    counts = [len(arranged(known, runs)) for runs in range(1, 60)]
    assert counts == sorted(counts)
    assert counts[: len(known)] == [*range(1, len(known) + 1)]
    assert len(arranged(known, 1_000_000)) == len(set(arranged(known, 1_000_000))) == counts[-1]


@pytest.fixture
def factors(tmp_path: Path) -> Workplace:
    """A paper of one table whose only number depends on three settings, one with two others."""
    made = new_workplace(tmp_path)
    text = (made.specs / "tables" / "verdicts.toml").read_text(encoding="utf-8")
    head = text[: text.index('[[columns]]\nname = "Large"')]
    head = head.replace('id = "verdicts"', 'id = "open"').replace("Table 1", "Table 9")
    head = head.replace('recipe = "measuring"', 'recipe = "factors"')
    made.add("tables/open.toml", head + ROW.format(id="lone"))
    made.add("recipes/factors.toml", RECIPE)
    settings = {"one": "0.9, 0.8", "other": "0.4", "scatter": "0.05"}
    texts = [SETTING.format(name=n, value=LONE[n][0], other=o) for n, o in settings.items()]
    texts.append('[settings.keep]\nvalue = 10\nsource = "paper"\nplace = "Section 1"\n')
    made.add("methods/lone.toml", METHOD.format(id="lone", settings="".join(texts)))
    return made


ALL = ["lone.one=0.8", "lone.one=0.9", "lone.other=0.4", "lone.scatter=0.05"]


def explored(place: Workplace, runs: int, *only: str) -> dict[str, Any]:
    more = [word for text in only for word in ("--vary", text)]
    found = place.repro("make", "open", "--explore", str(runs), *more, "--write-only", "--json")
    assert found.code == 0, found.err
    return found.json["design"]


@pytest.mark.parametrize("runs", [2, 3])
def test_few_runs_try_every_alternative_and_its_absence(factors: Workplace, runs: int) -> None:
    design = explored(factors, runs)
    assert len(design["runs"]) == runs
    times = Counter(chain.from_iterable(design["runs"]))
    assert sorted(times) == ALL
    assert max(times.values()) < runs
    assert design["left_out"] == {}


def test_what_so_few_runs_cannot_take_is_left_out_with_its_reason(factors: Workplace) -> None:
    design = explored(factors, 1)
    (run,) = design["runs"]
    ((text, why),) = design["left_out"].items()
    assert sorted([*run, text]) == ALL
    assert why == (
        "a run takes one of the 2 alternatives of lone.one that are explored; for all of them it "
        "needs --explore 2"
    )
    shown = factors.repro("make", "open", "--explore", "1", "--write-only").out
    assert f"left out: {text}: {why}" in shown
    assert "not in it" not in shown


def test_alternatives_that_are_named_share_the_only_run(factors: Workplace) -> None:
    named = ("lone.one=0.9", "lone.other=0.4")
    design = explored(factors, 1, *named)
    assert (design["runs"], design["left_out"]) == ([[*named]], {})


def test_what_is_not_in_a_design_that_is_found_is_said(factors: Workplace) -> None:
    """Found again, it stays as it was written down, though more is asked for now."""
    explored(factors, 1, "lone.other=0.4")
    design = explored(factors, 1)
    assert design["runs"] == [["lone.other=0.4"]]
    assert design["missing"] == ["lone.one=0.8", "lone.one=0.9", "lone.scatter=0.05"]
    shown = factors.repro("make", "open", "--explore", "1", "--write-only").out
    assert "not in it: lone.one=0.8, lone.one=0.9, lone.scatter=0.05; remove the file" in shown
    Path(design["file"]).unlink()
    assert explored(factors, 1)["missing"] == []


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"lone.other=0.4"', '"foo.bar=3"', "runs.0: 'foo.bar=3': unknown setting 'foo.bar'; "),
        ('"lone.other=0.4"', '"lone.other=7"', "runs.0: 'lone.other=7': expected one of 0.5, 0.4"),
        ('"seeds": 5', '"seeds": -4', "seeds: Input should be greater than 0 (found -4)"),
        ('"seeds": 5', '"seeds": ', "not valid JSON: "),
    ],
)
def test_a_design_that_cannot_be_taken_is_told_in_one_line(
    factors: Workplace, old: str, new: str, told: str
) -> None:
    assert factors.repro("make", "open", *INLINE).code == 0
    before = factors.starts()
    path = Path(explored(factors, 1, "lone.other=0.4")["file"])
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")
    for command in (("make", "open", "--explore", "1"), ("assumptions", "open", "--flips")):
        refused = factors.repro(*command)
        assert refused.code == 2
        assert f"{path}:" in refused.err
        assert told in refused.err
        assert refused.err.count("\n") == 1
    assert factors.starts() == before


def test_with_fewer_runs_each_number_still_meets_one_alternative_at_a_time(
    place: Workplace,
) -> None:
    runs = place.repro("make", "open", "--explore", "4", "--write-only", "--json").json["design"][
        "runs"
    ]
    assert len(runs) == 4
    for run in runs:
        assert sorted(text.partition(".")[0] for text in run) == ["lone", "pair"]


def test_alone_one_choice_turns_one_weakens_and_the_rest_do_nothing(place: Workplace) -> None:
    assert place.repro("make", "open", "--explore", "8", *INLINE).code == 0
    cell = flips(place, "lone")
    assert cell["verdict"] == "reproduced"
    assert cell["untried"] == []
    assert turns(cell) == {
        "lone.one=0.9": "turned",
        "lone.scatter=0.05": "weakened",
        "lone.other=0.5005": "none",
        "lone.keep=5": "none",
    }
    effects = {each["choices"][0]: each["effect"] for each in cell["readings"]}
    assert effects["lone.one=0.9"]["estimate"] == pytest.approx(-5, abs=0.01)
    assert [each["reading"]["choices"] for each in cell["sets"]] == [["lone.one=0.9"]]
    assert flips(place, "pair")["sets"] == []


def test_what_was_run_with_some_seeds_is_begun(place: Workplace) -> None:
    few = ("make", "open:lone", "--seeds", "2", "--vary", "lone.one=0.9")
    assert place.repro("make", "open", *INLINE).code == 0
    assert place.repro(*few, *INLINE).code == 0
    cell = flips(place, "lone")
    assert cell["begun"] == {"lone.one=0.9": 2}
    assert "lone.one=0.9" in cell["untried"]
    shown = place.repro("assumptions", "open", "--flips").out
    assert "begun: lone.one=0.9, 2 seeds of 5" in shown


def test_a_design_also_runs_the_seeds_that_one_cell_is_spared(place: Workplace) -> None:
    own = 'device = "cpu"\n[seeds_of]\n"open:lone:Small" = 2'
    place.edit("profiles/stated.toml", 'device = "cpu"', own)
    for more in ((), ("--vary", "lone.one=0.9")):
        assert place.repro("make", "open:lone", *more, *INLINE).code == 0
    assert flips(place, "lone")["begun"] == {"lone.one=0.9": 2}
    before = place.starts()
    explored = ("--explore", "1", "--vary", "lone.one=0.9")
    assert place.repro("make", "open:lone", *explored, *INLINE).code == 0
    assert place.starts() == before + 2 * 3, "of the default and of the alternative"
    assert turns(flips(place, "lone")) == {"lone.one=0.9": "turned"}


def test_what_was_run_for_a_stated_number_is_tried(tmp_path: Path) -> None:
    """Of such a number, and of how numbers are read, no list of its own steps tells that."""
    plotted = plotted_workplace(tmp_path)
    for more in ((), ("--vary", "wide.keep=5")):
        assert plotted.repro("make", "scatter", "--seeds", "5", *more, *INLINE).code == 0
    found = plotted.repro("assumptions", "scatter", "--flips", "--json").json["verdicts"]
    stated = next(each for each in found if each["address"] == "scatter:stated:rho")
    assert "wide.keep=5" not in stated["untried"]
    assert not [text for text in stated["untried"] if text.startswith("scatter.adjustment")]
    assert stated["untried"]
    alone = [", ".join(each["choices"]) for each in stated["readings"]]
    assert "wide.keep=5" in alone
    assert [text for text in alone if text.startswith("scatter.adjustment")]


def test_a_set_is_a_flip_set_only_when_fresh_seeds_agree(place: Workplace) -> None:
    place.repro("make", "open", "--explore", "8", *INLINE)
    (found,) = flips(place, "lone")["sets"]
    assert (found["standing"], found["fresh"]) == ("to be confirmed", "not run")
    name, *arguments = found["command"].replace("'", "").split()
    assert name == "repro"
    assert place.repro(*arguments, *INLINE).code == 0
    (found,) = flips(place, "lone")["sets"]
    assert (found["standing"], found["fresh"]) == ("flip set", "deviates")
    assert "FLIP SET" in place.repro("assumptions", "open", "--flips").out
    page = pages(report(place))["exhibits/open.html"].said
    change = r"open:lone:Small: reproduced → deviates, turned; by -\d\S* \(-\d\S* to -\d\S*\); FLIP"
    assert re.search(change, page)
    assert page.count("flips a verdict") == page.count("FLIP SET, confirmed on fresh seeds") == 1


def test_no_design_takes_back_what_was_confirmed(place: Workplace) -> None:
    """Of more seeds, of other cells, or one that was only written."""
    place.repro("make", "open", "--explore", "8", *INLINE)
    (found,) = flips(place, "lone")["sets"]
    assert place.repro(*found["command"].replace("'", "").split()[1:], *INLINE).code == 0
    before = place.repro("assumptions", "open", "--flips").out
    more = ("--explore", "1", "--vary", "pair.keep=5", "--seeds", "9")
    assert place.repro("make", "open:pair", *more, "--write-only").code == 0
    assert place.repro("assumptions", "open", "--flips").out == before
    assert place.repro("make", "open", *more, *INLINE).code == 0
    assert flips(place, "lone")["sets"][0]["standing"] == "flip set"


def test_an_effect_may_be_shown_on_the_fresh_seeds(
    place: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.repro("make", "open", "--explore", "8", *INLINE)
    (found,) = flips(place, "lone")["sets"]
    assert found["fresh_effect"] is None
    place.repro(*found["command"].replace("'", "").split()[1:], *INLINE)
    unsure = [Effect(-5.0, (-11.0, 1.0)), Effect(-5.0, (-6.0, -4.0))]
    for first, later, standing in (
        (*unsure, "flip set"),
        (*reversed(unsure), "flip set"),
        (unsure[0], unsure[0], "effect not shown"),
    ):
        monkeypatch.setattr(
            _Search,
            "effects",
            lambda _, read, tried, fresh=False, first=first, later=later: {
                address: dict.fromkeys(each, later if fresh else first)
                for address, each in read.items()
            },
        )
        (found,) = flips(place, "lone")["sets"]
        assert found["standing"] == standing
        assert found["fresh_effect"]["estimate"] == -5


def test_a_default_that_is_open_on_fresh_seeds_confirms_nothing(
    place: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The choice settles it there, and turns nothing."""
    place.repro("make", "open", "--explore", "8", *INLINE)
    (found,) = flips(place, "lone")["sets"]
    place.repro(*found["command"].replace("'", "").split()[1:], *INLINE)
    verdict = _Search.verdict

    def open_by_default(
        search: _Search, choices: Choices, address: str, fresh: bool = False
    ) -> VerdictName:
        is_open = fresh and not choices
        return "inconclusive" if is_open else verdict(search, choices, address, fresh)

    monkeypatch.setattr(_Search, "verdict", open_by_default)
    (found,) = flips(place, "lone")["sets"]
    assert found["standing"] == "not confirmed"
    told = place.repro("assumptions", "open", "--flips").out
    assert "on fresh seeds it is deviates, and by default inconclusive" in told


def test_a_broken_design_is_told_before_anything_runs(place: Workplace) -> None:
    (place.root / "designs").mkdir()
    (place.root / "designs" / "zzz.json").write_text("{", encoding="utf-8")
    refused = place.repro("make", "open", "--explore", "8", *INLINE)
    assert refused.code == 2
    assert "zzz.json" in refused.err
    assert place.starts() == 0


def test_where_nothing_was_run_that_is_said(place: Workplace) -> None:
    shown = place.repro("assumptions", "open", "--flips").out
    assert "nothing of open was run under profile stated" in shown


def test_where_every_run_gives_the_same_no_fresh_seed_is_asked_for(place: Workplace) -> None:
    """The same in every run, on both sides: fresh seeds could not say anything else."""
    place.edit("methods/lone.toml", "value = 0.0005", "value = 0.0")
    place.edit("methods/lone.toml", "alternatives = [0.05]", "alternatives = [1e-12]")
    declared = 'measure = { value = "accuracy", scale = 100, deterministic = true }'
    row = 'bind = { method = "lone" }'
    place.edit("tables/open.toml", row, f"{row}\n{declared}")
    place.repro("make", "open", "--explore", "8", *INLINE)
    (found,) = flips(place, "lone")["sets"]
    assert (found["standing"], found["fresh"], found["command"]) == ("flip set", "not run", "")
    shown = place.repro("assumptions", "open", "--flips").out
    assert "lone.one=0.9: deviates; FLIP SET, since every run gives the same number" in shown
    assert "fresh" not in shown


def test_what_fresh_seeds_do_not_confirm_is_none(
    place: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fresh runs are judged as if the choice changed nothing."""
    place.repro("make", "open", "--explore", "8", *INLINE)
    (found,) = flips(place, "lone")["sets"]
    place.repro(*found["command"].replace("'", "").split()[1:], *INLINE)
    verdict = _Search.verdict

    def luck(search: _Search, choices: Choices, address: str, fresh: bool = False) -> VerdictName:
        return verdict(search, () if fresh else choices, address, fresh)

    monkeypatch.setattr(_Search, "verdict", luck)
    (found,) = flips(place, "lone")["sets"]
    assert (found["standing"], found["fresh"]) == ("not confirmed", "reproduced")


def test_two_choices_that_turn_it_only_together_are_one_set(place: Workplace) -> None:
    """Two alternatives alone; what is left of the runs goes to combinations."""
    pair = ("pair.one=0.985", "pair.other=0.493")
    only = [word for text in pair for word in ("--vary", text)]
    outcome = place.repro("make", "open", "--explore", "5", *only, *INLINE)
    assert outcome.code == 0, outcome.err
    cell = flips(place, "pair")
    assert turns(cell) == {pair[0]: "none", pair[1]: "none", ", ".join(pair): "turned"}
    assert [tuple(each["reading"]["choices"]) for each in cell["sets"]] == [pair]
    assert cell["untried"] == ["pair.keep=5", "pair.scatter=0.0006"]
    assert turns(flips(place, "lone")) == {}


def test_what_cannot_be_explored_is_said(place: Workplace) -> None:
    wrong = place.repro("make", "open", "--explore", "3", "--vary", "assumed.truth=0.6")
    assert wrong.code == 2
    assert "cannot be explored in open" in wrong.err
    assert place.repro("make", "open", "averaged", "--explore", "3").code == 2
    assert place.repro("make", "open", "--write-only").code == 2
    for more in ((), ("--write-only",)):
        refused = place.repro("make", "open", "--explore", "3", "--source", "reported", *more)
        assert refused.code == 2
        assert "--source reported does not go with --explore" in refused.err
    assert not (place.root / "designs").exists()
