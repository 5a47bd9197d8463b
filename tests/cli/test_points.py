"""Figures, fits and lemmas from the command line: made, shown, compared, explained."""

from __future__ import annotations

import csv
import re
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from harness import Study
from harness.media import console
from tests.toy.paper import Workplace, plotted_workplace

INLINE = ("--executor", "inline")


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    """All of them made. Only to be looked at: tests share it."""
    place = plotted_workplace(tmp_path_factory.mktemp("drawn"))
    assert place.repro("make", "scatter", "law", "bound", *INLINE).code == 0
    return place


@pytest.fixture
def fresh(tmp_path: Path) -> Workplace:
    return plotted_workplace(tmp_path)


def shown(place: Workplace, exhibit: str, *more: str) -> dict[str, Any]:
    return place.repro("show", exhibit, "--json", *more).json


def panel(fields: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return [point for point in fields["points"] if point["panel"] == name]


def stated(fields: dict[str, Any], key: str) -> dict[str, Any]:
    return next(item for item in fields["stated"] if item["id"] == key)


def test_points_hold_what_their_steps_left(drawn: Workplace) -> None:
    (point,) = (
        p for p in shown(drawn, "scatter")["points"] if p["point"] == "loose/size 20/copies 2"
    )
    records = [drawn.store.get(identity) for identity in point["run"]["steps"]["recipe"]]
    errors = [100 - 100 * record.values["accuracy"] for record in records if record]
    loss = drawn.store.get(point["run"]["steps"]["objective"][0])
    assert loss is not None
    assert point["values"]["error"]["mean"] == pytest.approx(np.mean(errors))
    assert point["values"]["error"]["std"] == pytest.approx(np.std(errors, ddof=1))
    assert point["values"]["error"]["n"] == 2
    (marker,) = point["drawn"]["scatter"]
    assert (marker["x"], marker["y"]) == pytest.approx((loss.values["loss"], np.mean(errors)))
    assert (point["comparable"], point["missing"]) == (True, [])


def test_lines_are_the_arrays(drawn: Workplace) -> None:
    small, large = panel(shown(drawn, "scatter"), "b")
    for point in (small, large):
        (line,) = point["drawn"]["paths"]
        assert line["x"] == [1.0, 2.0, 3.0, 4.0, 5.0]
        assert line["y"] == pytest.approx([line["y"][0] * x**2 for x in line["x"]])


def test_correlations_are_those_of_the_points_shown(drawn: Workplace) -> None:
    fields = shown(drawn, "scatter")
    points = [point for point in panel(fields, "a") if point["drawn"]]
    x, y = ([p["drawn"]["scatter"][0][axis] for p in points] for axis in "xy")
    (found,) = fields["correlations"]
    by_name = {item["adjustment"]: item for item in found["coefficients"]}
    assert by_name["plain"]["rho"] == pytest.approx(stats.spearmanr(x, y).statistic)
    assert by_name["plain"]["n"] == len(points) == 12
    assert set(by_name["within"]["without"]) == {"20", "40"}
    assert stated(fields, "rho")["reproduced"]["mean"] == by_name["partial"]["rho"]
    assert stated(fields, "rho")["reproduced"]["interval"] == [
        by_name["partial"]["low"],
        by_name["partial"]["high"],
    ]


def test_the_readings_that_a_stated_correlation_is_in_keeping_with_are_told(
    drawn: Workplace, tmp_path: Path
) -> None:
    fields = shown(drawn, "scatter")
    (found,) = fields["correlations"]
    inside = {
        item["adjustment"]: item["low"] <= 0.41 <= item["high"] for item in found["coefficients"]
    }
    assert stated(fields, "rho")["readings"] == inside
    assert stated(fields, "error")["readings"] == {}
    place = drawn.copy(tmp_path)
    place.edit("figures/scatter.toml", 'text = "0.41"', 'text = "-0.99"')
    place.edit("figures/scatter.toml", "correlation of 0.41", "correlation of -0.99")
    told = place.repro("show", "scatter").out
    assert "-0.99 against our 95 % intervals in panel a: outside under" in told


def test_stated_numbers_stand_beside_ours_with_a_verdict(drawn: Workplace) -> None:
    fields = shown(drawn, "scatter")
    error = stated(fields, "error")
    loose = [p for p in panel(fields, "a") if p["point"].startswith("loose/size 20")]
    assert error["reproduced"]["mean"] == pytest.approx(
        np.mean([p["values"]["error"]["mean"] for p in loose])
    )
    assert error["verdict"] == "reproduced"
    assert error["difference"] == pytest.approx(error["reproduced"]["mean"] - 58.0)
    # One of the sets cannot be run, so the points are not the paper's.
    assert stated(fields, "rho")["verdict"] == "not comparable"
    assert stated(fields, "rho")["why"] == "Only its number is known."
    assert stated(fields, "points")["reproduced"] is None
    slope = stated(shown(drawn, "law"), "slope")
    assert slope["reproduced"]["mean"] == pytest.approx(2.0)
    assert slope["reproduced"]["interval"] == pytest.approx([1.9, 2.1])
    assert slope["verdict"] == "reproduced"


def test_a_step_s_interval_is_shown_as_it_is_and_judged_by_half_its_width(
    drawn: Workplace, tmp_path: Path
) -> None:
    """It need not be symmetric: here it ends where a parameter does."""
    place = drawn.copy(tmp_path)
    place.edit("fits/law.toml", 'high = "high"', 'high = "slope"')
    slope = stated(place.repro("show", "law", "--json").json, "slope")
    assert slope["reproduced"]["interval"] == pytest.approx([1.9, 2.0])
    assert slope["interval"] == pytest.approx([-0.05, 0.05])
    assert "95 % interval -0.05 to +0.05 by the standard error" in slope["why"]
    told = place.repro("diff", "law").out
    assert "1.9 to 2 " in told
    assert "slope: judged by the standard error, as if the interval were symmetric" in told


def test_a_mean_of_points_keeps_to_the_sides_of_their_intervals() -> None:
    """Three results that end at 1, where their parameter does: so does their mean."""
    from harness.judge.stated import _interval

    low, high = _interval([1.0, 1.0, 1.0], [(0.7, 1.0), (0.9, 1.0), (1.0, 1.0)])
    assert (low, high) == (pytest.approx(1 - 0.1**0.5 / 3), 1.0)


@pytest.mark.parametrize(
    ("old", "new", "verdict", "code"),
    [
        ('text = "2.0"', 'text = "2.5"', "deviates", 1),
        ("margin = 0.2", "margin = 0.01", "inconclusive", 0),
        ('text = "2.0"', 'text = "2.0"', "reproduced", 0),
    ],
)
def test_diff_tells_by_its_exit_code(
    drawn: Workplace, tmp_path: Path, old: str, new: str, verdict: str, code: int
) -> None:
    place = drawn.copy(tmp_path)
    place.edit("fits/law.toml", old, new)
    outcome = place.repro("diff", "law", "--json")
    assert outcome.code == code
    assert stated(outcome.json, "slope")["verdict"] == verdict
    assert verdict in place.repro("diff", "law").out


@pytest.mark.parametrize(
    ("text", "verdict"), [("1.0", "reproduced"), ("2.5", "deviates"), ("2.15", "inconclusive")]
)
def test_of_at_least_more_is_no_deviation(
    drawn: Workplace, tmp_path: Path, text: str, verdict: str
) -> None:
    """Ours is 2, and its 95 % interval goes from 1.9 to 2.1."""
    place = drawn.copy(tmp_path)
    place.edit("fits/law.toml", 'text = "2.0"', f'text = "{text}"')
    place.edit("fits/law.toml", "margin = 0.2", "margin = 0.2, at_least = true")
    slope = stated(place.repro("show", "law", "--json").json, "slope")
    assert slope["verdict"] == verdict


def test_nothing_runs_twice_and_points_share_steps(drawn: Workplace, tmp_path: Path) -> None:
    place = drawn.copy(tmp_path)
    before = place.starts()
    assert place.repro("make", "scatter", "law", "bound", *INLINE).code == 0
    assert place.starts() == before


def test_show_says_what_is_missing_before_anything_is_made(fresh: Workplace) -> None:
    fields = shown(fresh, "scatter")
    runs = [point for point in fields["points"] if not point["point"].startswith("cited")]
    assert all(point["missing"] for point in runs)
    assert [item["coefficients"] for item in fields["correlations"]] == [[]]
    assert {item["verdict"] for item in fields["stated"]} == {"not run"}
    outcome = fresh.repro("show", "scatter")
    assert outcome.code == 0
    assert "Panel a: none of its 16 points has all its runs" in outcome.out
    assert "cannot be run" in outcome.out


def test_a_terminal_is_shown_a_screenful_and_a_pipe_everything(drawn: Workplace) -> None:
    judged = Study.open(drawn.root).judge("scatter")
    shows = {}
    for terminal, height in ((True, 24), (True, 400), (False, 24)):
        out = StringIO()
        opened = console(out, width=100, height=height, force_terminal=terminal, no_color=True)
        judged.view.show(judged.judgement, opened)
        shows[terminal, height] = re.sub("\x1b\\[[0-9;]*m", "", out.getvalue())
    assert shows[True, 400] == shows[False, 24]
    assert "loose/size 40/copies 1" in shows[False, 24]
    brief = shows[True, 24]
    assert brief.count("\n") < 24
    assert "Panel a: 16 points (cannot be run: 4, done: 12)" in brief
    assert "rho" in brief
    assert "add `| less` to the command" in brief


def test_a_few_points_have_no_coefficient_of_the_panel(drawn: Workplace) -> None:
    """What is stated is of all points; some of them are not enough."""
    fields = shown(drawn, "scatter", "--seeds", "3")
    assert all(point["missing"] for point in panel(fields, "a") if point["run"]["steps"])
    assert stated(fields, "rho")["reproduced"] is None


def test_points_that_a_profile_makes_the_same_count_once(fresh: Workplace) -> None:
    fresh.add("profiles/small.toml", "40 = 15\n")
    assert fresh.repro("make", "scatter", "--profile", "small", *INLINE).code == 0
    fields = shown(fresh, "scatter", "--profile", "small")
    same = {p["point"]: p["same_as"] for p in panel(fields, "a") if p["same_as"]}
    assert same["loose/size 40/copies 1"] == "loose/size 20/copies 1"
    assert len(same) == 6
    (found,) = fields["correlations"]
    assert {item["n"] for item in found["coefficients"]} == {6}
    assert "as loose/size 20/copies 1" in fresh.repro("show", "scatter", "-p", "small").out


def test_the_worst_of_each_size_may_be_left_out(drawn: Workplace, tmp_path: Path) -> None:
    place = drawn.copy(tmp_path)
    place.edit(
        "figures/scatter.toml", 'same = ["copies"]', 'same = ["copies"], worst_left_out = 0.4'
    )
    (found,) = shown(place, "scatter")["correlations"]
    # Of the six points of a size, the one with the largest error and its repeat.
    assert {item["n"] for item in found["coefficients"]} == {8}


def test_a_variation_judges_otherwise_and_writes_elsewhere(
    drawn: Workplace, tmp_path: Path
) -> None:
    place = drawn.copy(tmp_path)
    outcome = place.repro("make", "scatter", "--vary", "adjustment=within", "--json", *INLINE)
    (fields,) = outcome.json["exhibits"]
    by_name = {i["adjustment"]: i["rho"] for i in fields["correlations"][0]["coefficients"]}
    assert stated(fields, "rho")["reproduced"]["mean"] == by_name["within"]
    assert all("stated-scatter.adjustment=within" in path for path in fields["files"])


def test_make_writes_plots_and_their_numbers(drawn: Workplace) -> None:
    fields = shown(drawn, "scatter")
    folder = drawn.root / "build" / "stated"
    assert (folder / "scatter.svg").read_text(encoding="utf-8").startswith("<?xml")
    assert (folder / "scatter.pdf").read_bytes().startswith(b"%PDF")
    assert (folder / "scatter.png").read_bytes().startswith(b"\x89PNG")
    with (folder / "scatter.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    plotted = {(r["panel"], r["point"]): (float(r["x"]), float(r["y"])) for r in rows if r["point"]}
    for point in panel(fields, "a"):
        for marker in point["drawn"].get("scatter", ()):
            assert plotted["a", point["point"]] == (marker["x"], marker["y"])
    assert sum(row["panel"] == "b" for row in rows) == 2 * 5
    assert not (folder / "bound.svg").exists()


def test_colours_tell_the_series_of_a_single_point_apart(drawn: Workplace) -> None:
    with (drawn.root / "build" / "stated" / "law.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {(row["series"], row["group"]) for row in rows} == {("", "measured"), ("", "line")}
    with (drawn.root / "build" / "stated" / "scatter.csv").open(encoding="utf-8") as file:
        assert {row["group"] for row in csv.DictReader(file)} >= {"size 20", "size 40"}


def test_plan_status_assumptions_and_why_know_points(drawn: Workplace) -> None:
    totals = drawn.repro("plan", "scatter", "--json").json["totals"]
    assert set(totals["by_row"]) == {"a", "b"}
    assert totals["current"] == totals["steps"]
    listed = drawn.repro("assumptions", "scatter", "--json").json["assumptions"]
    assert {"scatter.adjustment", "scatter.sizes_subsets", "distance.power"} <= {
        item["id"] for item in listed
    }
    status = {row["exhibit"]: row for row in drawn.repro("status", "--json").json["exhibits"]}
    assert status["law"]["current"] == status["law"]["steps"] > 0
    why = drawn.repro("why", "scatter:a:loose/size 20/copies 2")
    assert why.code == 0
    assert "loss" in why.out
    assert "is current" in why.out
    wrong = drawn.repro("why", "scatter:a:loose/size 20/copies 3")
    assert wrong.code == 2
    assert "scatter:a:loose/size 20/copies 2" in wrong.err


def test_all_is_everything_that_runs(drawn: Workplace, tmp_path: Path) -> None:
    place = drawn.copy(tmp_path)
    outcome = place.repro("make", "all", "--seeds", "1", "--json", *INLINE)
    assert outcome.code == 3  # one table is broken on purpose
    made = [item["exhibit"] for item in outcome.json["exhibits"]]
    assert set(made) == {"averaged", "broken", "verdicts", "scatter", "law", "bound"}


def test_claims_about_stated_numbers_are_judged_on_ours(
    drawn: Workplace, fresh: Workplace, tmp_path: Path
) -> None:
    place = drawn.copy(tmp_path / "made")
    for where in (place, fresh):
        where.add(
            "claims.toml",
            """
[[claims]]
id = "slope-is-two"
text = "a slope of 2.0"
where = "Section 4"
kind = "within"
cells = ["law:stated:slope"]
low = 1.5
high = 2.5

[[claims]]
id = "correlated"
text = "a correlation of 0.41"
where = "Section 3"
kind = "correlation"
value = "scatter:stated:rho"
high = 0.5
points = 12
expect = "undecided"
""",
        )
    before = {c["id"]: c for c in fresh.repro("verify", "--json").json["claims"]}
    assert before["slope-is-two"]["reproduced"] == "not run"
    after = {c["id"]: c for c in place.repro("verify", "--json").json["claims"]}
    assert after["slope-is-two"]["reproduced"] == "holds"
    assert after["correlated"]["reproduced"] in ("fails", "undecided")
    rho = stated(shown(place, "scatter"), "rho")["reproduced"]["mean"]
    assert f"{rho:.3g}" in after["correlated"]["reproduced_why"]


def test_a_reading_of_what_a_step_does_not_leave_is_told(drawn: Workplace, tmp_path: Path) -> None:
    place = drawn.copy(tmp_path)
    place.edit("fits/law.toml", 'value = "slope"', 'value = "slpoe"')
    outcome = place.repro("show", "law")
    assert outcome.code == 2
    assert re.search(r"'slpoe'.*'line'.*'?slope'?", outcome.err)


@pytest.mark.parametrize("command", ["make", "plan", "diff", "assumptions"])
def test_what_nothing_runs_for_is_told(fresh: Workplace, command: str) -> None:
    lemma = fresh.specs / "lemmas/bound.toml"
    text = lemma.read_text(encoding="utf-8")
    lemma.write_text(text[: text.index("[[panels]]")], encoding="utf-8")
    outcome = fresh.repro(command, "bound")
    assert outcome.code == 2
    assert "nothing runs for 'bound'" in outcome.err


@pytest.mark.parametrize("exhibit", ["scatter", "law", "bound"])
def test_in_a_notebook_every_kind_of_exhibit_shows_what_the_command_shows(
    drawn: Workplace, exhibit: str
) -> None:
    judged = Study.open(drawn.root).judge(exhibit)
    printed = drawn.repro("show", exhibit).out
    for line in printed.splitlines()[:4]:
        assert " ".join(line.split()) in " ".join(str(judged).split())
    assert judged.judgement.plan.exhibit.title in judged._repr_html_()
