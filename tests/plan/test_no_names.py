"""The engine knows nothing of the paper: none of its methods, data sets and regimes by name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.spec.paper import load_paper

ROOT = Path(__file__).parents[2]
ENGINE = ("spec", "plan", "store", "run", "evidence", "judge", "render", "cli")
REGIMES = ("HL", "SL", "SL+KD")
EXCEPTIONS = {
    "random": "English; the generators that the store and the statistics seed",
    "margin": "the declared difference that counts as none, and the space around a plot",
    "entropy": "English; a source of randomness",
    "digits": "the places of a printed number",
}
"""Names of the paper that are also words of the engine's own, with what they mean there."""


def names() -> list[str]:
    """Ids and labels of methods and data sets, and the regimes."""
    paper = load_paper(ROOT / "specs")
    found = set(REGIMES)
    for item in (*paper.methods.values(), *paper.datasets.values()):
        found |= {item.id, item.label}
    assert {"cad-prune", "imagenet1k", "HL"} < found
    return sorted(name for name in found if name.lower() not in EXCEPTIONS)


def mentions(text: str, name: str) -> bool:
    """Whether a text holds the name as a whole word; underscores part words as spaces do."""
    # Regimes are told apart from other words by their capitals.
    flags = 0 if name in REGIMES else re.IGNORECASE
    pattern = re.escape(name).replace(r"\-", "[-_ ]").replace(r"\ ", "[-_ ]")
    return re.search(rf"(?<![A-Za-z0-9]){pattern}(?![A-Za-z0-9])", text, flags) is not None


@pytest.mark.parametrize("part", ENGINE)
def test_a_part_of_the_engine_names_nothing_of_the_paper(part: str) -> None:
    sources = sorted((ROOT / "harness" / part).rglob("*.py"))
    assert sources
    known = names()
    hits = [
        f"{path.relative_to(ROOT)}:{number}: {name}"
        for path in sources
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        for name in known
        if mentions(line, name)
    ]
    assert hits == []


def test_every_exception_is_a_name_of_the_paper() -> None:
    paper = load_paper(ROOT / "specs")
    ids = {*paper.methods, *paper.datasets}
    assert set(EXCEPTIONS) <= ids, sorted(set(EXCEPTIONS) - ids)


@pytest.mark.parametrize(
    ("text", "name", "found"),
    [
        ("if method == 'cad-prune'", "cad-prune", True),
        ("def cad_prune(x)", "cad-prune", True),
        ("see CAD-Prune", "cad-prune", True),
        ("the HL column", "HL", True),
        ("html", "HL", False),
        ("dml", "dm", False),
        ("one DM, two", "dm", True),
    ],
)
def test_how_names_are_found(text: str, name: str, found: bool) -> None:
    assert mentions(text, name) is found
