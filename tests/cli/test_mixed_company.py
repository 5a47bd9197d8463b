"""A number whose runs come from different devices, libraries or code says which are which."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.plan.step import Json
from harness.run import execute
from harness.study import project
from tests.cli.conftest import INLINE
from tests.toy.paper import Workplace
from tests.toy.steps import STEPS

CELL = "verdicts:Faithful:Small"
PACKAGES: Json = {"numpy": "2.0.0", "torch": "9.9"}
ON_CPU: dict[str, Json] = {"device": "Chip One", "threads": 1, "packages": PACKAGES}
ON_GPU: dict[str, Json] = {"device": "Board Two", "threads": None, "packages": PACKAGES}
DIFFER = "Its runs differ in device (Chip One: seeds 0, 1; Board Two: seeds 2, 3, 4)."


@pytest.fixture
def company(place: Workplace, monkeypatch: pytest.MonkeyPatch) -> Workplace:
    """Two runs of one cell were made on a processor, three on a board."""
    for environment, seeds in ((ON_CPU, ("--seeds", "2")), (ON_GPU, ())):
        monkeypatch.setattr(execute, "environment", lambda _, held=environment: held)
        assert place.repro("make", CELL, *seeds, *INLINE).code == 0
    return place


def cell(place: Workplace, *options: str) -> dict[str, Any]:
    cells = place.repro("show", "verdicts", "--json", *options).json["cells"]
    (found,) = [c for c in cells if (c["row"], c["column"]) == ("Faithful", "Small")]
    assert isinstance(found, dict)
    return found


def test_every_medium_says_which_runs_are_of_which_kind(company: Workplace) -> None:
    assert cell(company)["mixed"] == {"device": {"Chip One": [0, 1], "Board Two": [2, 3, 4]}}
    for command in ("show", "diff"):
        assert f": {DIFFER}\n" in company.repro(command, "verdicts").out
    for kind in ("tex", "md"):
        rendered = (company.root / "build" / "stated" / f"verdicts.{kind}").read_text()
        assert "runs differ in device" in rendered
    company.repro("report", "--out", str(company.root / "site"))
    page: Path = next((company.root / "site").rglob("*faithful*small*.html"))
    assert DIFFER in page.read_text()


@pytest.mark.parametrize(
    ("only", "seeds"),
    [("device=cpu", [0, 1]), ("device=cuda", [2, 3, 4]), ("device=Board Two", [2, 3, 4])],
)
def test_one_kind_can_be_asked_for(company: Workplace, only: str, seeds: list[int]) -> None:
    found = cell(company, "--only", only)
    assert (found["reproduced"]["seeds"], found["mixed"]) == (seeds, {})
    assert set(found["gaps"]) == {str(seed) for seed in range(5) if seed not in seeds}
    assert all("left out, since device is" in why for why in found["gaps"].values())
    assert f"{len(seeds)} of 5 runs" in company.repro("diff", "verdicts", "--only", only).out
    assert cell(company)["reproduced"]["n"] == 5  # nothing of it is remembered


def test_a_kind_that_no_run_is_of_leaves_none(company: Workplace) -> None:
    found = cell(company, "--only", "torch=1.0")
    assert found["reproduced"] is None
    assert "torch is 9.9, not 1.0" in found["gaps"]["0"]


@pytest.mark.parametrize(
    ("only", "said"), [("devize=cpu", "device"), ("device", "NAME=VALUE"), ("code=", "NAME=VALUE")]
)
def test_what_is_no_kind_is_refused(place: Workplace, only: str, said: str) -> None:
    refused = place.repro("show", "verdicts", "--only", only)
    assert refused.code == 2
    assert said in refused.err
    assert len(refused.err.splitlines()) == 1


def test_runs_that_are_alike_say_nothing(made: Workplace) -> None:
    assert "differ in" not in made.repro("show", "verdicts").out
    assert cell(made)["mixed"] == {}


def test_code_is_compared_step_by_step(place: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    for digit, seeds in (("a", ("--seeds", "2")), ("b", ())):
        monkeypatch.setattr(execute, "fingerprint", lambda _, held=digit: held * 64)
        place.repro("make", CELL, *seeds, *INLINE)
    assert list(cell(place)["mixed"].values()) == [{"a" * 12: [0, 1], "b" * 12: [2, 3, 4]}]
    assert cell(place, "--only", f"code={'b' * 64}")["reproduced"]["seeds"] == [2, 3, 4]


def test_code_that_is_confirmed_counts_as_one(
    place: Workplace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for digit, seeds in (("a", "1"), ("b", "2"), ("c", "3")):
        monkeypatch.setattr(execute, "fingerprint", lambda _, held=digit: held * 64)
        place.repro("make", CELL, "--seeds", seeds, *INLINE)
    probes = tmp_path / "probes.json"
    monkeypatch.setattr(project, "probe_file", lambda _: probes)

    def mixed(revision: int, *confirmed: str) -> list[Any]:
        kept = {"revision": revision, "confirmed": [digit * 16 for digit in confirmed]}
        probes.write_text(json.dumps({step.name: kept for step in STEPS}))
        return list(cell(place, "--seeds", "3")["mixed"].values())

    a, b, c = ("abc"[n] * 12 for n in range(3))
    assert mixed(1, "a", "b", "c") == []
    assert mixed(1, "a", "c") == [{a: [0, 2], b: [1]}]
    assert mixed(2, "a", "b", "c") == [{a: [0], b: [1], c: [2]}]  # numbers of another revision


def test_what_some_runs_do_not_say_is_unknown(
    place: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    for environment, seeds in ((ON_CPU, ("--seeds", "2")), ({"packages": PACKAGES}, ())):
        monkeypatch.setattr(execute, "environment", lambda _, held=environment: held)
        assert place.repro("make", CELL, *seeds, *INLINE).code == 0
    assert cell(place)["mixed"] == {"device": {"Chip One": [0, 1], "unknown": [2, 3, 4]}}
