"""`CITATION.cff` from specs: YAML with what the format requires, and whatever words a title has."""

from __future__ import annotations

import re

import pytest
import yaml

from harness.formats.citation import citation
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
