"""The Python API: what `Study` returns is what the commands show."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from harness import Study
from harness.errors import UserError
from harness.judge.audit.audit import audit
from harness.spec.paper import load_paper
from harness.study import as_json
from tests.toy.paper import Workplace

HEAVY = ("torch", "scipy", "matplotlib", "numpy", "pydantic", "typer", "rich", "duckdb")


@pytest.fixture
def study(made: Workplace, monkeypatch: pytest.MonkeyPatch) -> Study:
    monkeypatch.setenv("REPRO_STORE", str(made.root / "store"))
    monkeypatch.setenv("REPRO_BUILD", str(made.root / "build"))
    return Study.open(made.root)


def test_importing_the_api_imports_nothing_heavy() -> None:
    code = (
        "import sys; from harness import Study; Study.open; "
        f"print([m for m in {HEAVY!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_judged_exhibit_says_what_show_says(study: Study, made: Workplace) -> None:
    judged = study.judge("verdicts")
    shown = made.repro("show", "verdicts")
    numbers, _, _ = shown.out.partition("Next: ")  # which a command alone can say
    assert str(judged).split() == numbers.split()
    fields = {"version": as_json.VERSION, **as_json.judged(judged)}
    assert json.loads(json.dumps(fields)) == made.repro("show", "verdicts", "--json").json
    html = judged._repr_html_()
    assert html.startswith("<pre")
    assert "Flattered" in html


def test_a_second_make_runs_nothing_and_gives_the_same_verdicts(
    study: Study, made: Workplace
) -> None:
    before = made.starts()
    done = study.make("verdicts", executor="inline")
    assert made.starts() == before
    assert not done.problems
    [exhibit] = done.exhibits
    assert exhibit.judgement.verdict_names == study.judge("verdicts").judgement.verdict_names
    assert all(path.is_file() for path in exhibit.files)


def test_a_variation_is_a_mapping_or_texts(study: Study) -> None:
    by_mapping = study.plan("averaged", vary={"assumed.truth": 0.6})
    by_text = study.plan("averaged", vary=["assumed.truth=0.6"])
    assert by_mapping.steps.keys() == by_text.steps.keys()
    assert by_mapping.steps.keys() != study.plan("averaged").steps.keys()
    with pytest.raises(UserError, match="expected one of"):
        study.plan("averaged", vary={"assumed.truth": 0.7})


def test_other_questions_have_typed_answers(study: Study) -> None:
    assert not study.verify().unexpected
    assert all(finding.severity for finding in study.audit())
    assert study.compare("small", "small", "verdicts").changes
    assert [progress.exhibit for progress in study.status().exhibits]


def test_a_folder_without_a_project_is_told(tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(UserError, match=r"no specs/paper\.toml"):
        Study.open(tmp_path)


def test_an_audit_is_kept_for_the_specs_that_were_read(
    study: Study, made: Workplace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And not for those that lie in the folder since."""
    place = made.copy(tmp_path / "edited")
    monkeypatch.setenv("REPRO_STORE", str(place.root / "store"))
    opened = Study.open(place.root)
    assert opened.paper.digest  # it is read now
    place.edit(
        "tables/verdicts.toml",
        'bind = { method = "faithful" }\ncells = { Small = "50.00 ± 0.30"',
        'bind = { method = "faithful" }\ncells = { Small = "50.0"',
    )
    before = opened.audit()
    after = Study.open(place.root).audit()
    assert after == audit(load_paper(place.specs))
    assert after != before
