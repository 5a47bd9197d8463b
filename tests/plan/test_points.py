"""From the panels of figures, fits and lemmas to points and steps."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import UserError
from harness.plan.exhibit import ExhibitPlan, plan_exhibit
from harness.plan.item import Item
from harness.plan.settings import parse_variation
from harness.plan.step import Step
from tests.toy.paper import Workplace, plotted_workplace


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    return plotted_workplace(tmp_path)


def point(plan: ExhibitPlan, panel: str, name: str) -> Item:
    return next(p for p in plan.items if p.address[1:] == (panel, name))


def of(plan: ExhibitPlan, panel: str) -> list[Item]:
    return [item for item in plan.items if item.address.row == panel]


def chain(plan: ExhibitPlan, identity: str) -> list[Step]:
    step = plan.steps[identity]
    return [*(s for i in step.inputs.values() for s in chain(plan, i)), step]


def test_a_point_for_each_combination_of_values(place: Workplace) -> None:
    plan = plan_exhibit(place.paper, "scatter")
    assert len(of(plan, "a")) == 4 * 2 * 2
    assert len(of(plan, "b")) == 2
    found = point(plan, "a", "loose/size 20/copies 2")
    assert str(found.address) == "scatter:a:loose/size 20/copies 2"
    assert found.stated["size"] == 20
    assert found.comparable
    assert found.reason == ""
    assert set(found.sources) == {"objective", "recipe"}
    assert found.seeds == (0, 1)
    assert [plan.steps[i].seed for (i,) in found.sources["recipe"]] == [0, 1]
    # The loss is that of one set, whatever the student's seed.
    assert len(set(found.sources["objective"])) == 1


def test_images_are_changed_before_both_are_measured(place: Workplace) -> None:
    plan = plan_exhibit(place.paper, "scatter")
    for copies, between in ((1, []), (2, ["repeat"])):
        found = point(plan, "a", f"loose/size 20/copies {copies}")
        for name, last in (("objective", "loss"), ("recipe", "measure")):
            names = [step.name for step in chain(plan, found.sources[name][0][0])]
            assert names == ["draw", "select", *between, last]


def test_what_no_one_varied_is_shared(place: Workplace) -> None:
    """Two sizes are drawn once for all methods."""
    plan = plan_exhibit(place.paper, "scatter")
    drawn = [step for step in plan.steps.values() if step.name == "draw"]
    assert sorted(step.params["count"] for step in drawn) == [20, 40]


def test_what_cannot_be_run_has_a_reason(place: Workplace) -> None:
    cited = point(plan_exhibit(place.paper, "scatter"), "a", "cited/size 20/copies 1")
    assert (cited.sources, cited.seeds, cited.comparable) == ({}, (), False)
    assert cited.reason == "Only its number is known."


def test_further_steps_read_recipes_and_each_other(place: Workplace) -> None:
    plan = plan_exhibit(place.paper, "law")
    (found,) = plan.items
    assert found.address.column == "run"
    line = plan.steps[found.sources["line"][0][0]]
    assert sorted(line.inputs) == ["path.0", "path.1"]
    assert line.inputs["path.0"] == found.sources["objective"][0][0]
    assert plan.steps[line.inputs["path.1"]].params["steps"] == 9


def test_the_images_of_another_method_may_stand_beside(place: Workplace) -> None:
    place.edit("paper.toml", 'method = "method"', 'method = "method"\nbeside = "method"')
    place.edit("fits/law.toml", 'method = "faithful"', 'method = "faithful", beside = "loose"')
    place.edit(
        "fits/law.toml",
        'id = "other", step = "loss", inputs = { images = "{images}" }',
        'id = "other", step = "loss", inputs = { images = "{beside}" }',
    )
    plan = plan_exhibit(place.paper, "law")
    (found,) = plan.items
    line = plan.steps[found.sources["line"][0][0]]
    own, other = (plan.steps[line.inputs[f"path.{k}"]].inputs["images"] for k in (0, 1))
    alone = plan_exhibit(place.paper, "scatter")
    loose = point(alone, "a", "loose/size 40/copies 1").sources["objective"][0][0]
    assert other == alone.steps[loose].inputs["images"] != own
    # What the other rests on is among the assumptions too.
    assert {used.name.partition(".")[0] for used in found.settings} >= {"faithful", "loose"}


def test_a_lemma_needs_no_method(place: Workplace) -> None:
    (found,) = plan_exhibit(place.paper, "bound").items
    assert found.sources.keys() == {"drawn"}
    assert [used.name for used in found.settings] == ["bound.count"]


def test_a_profile_maps_values_and_overrides_the_number_of_subsets(place: Workplace) -> None:
    place.add(
        "profiles/small.toml",
        '\n[override."scatter.sizes_subsets"]\nvalue = [20]\nsource = "ours"\nwhy = "Few."\n',
    )
    plan = plan_exhibit(place.paper, "scatter", "small")
    assert len(of(plan, "a")) == 4 * 1 * 2
    mapped = point(plan, "a", "loose/size 20/copies 1")
    assert (mapped.stated["size"], mapped.run["size"]) == (20, 15)
    assert not mapped.comparable
    assert "size 15 instead of 20" in mapped.reason
    assert plan.partial["a"] == "size over [20] instead of [20, 40]"
    assert plan_exhibit(place.paper, "scatter").partial == {"a": "", "b": ""}


def test_a_variation_may_change_the_points_and_how_they_are_judged(place: Workplace) -> None:
    varied = parse_variation(
        place.paper, ["scatter.sizes_subsets=[40]", "adjustment=within", "power=3.0"]
    )
    plan = plan_exhibit(place.paper, "scatter", variation=varied)
    assert len(of(plan, "a")) == 4 * 1 * 2
    assert plan.choices["a"]["adjustment"] == "within"
    losses = [step for step in plan.steps.values() if step.name == "loss"]
    assert {step.params["power"] for step in losses} == {3.0}


def test_only_what_runs_can_be_planned(place: Workplace) -> None:
    """An exhibit that is not there, and one for which nothing runs."""
    place.add(
        "lemmas/shown.toml",
        'id = "shown"\nkind = "lemma"\nlabel = "Lemma 2"\ntitle = "Shown"\nsection = "1"\n'
        'caption = "x"\nassumption = "x"\nstatement = "x"\nsteps = {}\n',
    )
    for name, message in (("nothing", "unknown exhibit"), ("shown", "nothing runs for")):
        with pytest.raises(UserError, match=message):
            plan_exhibit(place.paper, name)


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("figures/scatter.toml", 'step = "repeat"', 'step = "repaet"', "repeat"),
        ("figures/scatter.toml", 'copies = "{copies}"', 'copies = "{copeis}"', "copeis"),
        ("fits/law.toml", '"path.1" = "other"', '"path.1" = "othre"', "other"),
        ("fits/law.toml", '"path.1" = "other"', '"way.1" = "other"', "path*"),
        ("lemmas/bound.toml", '"{count}"', '"{cuont}"', "cuont"),
    ],
)
def test_a_mistake_in_steps_is_told_with_its_line(
    place: Workplace, file: str, old: str, new: str, message: str
) -> None:
    place.edit(file, old, new)
    with pytest.raises(UserError, match=message) as error:
        plan_exhibit(place.paper, file.split("/")[1].removesuffix(".toml"))
    assert f"{file}:{place.line(file, new)}" in str(error.value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('of = "objective", value = "at"', 'of = "objektive", value = "at"', "objective"),
        ("over = { size = [20, 40] }", "over = { sice = [20, 40] }", "size"),
        ('"narrow", "wide"', '"narrow", "wode"', "wide"),
        ('"{sizes_subsets}"', '"{size_subset}"', "sizes_subsets"),
        ('colour = "size"', 'colour = "seize"', "size"),
        ('same = ["copies"]', 'same = ["copy"]', "copies"),
        ('panel = "a", value = "error"', 'panel = "d", value = "error"', "panel"),
        ('value = "error", where', 'value = "eror", where', "error"),
        ("size = [20] }, margin", "seize = [20] }, margin", "size"),
        ('panel = "a", correlation', 'panel = "b", correlation', "correlation"),
    ],
)
def test_a_name_that_nothing_has_is_told_with_its_line(
    place: Workplace, old: str, new: str, message: str
) -> None:
    place.edit("figures/scatter.toml", old, new)
    with pytest.raises(UserError, match=message) as error:
        place.paper  # noqa: B018
    assert "figures/scatter.toml:" in str(error.value)
