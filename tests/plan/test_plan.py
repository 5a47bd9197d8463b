"""From specs and a profile to cells and steps."""

from __future__ import annotations

import pytest

from harness.errors import UserError
from harness.plan.answers import SpecsDigests
from harness.plan.exhibit import ExhibitPlan, plan_exhibit
from harness.plan.item import Item
from harness.plan.settings import parse_variation
from harness.plan.step import Step
from tests.toy.paper import Workplace

OVERRIDE = """
[override."measuring.epochs"]
value = 1
source = "ours"
why = "Shorter."
"""
ROWS = {"Faithful": 0.5, "Flattered": 0.4, "Noisy": 0.5, "Released": 0.5}


def cell(plan: ExhibitPlan, row: str, column: str = "Small") -> Item:
    return next(c for c in plan.items if c.address[1:] == (row, column))


def runs(plan: ExhibitPlan, row: str, column: str = "Small") -> list[Step]:
    return [plan.steps[i] for terms in cell(plan, row, column).sources["recipe"] for i in terms]


def chain(plan: ExhibitPlan, step: Step) -> list[Step]:
    """A step and all that it stands on, the first input first."""
    before = [s for i in step.inputs.values() for s in chain(plan, plan.steps[i])]
    return [*before, step]


def test_a_cell_is_a_chain_of_steps_for_each_seed(place: Workplace) -> None:
    plan = plan_exhibit(place.paper, "verdicts")
    for row, truth in ROWS.items():
        for column, size in (("Small", 20), ("Large", 40)):
            measured = runs(plan, row, column)
            assert [step.seed for step in measured] == [0, 1, 2, 3, 4]
            for step in measured:
                drawn, chosen, last = chain(plan, step)
                assert (drawn.name, chosen.name, last.name) == ("draw", "select", "measure")
                assert (drawn.params["count"], chosen.params["keep"]) == (size, 10)
                assert last.params["mean"] == truth
                # Drawn once, for all seeds.
                assert (drawn.seed, chosen.seed) == (0, 0)


def test_images_may_be_drawn_anew_with_each_seed(place: Workplace) -> None:
    place.edit("methods/noisy.toml", 'id = "drawn"', 'id = "drawn"\nseed = "{seed}"')
    plan = plan_exhibit(place.paper, "verdicts")
    seeds = [[step.seed for step in chain(plan, last)] for last in runs(plan, "Noisy")]
    assert seeds == [[seed, 0, seed] for seed in range(5)]


def test_steps_come_after_their_inputs(place: Workplace) -> None:
    plan = plan_exhibit(place.paper, "verdicts")
    seen: set[str] = set()
    for identity, step in plan.steps.items():
        assert seen.issuperset(step.inputs.values())
        seen.add(identity)


def test_equal_work_is_one_step_within_a_table_and_across_tables_and_profiles(
    place: Workplace,
) -> None:
    stated = plan_exhibit(place.paper, "verdicts")
    small = plan_exhibit(place.paper, "verdicts", "small")
    # Two sizes of draw and select, and five runs of three kinds of measuring at each size:
    # Faithful and Released are the same work.
    assert len(stated.steps) == 2 * (1 + 1 + 5 * 3)
    assert cell(stated, "Faithful").sources == cell(stated, "Released").sources
    assert runs(plan_exhibit(place.paper, "broken"), "Faithful") == runs(stated, "Faithful")
    # The small profile changes only the small column.
    assert (
        cell(small, "Noisy", "Large").sources["recipe"]
        == cell(stated, "Noisy", "Large").sources["recipe"][:2]
    )
    assert set(cell(small, "Noisy").identities).isdisjoint(cell(stated, "Noisy").identities)


def test_more_seeds_only_add_steps(place: Workplace) -> None:
    few = plan_exhibit(place.paper, "verdicts", seeds=2)
    many = plan_exhibit(place.paper, "verdicts", seeds=7)
    assert set(few.steps) < set(many.steps)
    assert cell(many, "Noisy").sources["recipe"][:2] == cell(few, "Noisy").sources["recipe"]
    assert cell(many, "Noisy").seeds == (0, 1, 2, 3, 4, 5, 6)


