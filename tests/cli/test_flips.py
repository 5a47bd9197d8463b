"""What turns a verdict, of what was run by other choices, on the invented paper."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.judge.effects import Effect
from harness.judge.model import VerdictName
from harness.study.flips import Choices, _Search
from tests.cli.open_choices import INLINE, flips, turns, with_two_rows
from tests.report.sites import pages, report
from tests.toy.paper import Workplace, plotted_workplace


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    return with_two_rows(tmp_path)


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
