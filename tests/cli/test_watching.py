"""`--watch`: a page and a terminal that keep up with a run."""

from __future__ import annotations

import pytest

from harness import Study
from harness.cli import watching
from tests.toy.paper import Workplace


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What happens in each pause between two looks; Ctrl-C after the last."""
    planned: list[object] = []

    def sleep(seconds: float) -> None:
        if not planned:
            raise KeyboardInterrupt
        planned.pop(0)()  # type: ignore[operator]

    monkeypatch.setattr(watching.time, "sleep", sleep)
    return planned


def watched(study: Study) -> list[int]:
    """What each look finds made, until Ctrl-C."""
    found: list[int] = []
    with pytest.raises(KeyboardInterrupt):
        found.extend(made(now) for now in watching.rounds(study, True))
    return found


def made(study: Study) -> int:
    return sum(exhibit.count("current") for exhibit in study.status().exhibits)


def test_each_change_is_looked_at_once_and_afresh(
    place: Workplace, pauses: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    def make() -> None:
        assert place.repro("make", "verdicts:Faithful:Small", "--executor", "inline").code == 0

    pauses += [lambda: None, make, lambda: None]
    seen = watched(Study.open(place.root))
    assert len(seen) == 2, "where nothing has changed, nothing is done"
    assert seen[0] == 0 < seen[1]


def test_without_it_there_is_one_look(place: Workplace) -> None:
    study = Study.open(place.root)
    assert list(watching.rounds(study, False)) == [study]


def test_a_spec_that_is_broken_meanwhile_is_told_and_does_not_end_it(
    place: Workplace, pauses: list[object], capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> None:
        assert place.repro("make", "verdicts:Faithful:Small", "--executor", "inline").code == 0
        place.edit("paper.toml", "title", "titel")

    def mended() -> None:
        place.edit("paper.toml", "titel", "title")

    pauses += [broken, lambda: None, mended]
    seen = watched(Study.open(place.root))
    assert len(seen) == 2
    assert seen[0] == 0 < seen[1]
    assert capsys.readouterr().err.count("titel") == 1


@pytest.mark.parametrize("command", ["status", "report"])
def test_an_interrupt_ends_it_in_one_line_as_it_ends_every_command(
    place: Workplace, pauses: list[object], command: str
) -> None:
    ended = place.repro(command, "--watch")
    assert ended.code == 130
    assert ended.err.splitlines()[-1].startswith("repro: interrupted; what is finished is kept")
    assert ended.err.count("interrupt") == 1


def test_a_paper_that_is_gone_for_a_moment_is_told_and_does_not_end_it(
    place: Workplace, pauses: list[object], capsys: pytest.CaptureFixture[str]
) -> None:
    paper, aside = place.root / "specs" / "paper.toml", place.root / "specs" / "paper.old"

    def gone() -> None:
        assert place.repro("make", "verdicts:Faithful:Small", "--executor", "inline").code == 0
        paper.rename(aside)

    pauses += [gone, lambda: aside.rename(paper)]
    assert len(watched(Study.open(place.root))) == 2
    assert capsys.readouterr().err.count("paper.toml") == 1


def test_edited_specs_and_files_of_results_are_looked_at_again(
    place: Workplace, pauses: list[object]
) -> None:
    results = place.root / "runs.csv"
    results.write_text("row,seed,score\nFaithful,0,0.5\n", encoding="utf-8")
    spec = place.root / "specs" / "tables" / "verdicts.toml"
    entry = 'files = ["runs.csv"]\nrow = "row"\nseed = "seed"\nvalue = { Small = "score" }\n'
    spec.write_text(f"{spec.read_text('utf-8')}\n[[evidence]]\n{entry}", encoding="utf-8")
    pauses += [
        lambda: place.edit("tables/verdicts.toml", 'title = "', 'title = "Other '),
        lambda: None,
        lambda: results.write_text("row,seed,score\nFaithful,0,0.25\n", encoding="utf-8"),
        lambda: None,
    ]
    assert len(watched(Study.open(place.root))) == 3