def give_noisy(place: Workplace, seeds: str) -> None:
    """Seeds of its own to one cell."""
    own = f'device = "cpu"\n[seeds_of]\n"verdicts:Noisy:Small" = {seeds}'
    place.edit("profiles/stated.toml", 'device = "cpu"', own)


def test_a_number_may_have_seeds_of_its_own(place: Workplace) -> None:
    """Decided for it beforehand; those that are asked for by number go before."""
    place.edit("profiles/stated.toml", "seeds = 5", "seeds = 3")
    give_noisy(place, "5")
    usual = plan_exhibit(place.paper, "verdicts")
    assert usual.seeds is None
    assert cell(usual, "Noisy").seeds == (0, 1, 2, 3, 4)
    assert cell(usual, "Noisy", "Large").seeds == (0, 1, 2)
    asked = plan_exhibit(place.paper, "verdicts", seeds=4)
    assert asked.seeds == 4
    assert {item.seeds for item in asked.items if item.sources} == {(0, 1, 2, 3)}


def test_seeds_of_a_number_outdate_the_published_answers_of_its_exhibit_alone(
    place: Workplace,
) -> None:
    before = SpecsDigests(place.paper)
    give_noisy(place, "[7, 0, 3]")
    after = SpecsDigests(place.paper)
    assert cell(plan_exhibit(place.paper, "verdicts"), "Noisy").seeds == (7, 0, 3)
    assert before.of("verdicts") != after.of("verdicts")
    assert before.of("averaged") == after.of("averaged")


def test_seeds_may_be_listed(place: Workplace) -> None:
    counted = plan_exhibit(place.paper, "verdicts", seeds=8)
    place.edit("profiles/stated.toml", "seeds = 5", "seeds = [7, 0, 3]")

    def listed(seeds: int | None) -> ExhibitPlan:
        return plan_exhibit(place.paper, "verdicts", seeds=seeds)

    of_each = cell(counted, "Noisy").sources["recipe"]
    for asked, expected in ((None, (7, 0, 3)), (2, (7, 0)), (6, (7, 0, 3, 1, 2, 4))):
        found = cell(listed(asked), "Noisy")
        assert found.seeds == expected
        assert found.sources["recipe"] == tuple(of_each[seed] for seed in expected)
        assert found.comparable
    assert (listed(3).seeds, listed(2).seeds) == (None, 2)  # 3 are as usual


def test_a_step_with_a_condition_is_done_only_where_it_holds(place: Workplace) -> None:
    plan = plan_exhibit(place.paper, "averaged", seeds=1)
    small, large = runs(plan, "Assumed", "Mean")
    assert [step.name for step in chain(plan, small)] == ["draw", "measure"]
    assert [step.name for step in chain(plan, large)] == ["draw", "select", "measure"]


def test_a_mean_has_one_run_for_each_member_and_seed(place: Workplace) -> None:
    plan = plan_exhibit(place.paper, "averaged")
    mean = cell(plan, "Faithful", "Mean")
    assert mean.run["size"] == [20, 40]
    assert len(mean.sources["recipe"]) == 5
    for seed, terms in enumerate(mean.sources["recipe"]):
        counts = [chain(plan, plan.steps[i])[0].params["count"] for i in terms]
        assert counts == [20, 40]
        assert {plan.steps[i].seed for i in terms} == {seed}


def test_what_cannot_be_run_has_a_reason_and_no_steps(place: Workplace) -> None:
    cited = cell(plan_exhibit(place.paper, "verdicts"), "Cited")
    assert (cited.sources, cited.seeds, cited.comparable) == ({}, (), False)
    assert cited.reason == "Only its number is known."


def test_where_a_method_cannot_be_run_its_spec_says_why(place: Workplace) -> None:
    """What the profile runs counts: here 15 numbers, where the paper has 20."""
    place.edit(
        "methods/noisy.toml",
        'state = "runs"\n',
        'state = "runs"\nwhen = { size = [15] }\nelsewhere = "There are only fifteen."\n',
    )
    small = cell(plan_exhibit(place.paper, "verdicts", "small"), "Noisy", "Small")
    assert len(small.sources["recipe"]) == 2
    for profile, column in (("small", "Large"), ("stated", "Small")):
        other = cell(plan_exhibit(place.paper, "verdicts", profile), "Noisy", column)
        assert (other.sources, other.comparable) == ({}, False)
        assert other.reason == "There are only fifteen."


