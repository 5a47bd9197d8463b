"""Every verdict that a page quotes is one that a command of the same page gives today."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from harness.judge.effects import Effect
from harness.study.as_json import verified
from harness.study.flips import DECIDED
from harness.study.study import Study
from tests.docs.console import PAGES, ROOT

COMMAND = re.compile(r"`repro (?:diff|show)\s+([^`]*--profile\s+paper[^`]*)`")
QUOTED = re.compile(
    r"^\| (?P<place>.*) \| (?P<printed>[\d.]+ ± [\d.]+) \| (?P<mean>[\d.]+) \(n = (?P<n>\d+)\) \| "
    r"(?P<said>(?P<name>[\w-]+)(?P<marks>[†‡]*): "
    r"(?P<gap>[-+\d.]+), 95 % interval (?P<low>\S+) to (?P<high>\S+)"
    r"|[✓✗?].*) \|$",
    re.MULTILINE,
)
COMPARED = (
    ("table3", "Table 3", ("Random Real", "K-centers")),
    ("table8", "Table 8", ("CAD-Prune", "CA2D (factor=1)")),
)
"""Exhibit, its label, and its coresets; Random Real and K-centers stand in both."""
SIGNS = {"reproduced": "✓", "deviates": "✗", "inconclusive": "?"}


def marks(cell: dict[str, Any]) -> str:
    """†: another verdict would stand if the printed ± were of another number of runs; ‡: shown by
    itself to deviate, which false-discovery control withholds."""
    return "†" * bool(cell["flips"]) + "‡" * cell["withheld"]


def cells(text: str) -> list[dict[str, Any]]:
    """Every cell of the tables that the commands of a page show."""
    found = []
    for command in COMMAND.findall(text):
        exhibit, *options = shlex.split(command)
        named = dict(zip(options[::2], options[1::2], strict=True))
        seeds = int(named["--seeds"]) if "--seeds" in named else None
        vary = [named["--vary"]] if "--vary" in named else []
        shown = Study.open(ROOT).judge(exhibit, profile="paper", seeds=seeds, vary=vary)
        label = "" if seeds or vary else shown.view.exhibit.label
        for cell in shown.view.fields(shown.judgement).get("cells", []):
            place = label and f"{label}, {cell['row']}, {cell['column']}"
            found.append({**cell, "place": place})
    return [cell for cell in found if cell["difference"] is not None]


def numbers_of(cell: dict[str, Any]) -> tuple[str, str, str]:
    ours = cell["reproduced"]
    return cell["reported"]["text"], f"{ours['mean']:.2f}", str(ours["n"])


def fits(cell: dict[str, Any], quoted: re.Match[str]) -> bool:
    """Whether it is what is quoted, of the table that is named, if one is."""
    named = quoted["place"].startswith("Table ")
    if numbers_of(cell) != quoted.group("printed", "mean", "n"):
        return False
    if named and cell["place"] != quoted["place"]:
        return False
    if quoted["name"] is None:
        return quoted["said"].startswith(SIGNS[cell["verdict"]])
    numbers = [f"{value:+.2f}" for value in (cell["difference"], *cell["interval"])]
    said = [cell["verdict"], marks(cell), *numbers]
    return said == list(quoted.group("name", "marks", "gap", "low", "high"))


@pytest.mark.docs
@pytest.mark.parametrize("name", ["README.md", "findings.md"])
def test_quoted_verdicts_are_those_that_the_commands_give(name: str) -> None:
    text = next(page for page in PAGES if page.name == name).read_text(encoding="utf-8")
    quoted = list(QUOTED.finditer(text))
    assert len(quoted) >= 5
    known = cells(text)
    wrong = [each[0] for each in quoted if not any(fits(cell, each) for cell in known)]
    assert not wrong, "\n".join(wrong)
    if name == "findings.md":  # and nothing that was published is left out
        told = {each.group("printed", "mean", "n") for each in quoted}
        usual = [cell for cell in known if cell["place"]]
        assert [cell["place"] for cell in usual if numbers_of(cell) not in told] == []


@pytest.mark.docs
def test_quoted_parts_of_a_mean_are_those_that_were_run() -> None:
    shown = Study.open(ROOT).judge("table4-parts", profile="paper")
    lines: dict[str, list[str]] = {}
    for cell in shown.view.fields(shown.judgement)["cells"]:
        lines.setdefault(cell["row"], []).append(spelt_part(cell["reproduced"]))
    lines = {row: numbers for row, numbers in lines.items() if set(numbers) != {"–"}}
    assert len(lines) >= 2
    page = (ROOT / "docs" / "findings.md").read_text(encoding="utf-8")
    for row, numbers in lines.items():
        assert f"| {row} | {' | '.join(numbers)} |" in page


def spelt_part(ours: dict[str, Any] | None) -> str:
    if ours is None:
        return "–"
    return f"{ours['mean']:.2f} " + (f"± {ours['std']:.2f}" if ours["n"] > 1 else "(n = 1)")


@pytest.mark.docs
def test_the_share_of_verdicts_that_are_decided_is_counted() -> None:
    page = (ROOT / "docs" / "findings.md").read_text(encoding="utf-8")
    said = re.search(r"Of the (\d+) coreset cells .* (\d+) have a verdict and (\d+) of these", page)
    verdicts: dict[str, str] = {}
    for name in ("table3", "table8"):
        judged = Study.open(ROOT).judge(name, profile="paper").judgement
        for result in judged.results:
            if result.item.address.row not in ("DM", "DC", "TM"):
                verdicts[result.item.key] = judged.verdict(result).name
    there = [verdict for verdict in verdicts.values() if verdict != "not run"]
    decided = [verdict for verdict in there if verdict != "inconclusive"]
    assert said is not None
    assert [int(n) for n in said.groups()] == [len(verdicts), len(there), len(decided)]


@pytest.mark.docs
def test_the_outcomes_of_claims_and_of_the_audit_are_counted() -> None:
    page = " ".join((ROOT / "docs" / "findings.md").read_text(encoding="utf-8").split())
    study = Study.open(ROOT)
    found = Counter(each.severity for each in study.audit())
    assert (
        f"has {found.total()} findings, from the specs alone: {found['severe']} severe, "
        f"{found['notable']} notable and {found['minor']} minor."
    ) in page
    claims = verified(study.verify("paper"))
    printed, ours = (claims["counts"][whose]["sentences"] for whose in ("reported", "reproduced"))
    assert f"judges {len(claims['sentences'])} sentences of the supplement" in page
    assert (
        f"{printed['holds']} hold, {printed['fails']} fail, {printed['undecided']} is undecided, "
        f"{printed['restated']} are restated"
    ) in page
    assert f"{printed['fails']} of {len(claims['sentences'])} sentences" in page
    assert (ours["holds"], ours["fails"], ours["undecided"]) == (1, 1, 0)
    assert "**Fails on our numbers**: the caption of Table 8" in page
    assert "one other sentence, the first point, which holds" in page


@pytest.mark.docs
def test_what_pipelines_vary_by_is_what_was_run() -> None:
    assert rows_under("What comes before the student") == list(pipeline_rows())


def rows_under(heading: str) -> list[str]:
    """The rows of the tables in a section of the findings."""
    page = (ROOT / "docs" / "findings.md").read_text(encoding="utf-8")
    section = page.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return [line for line in section.splitlines() if line.startswith("| Table ")]


def pipeline_rows() -> Iterator[str]:
    """A row for each number of which whole pipelines were run."""
    shown = Study.open(ROOT).judge("table8", profile="paper", vary=["replicate=pipeline"])
    for cell in shown.view.fields(shown.judgement)["cells"]:
        if found := cell["components"]:
            low, high = cell["interval"]
            yield (
                f"| Table 8, {cell['row']}, {cell['column']} | {cell['reported']['text']} "
                f"| {cell['reproduced']['mean']:.2f} (n = {cell['reproduced']['n']}) "
                f"| {found['within']:.2f} (n = {found['students']}) | {found['between']:.2f} "
                f"| {found['p']:.2f} | {cell['verdict']}: {cell['difference']:+.2f}, "
                f"95 % {low:+.2f} to {high:+.2f} |"
            )


@pytest.mark.docs
def test_what_choices_move_is_what_was_run() -> None:
    assert rows_under("Which choices move the numbers") == list(moved_rows())


def moved_rows() -> Iterator[str]:
    """A row for each reading that was run, one for each set on its fresh seeds, and one for each
    coreset's number."""
    fresh, left = [], []
    for exhibit, label, coresets in COMPARED:
        for cell in Study.open(ROOT).flips(exhibit, "paper").cells:
            row, column = cell.address.split(":")[1:]
            if row not in coresets:
                continue
            place = f"| {label}, {row}, {column} |"
            for each in cell.readings:
                moved = f"{place} `{', '.join(each.choices)}` | {spelt(each.effect)}"
                yield f"{moved} | {each.verdict} |"
            fresh += [
                f"{place} `{', '.join(s.reading.choices)}` | {spelt(s.fresh_effect)} | {s.fresh} | "
                f"{s.standing} |"
                for s in cell.sets
                if s.fresh_effect
            ]
            sets = [f"`{', '.join(s.reading.choices)}` ({s.standing})" for s in cell.sets]
            tellable = cell.readings and cell.verdict in DECIDED
            turned = "; ".join(sets) or ("none" if tellable else "–")
            left.append(
                f"{place} {cell.verdict} | {len(cell.readings)} | {len(cell.begun)} | "
                f"{len(cell.untried) - len(cell.begun)} | {turned} |"
            )
    yield from fresh
    yield from left


def spelt(effect: Effect | None) -> str:
    assert effect is not None
    assert effect.interval is not None
    low, high = effect.interval
    return f"{effect.estimate:+.2f} | {low:+.2f} to {high:+.2f}"
