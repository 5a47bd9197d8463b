"""A number that rests on fewer runs than were asked for says so wherever it is shown, and why."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from harness.errors import EvidenceError
from harness.plan.step import StepContext, StepInput, StepResult
from harness.store.digest import digest_file
from tests.cli.conftest import INLINE
from tests.toy import functions
from tests.toy.paper import Workplace
from tests.toy.steps import MeasureParams

CELL = "verdicts:Faithful:Small"
SHORT = "n = 4 of 5"


def identities(place: Workplace) -> list[str]:
    cells = place.repro("show", "verdicts", "--json").json["cells"]
    (cell,) = [c for c in cells if (c["row"], c["column"]) == ("Faithful", "Small")]
    return [identity for (identity,) in cell["run"]["steps"]]


@pytest.fixture
def survivors(place: Workplace, monkeypatch: pytest.MonkeyPatch) -> Workplace:
    """One of five runs of one cell raised."""
    measure = functions.measure

    def broken(
        params: MeasureParams, inputs: Mapping[str, StepInput], context: StepContext
    ) -> StepResult:
        if context.seed == 1:
            raise RuntimeError("it broke")
        return measure(params, inputs, context)

    with monkeypatch.context() as patch:
        patch.setattr(functions, "measure", broken)
        assert place.repro("make", CELL, *INLINE).code == 3
    return place


def shown(place: Workplace) -> dict[str, str]:
    """What every medium says of the exhibit."""
    place.repro("report", "--out", str(place.root / "site"))
    build = place.root / "build" / "stated"
    flat = {
        "terminal": place.repro("show", "verdicts").out,
        "diff": place.repro("diff", "verdicts").out,
        **{kind: (build / f"verdicts.{kind}").read_text() for kind in ("tex", "md", "csv")},
        "page": next((place.root / "site").rglob("*faithful*small*.html")).read_text(),
    }
    return {medium: " ".join(text.split()) for medium, text in flat.items()}


def test_every_render_says_how_many_and_why(survivors: Workplace) -> None:
    for medium, text in shown(survivors).items():
        assert "4 of 5" in text, medium
        assert "it broke" in text, medium
        assert not re.search(r"4 of 5\)\\?\s*✓(?!†)", text), f"{medium} has a plain mark"
    assert "(n = 4 of 5) ✓†" in shown(survivors)["md"]
    cells = survivors.repro("show", "verdicts", "--json").json["cells"]
    (cell,) = [c for c in cells if (c["row"], c["column"]) == ("Faithful", "Small")]
    assert (cell["asked"], cell["reproduced"]["n"]) == (5, 4)
    assert list(cell["gaps"]) == ["1"]
    assert "it broke" in cell["gaps"]["1"]


def test_claims_on_it_come_with_a_word(survivors: Workplace) -> None:
    outcome = survivors.repro("verify", "--json").json
    assert any(CELL in line and "4 of 5" in line for line in outcome["problems"])


def test_renders_of_other_seeds_stand_elsewhere(place: Workplace) -> None:
    assert place.repro("make", CELL, *INLINE).code == 0
    before = {path: path.read_bytes() for path in (place.root / "build").rglob("*.*")}
    assert SHORT not in before[place.root / "build" / "stated" / "verdicts.tex"].decode()
    made = place.repro("make", CELL, "--seeds", "2", *INLINE)
    assert made.code == 0
    assert {path: path.read_bytes() for path in before} == before
    other = (place.root / "build" / "stated-seeds=2" / "verdicts.tex").read_text()
    assert "seeds: 2" in other
    assert "seeds: 2" in made.out


def damage(place: Workplace, identity: str) -> None:
    (place.store.directory("records", identity) / "record.json").write_text("{}")


def later(place: Workplace, identity: str) -> None:
    """As a version would have written it that keeps one thing more."""
    folder = place.store.directory("records", identity)
    record = json.loads((folder / "record.json").read_text())
    (folder / "record.json").write_text(json.dumps({**record, "novelty": 1}))
    manifest = json.loads((folder / "manifest.json").read_text())
    size = (folder / "record.json").stat().st_size
    manifest["files"]["record.json"] = {
        "sha256": digest_file(folder / "record.json"),
        "bytes": size,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))


def test_a_record_that_cannot_be_read_is_said(copied: Workplace) -> None:
    first, second, *_ = identities(copied)
    damage(copied, first)
    later(copied, second)
    copied.repro("diff", "verdicts")  # renders nothing, so that the files below are made anew
    for command in ("show", "diff"):
        text = " ".join(copied.repro(command, "verdicts").out.split())
        assert "3 of 5 runs" in text
        assert "record.json has 2 bytes" in text
        assert "a newer version of repro wrote it, with novelty" in text
    planned = copied.repro("plan", "verdicts", "--json").json
    states = {step["identity"]: step for step in planned["steps"]}
    assert states[first]["state"] == states[second]["state"] == "run"
    assert "makes it anew" in states[first]["unreadable"]
    assert "update repro" in states[second]["unreadable"]
    assert first in copied.repro("plan", "verdicts").out
    assert any(CELL in line for line in copied.repro("verify", "--json").json["problems"])


def test_a_number_without_spread_counts_the_runs_that_came_back(place: Workplace) -> None:
    place.edit("methods/faithful.toml", "value = 0.002\n", "value = 0.0\n")
    assert place.repro("make", CELL, *INLINE).code == 0
    assert "of 5" not in place.repro("show", "verdicts").out
    damage(place, identities(place)[0])
    text = place.repro("show", "verdicts").out
    assert "(n = 4 of 5)" in text
    assert "4 of 5 runs" in " ".join(text.split())


def test_a_record_of_a_later_version_is_never_replaced(copied: Workplace) -> None:
    first, *_ = identities(copied)
    later(copied, first)
    before = copied.files()
    made = copied.repro("make", CELL, *INLINE)
    assert made.code == 3
    assert "update repro" in made.err
    assert copied.files() == before
    with pytest.raises(EvidenceError, match="later version"):
        copied.store.place(Path("draft"), first)
