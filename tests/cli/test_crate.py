"""A crate answers rocrate alone, meets its profile, and is known by the digests of its files."""

from __future__ import annotations

import json
import runpy
import shutil
import subprocess
from pathlib import Path

import pytest

from harness import Study
from harness.errors import UserError
from harness.study.exhibits import Request
from harness.study.new_paper import new_paper
from harness.study.records import export

pytest.importorskip("rocrate")
ROOT = Path(__file__).parents[2]
UV = ROOT / ".venv" / "bin" / "uv"


@pytest.fixture(scope="module")
def crate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("crate")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REPRO_STORE", str(place / "store"))
        export(Study.open(ROOT).project, place / "crate", ["table8"], Request("paper"), ["crate"])
    return place / "crate"


def test_the_crate_says_which_seeds_code_and_commits_gave_a_number(crate: Path):
    ask = runpy.run_path(str(ROOT / "docs" / "ask_crate.py"))
    found = list(ask["behind"](str(crate), "22.68"))
    assert {each["cell"].split(":")[0] for each in found} == {"table8"}
    assert sorted(each["seed"] for each in found) == [0, 1, 2, 3, 4]
    mean = sum(100 * each["values"]["accuracy"] for each in found) / 5
    assert f"{mean:.2f}" == "22.68"
    published = Study.open(ROOT).store.published
    assert published is not None
    codes = {record.code for record in published.records.values()}
    assert codes.issuperset(each["code"] for each in found)
    for commit in {each["commit"] for each in found} - {"not known"}:  # a shallow clone knows none
        subprocess.run(["git", "cat-file", "-e", commit], cwd=ROOT, check=True)


def test_a_new_papers_citation_follows_its_specs_until_it_is_its_own(tmp_path: Path):
    new_paper(tmp_path / "p")
    about, own = tmp_path / "p/specs/paper.toml", tmp_path / "p/CITATION.cff"
    about.write_text(about.read_text().replace('"First Author"', '"Ada Lovelace"'))
    study = Study.open(tmp_path / "p")
    export(study.project, tmp_path / "one", ["table1"], Request(None), ["crate"])
    assert '"Lovelace"' in (tmp_path / "one/CITATION.cff").read_text()
    own.write_text(own.read_text() + 'doi: "10.5281/zenodo.1"\n')
    export(study.project, tmp_path / "two", ["table1"], Request(None), ["crate"])
    assert (tmp_path / "two/CITATION.cff").read_text() == own.read_text()


def test_its_digests_are_those_that_sha256sum_checks(crate: Path):
    told = subprocess.run(
        ["sha256sum", "--check", "--quiet", "manifest-sha256.txt"],
        cwd=crate,
        capture_output=True,
        text=True,
    )
    assert (told.returncode, told.stdout) == (0, "")
    listed = (crate / "manifest-sha256.txt").read_text().splitlines()
    files = [path for path in crate.rglob("*") if path.is_file()]
    assert len(listed) == len(files) - 1  # all but the list itself


def test_nothing_is_deleted_that_is_of_no_crate(tmp_path: Path):
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "mine.toml").write_text("")
    with pytest.raises(UserError, match="export the crate to a folder of its own"):
        export(Study.open(ROOT).project, tmp_path, ["table8"], Request("paper"), ["crate"])
    assert (tmp_path / "specs" / "mine.toml").is_file()


@pytest.mark.slow
def test_the_crate_meets_the_profile_by_its_own_validator(crate: Path, tmp_path: Path):
    said = validated(crate) if UV.is_file() else "No solution found"
    if "No solution found" in said or "Failed to fetch" in said:
        pytest.skip("the validator cannot be installed here")
    assert "0 requirements not met" in said, said
    broken = shutil.copytree(crate, tmp_path / "broken")
    metadata = broken / "ro-crate-metadata.json"
    held = json.loads(metadata.read_text())
    del next(each for each in held["@graph"] if each["@id"] == "./")["mainEntity"]
    metadata.write_text(json.dumps(held))
    assert "REQUIRED" in validated(broken)


def validated(folder: Path) -> str:
    script = ROOT / "tools" / "validate_crate.py"
    told = subprocess.run(
        [UV, "run", "--no-project", "--script", script, folder], capture_output=True, text=True
    )
    return told.stdout + told.stderr
