"""What is done again for each run: the last steps, or the whole pipeline."""

from __future__ import annotations

from typing import Any

import pytest

from harness.errors import UserError
from harness.plan.exhibit import ExhibitPlan, plan_exhibit
from harness.plan.settings import parse_variation
from tests.plan.test_plan import cell, chain, runs
from tests.toy.paper import Workplace

PIPELINES = {"replicate": "pipeline"}


def seeds(plan: ExhibitPlan, row: str, column: str = "Small") -> list[list[int]]:
    """For each run, the seeds of draw, select and measure."""
    return [[step.seed for step in chain(plan, last)] for last in runs(plan, row, column)]


def test_each_run_of_a_pipeline_has_all_of_its_steps_to_itself(place: Workplace) -> None:
    default = plan_exhibit(place.paper, "verdicts")
    varied = plan_exhibit(
        place.paper, "verdicts", variation=parse_variation(place.paper, ["replicate=pipeline"])
    )
    assert seeds(default, "Noisy") == [[0, 0, seed] for seed in range(5)]
    assert seeds(varied, "Noisy") == [[seed, seed, seed] for seed in range(5)]
    # The first pipeline is the one that is there already.
    assert runs(varied, "Noisy")[0] == runs(default, "Noisy")[0]
    assert cell(varied, "Noisy").comparable
    assert cell(varied, "Noisy").key != cell(default, "Noisy").key, "looks are of one kind of run"


def test_fixed_seeds_stay_apart_between_pipelines(place: Workplace) -> None:
    """Two fixed seeds, 0 and 2, leave room for three: no pipeline has a seed of another."""
    place.edit("methods/noisy.toml", 'step = "select"', 'step = "select"\nseed = 2')
    varied = plan_exhibit(place.paper, "verdicts", seeds=3, variation=PIPELINES)
    assert seeds(varied, "Noisy") == [[0, 2, 0], [3, 5, 1], [6, 8, 2]]


@pytest.mark.parametrize(
    ("file", "old", "new", "changed"),
    [
        ("profiles/stated.toml", "seeds = 5", 'seeds = 5\nreplicate = "pipeline"', "all"),
        ("tables/verdicts.toml", "[reporting]", '[reporting]\nreplicate = "pipeline"', "all"),
        (
            "tables/verdicts.toml",
            'name = "Noisy"',
            'name = "Noisy"\nreporting = { replicate = "pipeline" }',
            "row",
        ),
        (
            "tables/verdicts.toml",
            'name = "Noisy"',
            'name = "Noisy"\ncell_reporting = { Small = { replicate = "pipeline" } }',
            "cell",
        ),
    ],
)
def test_it_is_said_for_a_profile_a_table_a_row_or_a_cell(
    place: Workplace, file: str, old: str, new: str, changed: str
) -> None:
    place.edit(file, old, new)
    plan = plan_exhibit(place.paper, "verdicts")
    found = {
        (row, column)
        for row in ("Noisy", "Faithful")
        for column in ("Small", "Large")
        if seeds(plan, row, column)[1] == [1, 1, 1]
    }
    everything = {(row, column) for row in ("Noisy", "Faithful") for column in ("Small", "Large")}
    row = {("Noisy", "Small"), ("Noisy", "Large")}
    assert found == {"all": everything, "row": row, "cell": {("Noisy", "Small")}}[changed]
    # What is asked for goes before what the specs say.
    asked = plan_exhibit(place.paper, "verdicts", variation={"replicate": "seed"})
    assert seeds(asked, "Noisy")[1] == [0, 0, 1]


def test_what_it_cannot_change_is_refused(place: Workplace) -> None:
    with pytest.raises(UserError, match=r"expected seed or pipeline"):
        parse_variation(place.paper, ["replicate=teacher"])
    with pytest.raises(UserError, match=r"change nothing.*only one run; ask for several"):
        plan_exhibit(place.paper, "verdicts", seeds=1, variation=PIPELINES)
    methods = ("faithful", "flattered", "noisy", "released")
    for method in methods:
        place.edit(f"methods/{method}.toml", 'step = "draw"', 'step = "draw"\nseed = "{seed}"')
        place.edit(f"methods/{method}.toml", 'step = "select"', 'step = "select"\nseed = "{seed}"')
    with pytest.raises(UserError, match=r"each run in verdicts is one pipeline already$"):
        plan_exhibit(place.paper, "verdicts", seeds=3, variation=PIPELINES)
    for method in methods:
        place.edit("tables/verdicts.toml", f'method = "{method}"', 'method = "cited"')
    with pytest.raises(UserError, match=r"nothing of verdicts can be run under profile stated$"):
        plan_exhibit(place.paper, "verdicts", seeds=3, variation=PIPELINES)


def test_a_verdict_on_pipelines_is_conditional_on_no_step(place: Workplace) -> None:
    for options in ((), ("--vary", "replicate=pipeline")):
        made = place.repro("make", "verdicts:Noisy:Small", "--executor", "inline", *options)
        assert made.code == 0, made.err
    ran = place.starts()
    assert ran == 2 + 5 + 4 * 3, "one pipeline with five runs, of which the first is shared"
    [one] = noisy(place)
    [whole] = noisy(place, "--vary", "replicate=pipeline")
    assert (one["conditional_on"], whole["conditional_on"]) == (["draw", "select"], [])
    assert one["reproduced"]["n"] == whole["reproduced"]["n"] == 5
    assert place.starts() == ran


def noisy(place: Workplace, *options: str) -> list[dict[str, Any]]:
    cells = place.repro("diff", "verdicts", "--json", *options).json["cells"]
    return [cell for cell in cells if (cell["row"], cell["column"]) == ("Noisy", "Small")]


def test_students_of_the_first_pipeline_that_have_run_tell_what_is_between(
    place: Workplace,
) -> None:
    make = ("make", "verdicts:Noisy:Small", "--executor", "inline")
    place.edit("profiles/stated.toml", "seeds = 5", 'seeds = 5\nreplicate = "pipeline"')
    place.repro(*make)
    assert place.starts() == 3 * 5, "what only tells is never asked for"
    [alone] = noisy(place)
    assert alone["components"]["students"] == 1
    place.repro(*make, "--vary", "replicate=seed")
    [both] = noisy(place)
    found = both["components"]
    assert (found["pipelines"], found["students"]) == (5, 5)
    assert 0 < found["p"] < 1
    assert "pipelines differ by a standard deviation of" in both["why"]
    assert both["reproduced"] == alone["reproduced"], "the number is of one run of each pipeline"
    [one] = noisy(place, "--vary", "replicate=seed")
    assert one["components"] is None


def test_a_paper_that_ran_pipelines_itself_is_taken_at_its_word(place: Workplace) -> None:
    """Nothing is added to its error, which is Welch's of the two printed spreads."""
    place.edit("profiles/stated.toml", "seeds = 5", 'seeds = 5\nreplicate = "pipeline"')
    place.repro("make", "verdicts:Noisy:Small", "--executor", "inline")
    [of_one] = noisy(place)
    assert of_one["components"]
    place.edit("tables/verdicts.toml", "[reporting]", '[reporting]\nn_of = "pipeline"')
    [own] = noisy(place)
    assert own["components"] is None
    reported, ours = own["reported"], own["reproduced"]
    squares = reported["error"] ** 2 / reported["n"], ours["std"] ** 2 / ours["n"]
    assert own["tests"]["error"] == pytest.approx(sum(squares) ** 0.5)
    assert own["reproduced"] == of_one["reproduced"]