def test_a_choice_may_depend_on_a_variable(place: Workplace) -> None:
    place.edit(
        "methods/noisy.toml",
        '[settings.keep]\nvalue = 10\nsource = "ours"\nwhy = "Any number would do."\n'
        "alternatives = [5]\n",
        '[[settings.keep]]\nvalue = 3\nwhen = { "paper.size" = [20] }\nsource = "ours"\n'
        'why = "x"\n[[settings.keep]]\nvalue = 7\nwhen = { size = [15, 40] }\nsource = "ours"\n'
        'why = "x"\n',
    )
    kept = {
        (profile, column): chain(plan, runs(plan, "Noisy", column)[0])[1].params["keep"]
        for profile in ("stated", "small")
        for plan in [plan_exhibit(place.paper, "verdicts", profile)]
        for column in ("Small", "Large")
    }
    # 15 numbers stand for the paper's 20; the first choice that applies counts.
    assert kept == {
        ("stated", "Small"): 3,
        ("stated", "Large"): 7,
        ("small", "Small"): 3,
        ("small", "Large"): 7,
    }


def test_a_case_that_no_choice_covers_is_told(place: Workplace) -> None:
    file = "methods/noisy.toml"
    place.edit(file, "value = 0.04\n", "value = 0.04\nwhen = { size = [20] }\n")
    with pytest.raises(UserError) as caught:
        plan_exhibit(place.paper, "verdicts")
    where = f"{place.specs / file}:{place.line(file, '[settings.scatter]')}: settings.scatter: "
    assert where + "no choice applies to size = 40" in str(caught.value)


@pytest.mark.parametrize(
    ("file", "old", "new", "keys", "says"),
    [
        (
            "methods/noisy.toml",
            'step = "draw"',
            'step = "drawn"',
            "steps.0.step",
            "unknown step 'drawn'; did you mean 'draw'?",
        ),
        (
            "methods/noisy.toml",
            '{ draw = "drawn" }',
            '{ draw = "drown" }',
            "steps.1.inputs.draw",
            "unknown input 'drown'; did you mean 'drawn'?",
        ),
        (
            "methods/noisy.toml",
            '{ draw = "drawn" }',
            '{ images = "drawn" }',
            "steps.1.inputs",
            "takes the inputs ['draw'], found ['images']",
        ),
        (
            "methods/noisy.toml",
            '{ keep = "{keep}" }',
            '{ keep = "{kept}" }',
            "steps.1.params",
            "unknown variable '{kept}'; known here: ",
        ),
        (
            "methods/noisy.toml",
            '{ keep = "{keep}" }',
            '{ keep = "all" }',
            "steps.1.params.keep",
            "should be a valid integer, unable to parse string as an integer (found 'all')",
        ),
        (
            "recipes/measuring.toml",
            '{ mean = "{truth}",',
            '{ average = "{truth}",',
            "steps.0.params.average",
            "Extra inputs are not permitted",
        ),
    ],
)
def test_a_template_that_does_not_fit_is_told_with_its_line(
    place: Workplace, file: str, old: str, new: str, keys: str, says: str
) -> None:
    place.edit(file, old, new)
    with pytest.raises(UserError) as caught:
        plan_exhibit(place.paper, "verdicts")
    where = f"{place.specs / file}:{place.line(file, new)}: {keys}: "
    assert where in str(caught.value)
    assert says in str(caught.value)


def test_a_method_that_does_nothing_is_told(place: Workplace) -> None:
    file = "methods/noisy.toml"
    for step in ("drawn", "chosen"):
        place.edit(file, f'id = "{step}"', f'id = "{step}"\nwhen = {{ size = [20] }}')
    with pytest.raises(UserError) as caught:
        plan_exhibit(place.paper, "verdicts")
    assert f"verdicts:Noisy:Large: {place.specs / file}:" in str(caught.value)
    assert "no step is left" in str(caught.value)


