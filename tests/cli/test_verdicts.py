"""Every verdict, every outcome of a claim and every exit code, on the invented paper."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from harness.judge.exhibit import judge_exhibit
from harness.plan.exhibit import plan_exhibit
from harness.render.views.table import TableView
from harness.spec.exhibit import Table
from tests.cli.conftest import INLINE
from tests.toy.paper import Workplace


def cells(place: Workplace, exhibit: str, *more: str) -> dict[tuple[str, str], dict[str, Any]]:
    fields = place.repro("show", exhibit, *more, "--json").json
    return {(cell["row"], cell["column"]): cell for cell in fields["cells"]}


def test_the_verdicts_follow_from_the_truth_behind_each_row(made: Workplace) -> None:
    found = cells(made, "verdicts")
    assert {where: cell["verdict"] for where, cell in found.items()} == {
        # Printed 50.00 ± 0.30, true 50 and 0.2.
        ("Faithful", "Small"): "reproduced",
        ("Faithful", "Large"): "reproduced",
        # Printed 60, true 40.
        ("Flattered", "Small"): "deviates",
        ("Flattered", "Large"): "deviates",
        # Scatters by 4 around 50, with a margin of 1.
        ("Noisy", "Small"): "inconclusive",
        ("Noisy", "Large"): "inconclusive",
        # Right, but with images of our own.
        ("Released", "Small"): "not comparable",
        ("Released", "Large"): "not comparable",
        ("Cited", "Small"): "not run",
        ("Cited", "Large"): "not run",
    }
    assert found["Noisy", "Small"]["seeds_needed"] is None or (
        found["Noisy", "Small"]["seeds_needed"] > 5
    )


def test_one_run_decides_nothing(copied: Workplace) -> None:
    found = cells(copied, "verdicts", "--seeds", "1")
    assert found["Faithful", "Small"]["verdict"] == "inconclusive"
    assert found["Flattered", "Small"]["verdict"] == "inconclusive"


def test_the_seeds_that_are_there_are_judged_and_the_others_named(copied: Workplace) -> None:
    all_seeds = cells(copied, "verdicts")["Faithful", "Small"]
    seeds = len(all_seeds["reproduced"]["seeds"])
    found = cells(copied, "verdicts", "--seeds", str(seeds + 2))["Faithful", "Small"]
    assert found["reproduced"] == all_seeds["reproduced"]
    assert found["verdict"] == "reproduced"
    assert [missing["seed"] for missing in found["missing"]] == [seeds, seeds + 1]


def test_another_printed_number_counts_where_it_would_be_judged_otherwise(
    copied: Workplace,
) -> None:
    """The same cells printed again: half a point off changes nothing, ten points do."""
    path = copied.root / "specs" / "tables" / "verdicts.toml"
    again = path.read_text(encoding="utf-8").replace('id = "verdicts"', 'id = "again"')
    again = again.replace(
        'Small = "50.00 ± 0.30", Large = "50.00', 'Small = "50.40 ± 0.30", Large = "60.00'
    )
    (path.parent / "again.toml").write_text(again, encoding="utf-8")
    found = cells(copied, "verdicts")
    assert found["Faithful", "Small"]["verdict"] == "reproduced"
    assert "the same by 50.40 ± 0.30" in found["Faithful", "Small"]["why"]
    assert found["Faithful", "Large"]["verdict"] == "paper-inconsistent"
    assert "deviates by 60.00 ± 0.30" in found["Faithful", "Large"]["why"]
    assert found["Released", "Large"]["verdict"] == "not comparable"


def test_a_plot_has_one_panel_if_all_that_was_run_is_comparable(made: Workplace) -> None:
    plan = plan_exhibit(made.paper, "verdicts")
    judgement = judge_exhibit(made.paper, plan, made.store)
    results = judgement.results
    own = [replace(r, amounts={}) if r.item.address.row == "Released" else r for r in results]
    assert not all(result.item.comparable for result in own)
    assert isinstance(plan.exhibit, Table)
    view = TableView(made.paper, plan.exhibit)
    assert view.figure(replace(judgement, results=tuple(own))).axes[0].comparable
    assert not view.figure(judgement).axes[0].comparable


def test_a_wrong_difference_marks_itself_and_not_its_cells(copied: Workplace) -> None:
    flattered = 'cells = { Small = "60.00 ± 0.30", Large = "60.00 ± 0.30" }'
    derived = 'derived = { Small = { text = "(+ 19.3)", minus = "Faithful" } }'
    copied.edit("tables/verdicts.toml", flattered, f"{flattered}\n{derived}")
    found = cells(copied, "verdicts")
    assert found["Flattered", "Small"]["verdict"] == "deviates"
    assert "(+ 19.3)" in found["Flattered", "Small"]["derived"]["wrong"]
    assert found["Flattered", "Large"]["derived"] is None
    assert "the printed difference does not follow" in copied.repro("show", "verdicts").out


def test_a_wrong_difference_alone_makes_diff_end_with_1(copied: Workplace) -> None:
    """Nothing in this table deviates, and 50 - 50 is not 5."""
    assert copied.repro("diff", "broken").code == 0
    derived = '\nderived = { Small = { text = "(+ 5.0)", minus = "Faithful" } }\n'
    copied.add("tables/broken.toml", derived)
    outcome = copied.repro("diff", "broken", "--json")
    assert outcome.code == 1
    found = {cell["verdict"] for cell in outcome.json["cells"]}
    assert not found & {"deviates", "paper-inconsistent"}


def test_the_outcomes_of_claims_on_printed_numbers_and_on_ours(made: Workplace) -> None:
    claims = made.repro("verify", "--json").json["claims"]
    assert {c["id"]: (c["reported"], c["reproduced"]) for c in claims} == {
        "flattered-leads": ("holds", "fails"),
        "noisy-on-par": ("undecided", "undecided"),
        "cited-leads": ("holds", "not run"),
        "faithful-half": ("holds", "holds"),
    }


TWIN = """
[[rows]]
name = "{name}"
label = "{name}"
bind = {{ method = "faithful" }}
cells = {{ Small = "{printed}" }}
"""


def test_fewer_of_the_same_runs_are_not_compared_with_all_of_them(copied: Workplace) -> None:
    """Three of five runs are on par with the five, whatever the truth is."""
    copied.add("tables/verdicts.toml", TWIN.format(name="Twin", printed="50.00 ± 0.30"))
    copied.add("profiles/stated.toml", '\n[seeds_of]\n"verdicts:Twin:Small" = 3\n')
    copied.edit("claims.toml", 'left = ["Noisy"]', 'left = ["Twin"]\nmargin = 5.0')
    assert cells(copied, "verdicts")["Twin", "Small"]["reproduced"]["n"] == 3
    claims = copied.repro("verify", "--json").json["claims"]
    assert {c["id"]: c["reproduced"] for c in claims}["noisy-on-par"] == "undecided"


def test_a_run_that_is_printed_in_many_rows_is_judged_as_in_one(copied: Workplace) -> None:
    judged = ("why", "tests", "p_equal_adjusted", "p_outside_adjusted")
    before = cells(copied, "verdicts")
    for name in "ABCDEF":
        copied.add("tables/verdicts.toml", TWIN.format(name=name, printed="50.00 ± 0.30"))
    found = cells(copied, "verdicts")
    twins = {(name, "Small"): ("Faithful", "Small") for name in "ABCDEF"}
    for where, own in ({each: each for each in before} | twins).items():
        assert [found[where][key] for key in judged] == [before[own][key] for key in judged]


def test_before_anything_is_made_nothing_is_run(place: Workplace) -> None:
    claims = place.repro("verify", "--json").json["claims"]
    assert {claim["reproduced"] for claim in claims} == {"not run"}
    assert {cell["verdict"] for cell in cells(place, "verdicts").values()} == {"not run"}
    assert not (place.root / "store").exists() or not place.store.identities()


def test_verify_ends_with_1_if_a_claim_comes_out_otherwise_than_expected(copied: Workplace) -> None:
    assert copied.repro("verify").code == 0
    copied.edit("claims.toml", 'kind = "within"', 'expect = "fails"\nkind = "within"')
    outcome = copied.repro("verify", "--json")
    changed = next(c for c in outcome.json["claims"] if c["id"] == "faithful-half")
    assert (outcome.code, changed["expect"], changed["reported"]) == (1, "fails", "holds")


def test_a_claim_that_fails_on_printed_numbers_passes_if_that_is_expected(
    copied: Workplace,
) -> None:
    old = 'text = "Faithful is right half of the time"\nwhere = "Section 1"\n'
    copied.edit("claims.toml", old, old + 'expect = "fails"\n')
    copied.edit("claims.toml", "low = 48.0\nhigh = 52.0", "low = 58.0")
    outcome = copied.repro("verify", "--json")
    assert outcome.code == 0
    assert outcome.json["claims"][-1]["reported"] == "fails"


def test_verify_ends_with_3_if_required_evidence_is_missing(made: Workplace) -> None:
    outcome = made.repro("verify", "--require", "--json")
    assert outcome.code == 3
    assert "no results under profile stated for 1 claim: cited-leads" in outcome.err
    # What is known is shown all the same.
    assert len(outcome.json["claims"]) == 4


def test_diff_ends_with_1_only_if_a_cell_deviates(copied: Workplace) -> None:
    assert copied.repro("diff", "verdicts").code == 1
    assert copied.repro("diff", "broken").code == 0


def test_a_failing_step_ends_make_with_3_and_leaves_the_rest_done(place: Workplace) -> None:
    outcome = place.repro("make", "broken", *INLINE)
    assert outcome.code == 3
    assert "5 steps failed" in outcome.err
    assert "measure: RuntimeError: asked to fail" in outcome.err
    assert "Traceback" not in outcome.err
    verdicts = {where[0]: cell["verdict"] for where, cell in cells(place, "broken").items()}
    assert verdicts == {"Faithful": "reproduced", "Failing": "not run"}
    states = [s["state"] for s in place.repro("plan", "broken", "--json").json["steps"]]
    assert {state: states.count(state) for state in states} == {"current": 7, "failed": 5}


def test_what_is_not_run_says_why_afterwards(place: Workplace) -> None:
    """The failure of a step, or what a spec says; not what is only not made yet."""
    assert place.repro("show", "broken", "--json").json["not_run"] == {}
    place.repro("make", "broken", *INLINE)
    shown = place.repro("show", "broken")
    [(reason, addresses)] = place.repro("show", "broken", "--json").json["not_run"].items()
    assert reason == "Step measure failed: RuntimeError: asked to fail"
    assert addresses == ["broken:Failing:Small"]
    assert f"Not run: broken:Failing:Small. {reason}" in shown.out
    told = place.repro("show", "verdicts", "--json").json["not_run"]
    assert told == {
        "Only its number is known.": [f"verdicts:Cited:{size}" for size in ("Small", "Large")]
    }


@pytest.mark.parametrize("arguments", [["--nope"], ["show"], ["nope"], ["plan", "verdicts", "x"]])
def test_bad_usage_ends_with_2(place: Workplace, arguments: list[str]) -> None:
    assert place.repro(*arguments).code == 2
