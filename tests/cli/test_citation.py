"""`CITATION.cff` from specs: YAML with what the format requires, and whatever words a title has."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from harness.formats.crate import citation
from harness.spec.paper import PaperFile

ABOUT = {
    "id": "p",
    "title": "My paper",
    "authors": ["Ada B. Lovelace", "Plato"],
    "venue": "CVPR 2026",
    "source": "s",
    "default_profile": "paper",
    "paper_profile": "paper",
    "variables": {},
}


@pytest.mark.parametrize("title", ["My paper", 'A: "b" # no comment', "{x} [y] & *z\n- w", "é ü"])
def test_it_is_yaml_with_what_the_format_requires(title: str):
    held = yaml.safe_load(citation(PaperFile(**{**ABOUT, "title": title})))
    assert held["cff-version"] == "1.2.0"
    assert re.sub(r"\s+", " ", held["title"]) == f"Runs of {re.sub(chr(10), ' ', title)}"
    assert held["authors"] == [
        {"family-names": "Lovelace", "given-names": "Ada B."},
        {"family-names": "Plato"},
    ]
    [paper] = held["references"]
    assert (paper["year"], paper["type"]) == (2026, "generic")


def test_it_has_an_author_where_the_specs_name_none() -> None:
    held = yaml.safe_load(citation(PaperFile(**{**ABOUT, "authors": []})))
    assert held["authors"] == [{"name": "The authors of My paper"}]


@pytest.mark.slow
@pytest.mark.parametrize("known", [{}, {"authors": [], "venue": ""}], ids=["all", "title"])
def test_its_own_validator_takes_it(known: dict[str, object], tmp_path: Path) -> None:
    def said(text: str) -> str:
        (tmp_path / "CITATION.cff").write_text(text, encoding="utf-8")
        uv = Path(sys.executable).with_name("uv")
        how = [uv, "--quiet", "tool", "run", "cffconvert==2.0.0", "--validate"]
        told = subprocess.run(how, cwd=tmp_path, capture_output=True, text=True)
        return told.stdout + told.stderr

    told = said(citation(PaperFile(**{**ABOUT, **known})))
    if "No solution found" in told or "Failed to" in told:
        pytest.skip("cffconvert cannot be installed here")
    assert told == "Citation metadata are valid according to schema version 1.2.0.\n"
    assert "Error" in said('cff-version: "1.2.0"\n')
