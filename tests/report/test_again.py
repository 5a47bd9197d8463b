"""A report in the place of an earlier one: only what shows something else is written."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from jinja2 import DictLoader, Environment

from harness import Study
from harness.render.report import site as writing
from harness.render.report.folder import ReportFolder
from harness.study.kept_changes import changes_of
from tests.report.sites import report
from tests.toy.paper import Workplace

DROPPED = "verdicts:Faithful:Small"


@pytest.fixture
def place(made: Workplace, tmp_path: Path) -> Workplace:
    """Everything made, to be changed."""
    return made.copy(tmp_path / "again")


def held(site: Path) -> dict[str, bytes]:
    """Path -> content, of every file."""
    return {
        path.relative_to(site).as_posix(): path.read_bytes()
        for path in site.rglob("*")
        if path.is_file()
    }


def stamps(site: Path) -> dict[str, int]:
    """Path -> when it was written."""
    return {name: (site / name).stat().st_mtime_ns for name in held(site)}


def fresh(place: Workplace) -> dict[str, bytes]:
    outcome = place.repro("report", "--out", str(place.root / "fresh"))
    assert outcome.code == 0, outcome.err
    return held(place.root / "fresh")


def test_nothing_is_written_where_nothing_has_changed(place: Workplace) -> None:
    site = report(place)
    before = stamps(site)
    report(place)
    assert stamps(site) == before


def test_a_report_says_how_much_of_it_is_new(place: Workplace) -> None:
    site = str(place.root / "told")
    pages = "; the report has {} pages; open "
    first = place.repro("report", "--out", site, "--json").json
    assert first["changed"] == len(held(place.root / "told")) - 1, "all but the mark"
    again = place.repro("report", "--out", site).out
    assert again.startswith("nothing changed" + pages.format(first["pages"]))
    (place.root / "told" / "claims.html").unlink()
    mended = place.repro("report", "--out", site).out
    assert mended.startswith("1 file changed" + pages.format(first["pages"]))


def test_a_number_that_is_gone_changes_its_pages_and_no_others(place: Workplace) -> None:
    site = report(place)
    before, written = held(site), stamps(site)
    assert place.repro("store", "drop", DROPPED, "--yes").code == 0
    report(place)
    after, again = held(site), stamps(site)
    changed = {name for name in before if after.get(name) != before[name]}
    assert {name for name in before if again.get(name) != written[name]} == changed
    assert {"numbers/verdicts/faithful-small.html", "exhibits/verdicts.html"} <= changed
    assert "numbers.html" in changed
    assert not any(name.startswith("numbers/law/") for name in changed)
    assert after == fresh(place), "as a report in an empty folder"


def test_an_alternative_that_is_run_changes_what_is_said_of_it(place: Workplace) -> None:
    site = report(place)
    page = site / "numbers" / "averaged" / "faithful-mean.html"
    before = page.read_text()
    varied = ("make", "averaged", "--vary", "faithful.keep=5", "--executor", "inline")
    outcome = place.repro(*varied)
    assert outcome.code == 0, outcome.err
    report(place)
    assert page.read_text() != before
    assert held(site) == fresh(place)


def test_a_page_that_was_damaged_is_mended_and_what_is_not_of_the_report_goes(
    place: Workplace,
) -> None:
    site = report(place)
    whole = held(site)
    (site / "numbers" / "verdicts" / "faithful-small.html").write_text("cut o")
    (site / "index.html").unlink()
    (site / "numbers" / "old").mkdir()
    (site / "numbers" / "old" / "row.html").write_text("of a row that is no more")
    report(place)
    assert held(site) == whole
    assert not (site / "numbers" / "old").exists()


@pytest.mark.parametrize("mark", ["This folder holds a report.\n", "[]", '{"files": {"a": 1}}', ""])
def test_a_mark_of_another_version_is_no_obstacle(place: Workplace, mark: str) -> None:
    site = report(place)
    whole = held(site)
    (site / ".repro-report").write_text(mark)
    report(place)
    assert held(site) == whole


def test_an_open_page_hears_of_a_round_when_all_pages_are_there(
    place: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And no page is seen half-written: it takes the place of the one before at once."""
    put, order = ReportFolder.put, []

    def noted(folder: ReportFolder, name: str, *content: str) -> None:
        order.append(name)
        put(folder, name, *content)

    monkeypatch.setattr(ReportFolder, "put", noted)
    study = Study.open(place.root)
    study.report(out=place.root / "watched", tell=lambda line: None, watched=1)
    assert order[-1] == "assets/round.js"
    assert any(name.startswith("numbers/") for name in order)


def test_a_kept_answer_that_lacks_an_alternative_counts_as_absent(
    place: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPRO_STORE", str(place.root / "store"))
    project = Study.open(place.root).project
    plan = Study.open(place.root).judge("averaged").judgement.plan
    whole = changes_of(project, plan)
    assert whole
    get = project.store.memo.get
    monkeypatch.setattr(project.store.memo, "get", lambda kind, key: get(kind, key) and {})
    assert changes_of(project, plan) == whole


@pytest.mark.parametrize("folder", ["kept", "none/that/can/be/made"])
def test_a_template_that_other_code_compiled_is_compiled_anew(
    folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a filter makes of a constant stands in the compiled template."""

    def rendered(sign: str) -> str:
        environment = Environment(
            loader=DictLoader({"page": "{{ 'a'|repeated }}"}),
            bytecode_cache=writing._Compiled(str(tmp_path / folder), "%s.pyc"),
        )
        environment.filters["repeated"] = lambda text: text + sign
        return environment.get_template("page").render()

    assert rendered("!") == "a!"
    monkeypatch.setattr(writing, "_code", lambda: "another")
    assert rendered("?") == "a?"


def test_a_caption_that_changes_is_on_the_page_of_its_exhibit(place: Workplace) -> None:
    folder = report(place)
    spec = place.root / "specs" / "tables" / "verdicts.toml"
    text = spec.read_text()
    spec.write_text(re.sub(r"(?m)^title = .*$", 'title = "Of another name"', text))
    assert spec.read_text() != text
    report(place)
    assert "Of another name" in (folder / "exhibits" / "verdicts.html").read_text()
    assert held(folder) == fresh(place)