def test_what_only_a_profile_asks_for_is_told_with_the_line_of_the_profile(
    place: Workplace,
) -> None:
    file = "profiles/small.toml"
    place.edit(file, "20 = 15", '20 = "plenty"')
    assert plan_exhibit(place.paper, "verdicts", "stated").steps
    with pytest.raises(UserError) as caught:
        plan_exhibit(place.paper, "verdicts", "small")
    assert str(caught.value).startswith(
        f"verdicts:Faithful:Small: {place.specs / file}:{place.line(file, 'plenty')}: map.size.20: "
    )
    assert "should be a valid integer" in str(caught.value)


def test_a_variation_replaces_one_value(place: Workplace) -> None:
    paper = place.paper
    varied = parse_variation(paper, ["assumed.truth=0.6"])
    default = plan_exhibit(paper, "averaged")
    other = plan_exhibit(paper, "averaged", variation=varied)
    assert {step.params["mean"] for step in runs(default, "Assumed", "Mean")} == {0.5}
    assert {step.params["mean"] for step in runs(other, "Assumed", "Mean")} == {0.6}
    assert cell(other, "Faithful", "Mean").sources == cell(default, "Faithful", "Mean").sources


def test_a_variation_that_no_cell_can_take_is_refused(place: Workplace) -> None:
    # 0.4 is no alternative of what the paper states, whatever another case may allow.
    with pytest.raises(UserError, match=r"flattered.truth=0.9: no cell can take it.* is 0.4"):
        plan_exhibit(place.paper, "verdicts", variation={"flattered.truth": 0.9})


def test_a_variation_goes_before_what_a_profile_puts_in_place(place: Workplace) -> None:
    file = "recipes/measuring.toml"
    place.edit(
        file,
        'value = 3\nsource = "paper"\nplace = "Section 1"',
        'value = 3\nsource = "ours"\nwhy = "Any."\nalternatives = [4]',
    )
    place.add("profiles/small.toml", OVERRIDE)
    epochs = {
        name: {u.value for c in plan.items for u in c.settings if u.name == "measuring.epochs"}
        for name, plan in {
            "default": plan_exhibit(place.paper, "verdicts", "small"),
            "varied": plan_exhibit(
                place.paper, "verdicts", "small", None, {"measuring.epochs": 4}, False
            ),
        }.items()
    }
    assert epochs == {"default": {1}, "varied": {4}}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("assumed.truth", "expected setting=value"),
        ("assumed.trth=0.6", "unknown setting 'assumed.trth'; did you mean 'assumed.truth'"),
        ("truth=0.6", "'truth' is ambiguous; say one of assumed.truth, "),
        ("assumed.truth=0.7", "expected one of 0.5, 0.6, the values that specs declare"),
        ("noisy.truth=0.6", "expected one of 0.5, the values"),
        ('assumed.truth="0.6"', "expected one of 0.5, 0.6"),
        ("assumed.keep=true", "expected one of 10, 5"),
    ],
)
def test_a_variation_must_be_declared(place: Workplace, text: str, says: str) -> None:
    with pytest.raises(UserError) as caught:
        parse_variation(place.paper, [text])
    assert str(caught.value).startswith(f"--vary '{text}': ")
    assert says in str(caught.value)


def test_a_setting_is_varied_once(place: Workplace) -> None:
    assert parse_variation(place.paper, ["assumed.keep=5", "assumed.keep=5"]) == {"assumed.keep": 5}
    with pytest.raises(UserError, match=r"assumed\.keep is already 5"):
        parse_variation(place.paper, ["assumed.keep=5", "assumed.keep=10"])


def test_a_whole_number_is_a_way_to_write_a_declared_fraction(place: Workplace) -> None:
    place.edit("methods/assumed.toml", "0.6", "0.6, 1.0")
    assert parse_variation(place.paper, ["assumed.truth=1"]) == {"assumed.truth": 1.0}


def test_a_setting_may_be_named_without_its_owner_if_only_one_has_it(place: Workplace) -> None:
    assert parse_variation(place.paper, ["epochs=3"]) == {"measuring.epochs": 3}
