"""`repro report`: pages that hold together, say what the judgements say, and run nobody's text."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import unquote, urldefrag

import pytest

from harness.render.report.site import repeated
from tests.report.sites import EVIL, pages, report
from tests.toy.paper import Workplace


@pytest.mark.parametrize("which", ["site", "poisoned"])
def test_pages_are_well_formed_and_every_link_leads_somewhere(
    which: str, request: pytest.FixtureRequest
) -> None:
    folder: Path = request.getfixturevalue(which)
    found = pages(folder)
    assert len(found) > 20
    ids = {name: page.all("id") for name, page in found.items()}
    anchors = {name: set(named) for name, named in ids.items()}
    for name, page in found.items():
        assert page.problems == [], name
        assert len(ids[name]) == len(anchors[name]), f"{name} has an id twice"
        for link in {*page.all("href"), *page.all("src")}:
            if not link.startswith("data:"):
                _check(folder, anchors, name, link)


def _check(folder: Path, anchors: dict[str, set[str]], name: str, link: str) -> None:
    assert "://" not in link, f"{name} needs the network: {link}"
    path, anchor = urldefrag(link)
    target = (folder / name).parent / unquote(path) if path else folder / name
    assert target.resolve().is_file(), f"{name} leads to {link}, which is not there"
    inside = target.resolve().relative_to(folder.resolve()).as_posix()
    if anchor and "=" not in anchor:
        assert anchor in anchors[inside], f"{name}: nothing is called {anchor}"


def test_nobodys_text_becomes_markup(poisoned: Path, site: Path) -> None:
    allowed = {tag for page in pages(site).values() for tag, _ in page.elements}
    for name, page in pages(poisoned).items():
        assert {tag for tag, _ in page.elements} <= allowed, name
        assert not [key for _, attrs in page.elements for key in attrs if key.startswith("on")]
        scripts = [attrs for tag, attrs in page.elements if tag == "script"]
        assert [attrs.get("src", "").rpartition("/")[2] for attrs in scripts] == ["report.js"]
        assert "\u202e" not in page.text, f"{name} turns the direction of its text"
    shown = EVIL.removesuffix("\u202e")
    first = pages(poisoned)["index.html"]
    assert shown in first.said
    assert "49" not in first.said


def test_what_search_looks_in_cannot_end_its_script(poisoned: Path) -> None:
    text = (poisoned / "assets" / "search.js").read_text(encoding="utf-8")
    start, _, body = text.partition(" = ")
    assert start == "window.reportIndex"
    entries = json.loads(body.removesuffix(";\n"))
    for _, _, page in entries:
        assert (poisoned / urldefrag(page)[0]).is_file()
    assert any("<script>" in title for title, _, _ in entries)


def test_an_exhibit_shows_what_diff_says(made: Workplace, site: Path) -> None:
    page = pages(site)["exhibits/verdicts.html"]
    cells = made.repro("diff", "verdicts", "--json").json["cells"]
    labels = page.all("aria-label")
    for cell in cells:
        address = f"{cell['row']}, {cell['column']}: "
        (said,) = [label for label in labels if label.startswith(address)]
        assert said.endswith(cell["verdict"])
        assert cell["reported"] is None or cell["reported"]["text"] in said
        drawn = [label for label in labels if label == _in_words(cell)]
        assert bool(drawn) == (cell["difference"] is not None)


def _in_words(cell: dict) -> str | None:
    if cell["difference"] is None:
        return None
    low, high = cell["interval"]
    return (
        f"difference {cell['difference']:+.3g}, 95 % interval {low:+.3g} to {high:+.3g}, "
        f"margin ±{cell['margin']:g}"
    )


def test_a_number_leads_to_its_runs(made: Workplace, site: Path) -> None:
    page = pages(site)["numbers/verdicts/faithful-small.html"]
    (cell,) = [
        cell
        for cell in made.repro("show", "verdicts", "--json").json["cells"]
        if (cell["row"], cell["column"]) == ("Faithful", "Small")
    ]
    for (identity,) in cell["run"]["steps"]:
        record = made.store.get(identity)
        assert record is not None
        assert identity in page.said
        assert record.code in page.said
        assert f"accuracy {record.values['accuracy']:.6g}" in page.said
        assert str(record.environment["python"]) in page.said
    assert "repro make verdicts:Faithful:Small --profile stated" in page.said


def test_the_command_of_a_number_remakes_it(made: Workplace) -> None:
    outcome = made.repro("plan", "verdicts:Faithful:Small", "--profile", "stated", "--json")
    assert outcome.json["totals"]["current"] == outcome.json["totals"]["steps"] > 0


def test_an_alternative_with_records_says_which_verdicts_it_flips(site: Path) -> None:
    page = pages(site)["exhibits/averaged.html"]
    assert (
        "averaged:Assumed:Mean: deviates → reproduced, turned; by +10; how sure is not" in page.said
    )
    assert "no flip set before fresh seeds agree" in page.said
    assert "repro make averaged --profile stated --vary assumed.truth=0.6" in page.said
    assert page.said.index("assumed.truth") < page.said.index("assumed.keep"), "what flips is first"
    unsure = "a verdict changes with it, not confirmed"
    assert unsure in pages(site)["numbers/averaged/assumed-mean.html"].said
    assert unsure not in pages(site)["numbers/averaged/faithful-mean.html"].said


def test_numbers_that_were_only_begun_are_not_said_to_be_run(
    made: Workplace, tmp_path: Path
) -> None:
    place = made.copy(tmp_path / "begun")
    varied = ("--seeds", "2", "--vary", "assumed.keep=5", "--executor", "inline")
    assert place.repro("make", "averaged:Assumed:Mean", *varied).code == 0
    said = pages(report(place))["exhibits/averaged.html"].said
    begun = "run for 0 of 1 number that it touches, begun for 1"
    assert begun in said
    assert f"{begun}; no verdict changes" not in said


def test_alternatives_of_a_figure_are_run_or_not(made: Workplace, tmp_path: Path) -> None:
    """Its cells are the stated numbers, and its points share steps with the default."""
    place = made.copy(tmp_path / "figure")
    varied = ("--vary", "wide.keep=5", "--executor", "inline")
    assert place.repro("make", "scatter", *varied).code == 0
    said = pages(report(place))["exhibits/scatter.html"].said
    own = {name: said.split(f"{name} =")[1] for name in ("distance.power", "wide.keep")}
    assert re.search(r"Or \S+: ([^;]*)", own["wide.keep"])[1] == (  # type: ignore[index]
        "run for 4 of 4 numbers that it touches"
    )
    assert own["distance.power"].partition("Or 3.0: ")[2].startswith("not run")


def test_an_alternative_may_have_points_that_the_default_has_not(site: Path) -> None:
    said = pages(site)["exhibits/scatter.html"].said
    assert "Or [20, 40, 60]: not run" in said


def test_the_scorecard_counts_what_the_commands_say(made: Workplace, site: Path) -> None:
    said = pages(site)["index.html"].said
    claims = made.repro("verify", "--json").json["claims"]
    for outcome in ("holds", "fails", "undecided", "not run"):
        for key in ("reported", "reproduced"):
            count = sum(claim[key] == outcome for claim in claims)
            link = f'claims.html#{key}={outcome.replace(" ", "%20")}">{count}</a>'
            assert link in (site / "index.html").read_text(encoding="utf-8")
    assert "Table 1" in said
    assert "Table 2" in said


def test_the_scorecard_says_how_every_printed_number_stands(made: Workplace, site: Path) -> None:
    page = pages(site)["index.html"]
    found = {
        name: made.repro("diff", name, "--json").json["cells"]
        for name in ("verdicts", "averaged", "broken")
    }
    cells = [cell for each in found.values() for cell in each]
    printed = [cell for cell in cells if cell["reported"] is not None]
    assert f"Of {len(printed)} printed numbers: " in page.said
    for verdict, words in (("reproduced", "reproduced"), ("deviates", "deviate")):
        count = sum(cell["verdict"] == verdict for cell in printed)
        assert f"{count} {words}" in page.said
    squares = [attrs for _, attrs in page.elements if "sq t-" in attrs.get("class", "")]
    links = [attrs for attrs in squares if "href" in attrs]
    told = {attrs["href"]: attrs["aria-label"] for attrs in links if "numbers/" in attrs["href"]}
    assert len(told) == len(cells), "each number has a square that leads to its page"
    for name, cell in ((name, cell) for name, each in found.items() for cell in each):
        (label,) = [
            label
            for page, label in told.items()
            if f"/{name}/" in page and f", {cell['row']}, {cell['column']}: " in label
        ]
        assert label.endswith(cell["verdict"]) or cell["verdict"] == "inconclusive"


def test_verdicts_about_the_same_runs_are_counted() -> None:
    runs = [SimpleNamespace(identity=name) for name in "ab"]
    judged = {"reported": "1.0", "verdict": "reproduced"}
    first, second = SimpleNamespace(**judged, runs=runs), SimpleNamespace(**judged, runs=runs[:1])
    not_run = SimpleNamespace(reported="1.0", verdict="not run", runs=runs)
    point = SimpleNamespace(reported=None, verdict=None, runs=runs)
    of_a_file = SimpleNamespace(**judged, runs=[])
    assert repeated([first, second, not_run, not_run, point, of_a_file, of_a_file]) == 0
    assert repeated([first, first, second, first]) == 2


def test_what_was_not_compared_is_not_counted_as_judged(tmp_path: Path) -> None:
    from tests.toy.paper import new_workplace

    said = pages(report(new_workplace(tmp_path)))["index.html"].said
    assert set(re.findall(r"(\d+) of \d+ judged", said)) == {"0"}
    assert said.index("What would decide most next") < said.index("Exhibits by verdict")
    assert "repro make verdicts --profile stated" in said, "the next make is named, with its cost"
    assert "Without results yet" in said
    assert "With results" not in said


def test_a_table_that_is_printed_on_its_side_leads_to_its_numbers(
    made: Workplace, tmp_path: Path
) -> None:
    place = made.copy(tmp_path / "copy")
    place.edit("tables/verdicts.toml", 'kind = "table"', 'kind = "table"\ntransposed = true')
    found = pages(report(place))
    links = set(found["exhibits/verdicts.html"].all("href"))
    assert {f"../{name}" for name in found if name.startswith("numbers/verdicts/")} <= links


def test_search_finds_settings(site: Path) -> None:
    text = (site / "assets" / "search.js").read_text(encoding="utf-8")
    entries = json.loads(text.partition(" = ")[2].removesuffix(";\n"))
    assert [page for title, _, page in entries if title.startswith("assumed.truth = ")]


def test_plots_and_their_numbers_lie_beside_the_pages(site: Path) -> None:
    names = {path.name for path in (site / "files" / "scatter").iterdir()}
    assert names == {"scatter.svg", "scatter.pdf", "scatter.png", "scatter.csv"}
    assert "files/scatter/scatter.svg" in " ".join(pages(site)["exhibits/scatter.html"].all("src"))


def test_the_same_records_give_the_same_bytes(made: Workplace, site: Path) -> None:
    before = {path: path.read_bytes() for path in site.rglob("*") if path.is_file()}
    report(made)
    assert before == {path: path.read_bytes() for path in site.rglob("*") if path.is_file()}


def test_a_folder_that_holds_something_else_is_left_alone(made: Workplace, tmp_path: Path) -> None:
    kept = tmp_path / "letters" / "mother.txt"
    kept.parent.mkdir()
    kept.write_text("dear")
    outcome = made.repro("report", "--out", str(kept.parent))
    assert outcome.code == 2
    assert "name another folder" in outcome.err
    assert kept.read_text() == "dear"


def test_without_any_record_all_pages_are_there(tmp_path: Path) -> None:
    from tests.toy.paper import new_workplace

    place = new_workplace(tmp_path)
    found = pages(report(place))
    assert "not run" in found["numbers/verdicts/faithful-small.html"].said
    assert "0 of 8" in found["index.html"].said


def test_a_number_is_told_only_what_flips_its_own_verdict(site: Path) -> None:
    found = pages(site)
    assert "run for 1 of 1 number that it touches" in found["exhibits/averaged.html"].said
    own = found["numbers/averaged/assumed-mean.html"].said
    assert "averaged:Assumed:Mean: deviates → reproduced" in own
    names = [name for name in found if name.startswith("numbers/averaged/faithful")]
    assert all("→" not in found[name].said for name in names)


def test_what_a_number_lacks_is_marked_for_narrow_screens(site: Path) -> None:
    (row,) = re.findall(
        r"<tr data-exhibit=\"verdicts\"[^>]*>(?:(?!</tr>).)*cited-large.*?</tr>",
        (site / "numbers.html").read_text(encoding="utf-8"),
        re.DOTALL,
    )
    assert len(re.findall(r'class="[^"]*\bnone"', row)) == 3


def test_badges_stand_beside_the_pages(site: Path) -> None:
    badges = {p.stem: json.loads(p.read_text("utf-8")) for p in (site / "badges").glob("*.json")}
    whole = "6 of 11 reproduced, 2 not run, 3 not comparable"
    assert badges["paper"]["message"] == whole
    numbers = pages(site)["index.html"].said.split(" sentences")[0]
    assert sum(map(int, re.findall(r"(\d+) not run", numbers))) == 2, "as the scorecard counts"
    assert len(badges) > 1
    assert all(badge["schemaVersion"] == 1 for badge in badges.values())


def test_every_table_scrolls_by_keyboard_where_it_is_wider_than_the_page(site: Path) -> None:
    pages = sorted(site.rglob("*.html"))
    tables = [
        before.rstrip().rpartition("\n")[2] or before
        for page in pages
        for before in page.read_text(encoding="utf-8").split("<table")[:-1]
    ]
    assert len(tables) > 10
    for before in tables:
        assert re.search(
            r'<div class="scroll" role="region" aria-label(ledby)?="[^"]+" tabindex="0">', before
        ), before[-200:]
