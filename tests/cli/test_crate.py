"""A crate is asked, by rocrate alone, for the seed, the code and the values behind a number."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness import Study
from harness.study.exhibits import Request
from harness.study.records import export

rocrate = pytest.importorskip("rocrate.rocrate")
ROOT = Path(__file__).parents[2]


def behind(folder: Path, value: str) -> list[dict[str, Any]]:
    """Seed, code, commit and values of the runs behind the number that came back as `value`."""
    crate = rocrate.ROCrate(folder)
    runs = {run["result"].id: run for run in crate.get_by_type("CreateAction")}
    numbers = [each for each in crate.get_by_type("PropertyValue") if came_back(each) == value]
    found = []
    for number in numbers:
        for result in number["isBasedOn"]:
            run = runs[result.id]
            [seed] = [given["value"] for given in run["object"] if given.get("name") == "seed"]
            step = run["instrument"]
            found.append(
                {
                    "of": number["name"],
                    "seed": seed,
                    "code": step["identifier"],
                    "commit": step["isPartOf"].get("softwareVersion"),
                    "values": json.loads(result["value"]),
                }
            )
    return found


def came_back(entity: Any) -> str:
    """What came back, to two places; empty for other values."""
    if not entity.id.startswith("#number-") or not entity["value"]:
        return ""
    return f"{float(entity['value']):.2f}"


def test_the_crate_says_which_seeds_and_code_gave_a_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("REPRO_STORE", str(tmp_path / "store"))
    study = Study.open(ROOT)
    export(study.project, tmp_path / "crate", ["table8"], Request("paper"), crate=True)
    found = behind(tmp_path / "crate", "22.53")
    assert {each["of"].split(":")[0] for each in found} == {"table8"}
    assert study.store.published is not None
    codes = {record.code for record in study.store.published.records.values()}
    assert codes.issuperset(each["code"] for each in found)
    assert sorted(each["seed"] for each in found) == [0, 1, 2]
    mean = sum(100 * each["values"]["accuracy"] for each in found) / 3
    assert f"{mean:.2f}" == "22.53"
