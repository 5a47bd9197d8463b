"""A kind of exhibit and an executor from another distribution are used as the built-in ones."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from harness.errors import UserError
from harness.judge.exhibit import judge_exhibit, numbers
from harness.plan.exhibit import plan_exhibit
from harness.registry import resolve
from harness.run.executors import executor_entry
from harness.run.progress import progress_on
from harness.spec.kinds import kinds
from tests.toy.paper import Workplace, new_workplace
from tests.toy_kind.noting import NotingExecutor

LADDER = """
id = "steep"
kind = "ladder"
label = "Ladder 1"
title = "From the lowest to the highest"
section = "1"
caption = "Two rungs."
value = "accuracy"
scale = 100.0

[[rungs]]
name = "right"
bind.method = "faithful"
bind.recipe = "measuring"
bind.dataset = "numbers"
bind.network = "none"
bind.size = 20
number = "50.00 ± 0.30"

[[rungs]]
name = "wrong"
bind.method = "flattered"
bind.recipe = "measuring"
bind.dataset = "numbers"
bind.network = "none"
bind.size = 20
number = "60.00 ± 0.30"
"""
POINTS = {
    "repro.kinds": EntryPoint("ladder", "tests.toy_kind.ladder:KIND", "repro.kinds"),
    "repro.executors": EntryPoint("noting", "tests.toy_kind.noting:ENTRY", "repro.executors"),
}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workplace:
    """The invented paper with a ladder, where a distribution with both is installed."""
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: [POINTS[group]])
    for registry in ("harness.spec.kinds._KINDS", "harness.run.executors._EXECUTORS"):
        module, _, name = registry.rpartition(".")
        held = getattr(__import__(module, fromlist=[name]), name)
        monkeypatch.setattr(held, "_entries", dict(held._entries))
    place = new_workplace(tmp_path)
    (place.specs / "ladders").mkdir()
    place.add("ladders/steep.toml", LADDER)
    return place


def test_a_further_kind_is_read_planned_run_and_judged(place: Workplace) -> None:
    plan = plan_exhibit(place.paper, "steep")
    assert [str(item.address) for item in plan.items] == ["steep:rungs:right", "steep:rungs:wrong"]
    # The rungs are runs of Table `verdicts` too: the same work is one record, whatever asks for it.
    assert set(plan.steps) < set(plan_exhibit(place.paper, "verdicts").steps)

    executor = resolve(executor_entry("noting").factory)(["cpu"])
    report = executor.run(plan.steps, place.store, progress_on())
    assert report.complete
    assert set(NotingExecutor.noted) == set(plan.steps)

    judged = judge_exhibit(place.paper, plan, place.store)
    assert judged.verdict_names == {
        "steep:rungs:right": "reproduced",
        "steep:rungs:wrong": "deviates",
    }
    assert numbers(judged).keys() == judged.verdicts.keys()


def test_a_further_kind_is_shown_by_its_own_view(place: Workplace) -> None:
    made = place.repro("make", "steep", "--executor", "inline", "--json")
    assert made.code == 0, made.err
    (exhibit,) = made.json["exhibits"]
    assert exhibit["rungs"] == [
        {"at": "steep:rungs:right", "verdict": "reproduced"},
        {"at": "steep:rungs:wrong", "verdict": "deviates"},
    ]
    assert [Path(name).name for name in exhibit["files"]] == [
        f"steep.{kind}" for kind in ("svg", "pdf", "png", "csv")
    ]
    assert "right: 50.00 ± 0.30\nwrong: 60.00 ± 0.30\n" in place.repro("show", "steep").out
    assert place.repro("diff", "steep").code == 1
    assert place.repro("report").code == 0
    (page,) = place.root.rglob("numbers/steep/rungs-wrong.html")
    assert "deviates" in page.read_text(encoding="utf-8")
    (exhibit_page,) = place.root.rglob("exhibits/steep.html")
    assert "steep.svg" in exhibit_page.read_text(encoding="utf-8")


def test_its_mistakes_are_told_with_their_line(place: Workplace) -> None:
    place.edit("ladders/steep.toml", 'method = "flattered"', 'method = "flatered"')
    with pytest.raises(
        UserError, match=r"ladders/steep.toml:\d+: rungs.1.bind.method: .*flattered"
    ):
        place.paper  # noqa: B018


def test_claims_know_its_numbers(place: Workplace) -> None:
    place.add(
        "claims.toml",
        '\n[[claims]]\nid = "steep"\ntext = "Wrong leads."\nwhere = "Section 1"\n'
        'kind = "greater"\nmargin = 0.0\n'
        'better = ["steep:rungs:wrong"]\nworse = ["steep:rungs:right"]\n',
    )
    outcome = place.repro("verify", "--json").json["claims"][-1]
    assert (outcome["id"], outcome["reported"]) == ("steep", "holds")


def test_without_the_distribution_the_kind_is_unknown(
    place: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: [])
    assert "ladder" not in kinds()
    place.edit("ladders/steep.toml", 'kind = "ladder"', 'kind = "tabel"')
    (place.specs / "ladders/steep.toml").rename(place.specs / "tables/steep.toml")
    with pytest.raises(UserError, match="unknown kind; did you mean 'table'"):
        place.paper  # noqa: B018


def test_an_unknown_executor_is_told_with_the_nearest() -> None:
    with pytest.raises(UserError, match="unknown executor 'lokal'; did you mean 'local'"):
        executor_entry("lokal")
