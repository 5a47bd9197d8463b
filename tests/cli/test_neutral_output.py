"""Whatever a spec, a record or a failure holds, no medium obeys it."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path

import pytest

from harness.plan.step import StepContext, StepInput, StepResult
from tests.cli.conftest import INLINE
from tests.toy import functions
from tests.toy.paper import Workplace
from tests.toy.steps import MeasureParams

HOSTILE = (
    "=cmd|'/c calc'!A1 \x1b]0;owned\x07\x1b[31m\x9b31m\u202e<script>alert(1)</script>::error::x"
)
FIELDS = re.compile(
    r'^(label|title|caption|text|where|why|description|place|stub|authors) = "', re.M
)
LINES = (
    "list",
    "show verdicts",
    "show broken",
    "diff verdicts",
    "why broken:Failing:Small",
    "plan verdicts",
    "status",
    "assumptions verdicts",
    "audit",
    "audit --github",
    "verify",
    "verify --github",
    "runs",
    "compare stated stated verdicts",
)


@pytest.fixture(scope="module")
def hostile(made: Workplace, tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    """Every free text of the specs, a value of records, and the message of a failure."""
    place = made.copy(tmp_path_factory.mktemp("hostile"))
    written = json.dumps(HOSTILE)[1:-1]
    changed = 0
    for path in place.specs.rglob("*.toml"):
        text, count = FIELDS.subn(lambda found: found[0] + written, path.read_text())
        changed += count
        path.write_text(text)
    assert changed > 20
    measure = functions.measure

    def broken(
        params: MeasureParams, inputs: Mapping[str, StepInput], context: StepContext
    ) -> StepResult:
        if context.seed == 1:
            raise RuntimeError(HOSTILE)
        found = measure(params, inputs, context)
        return StepResult({**found.values, HOSTILE: HOSTILE}, found.arrays)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(functions, "measure", broken)
        place.repro("store", "drop", "verdicts:Faithful:Small", "--yes")
        outcome = place.repro("make", "verdicts", *INLINE)
    assert outcome.code == 3
    assert "owned" in outcome.err
    assert harmless(outcome.out + outcome.err)
    return place


def harmless(text: str) -> bool:
    return not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", text)


@pytest.mark.parametrize("line", LINES)
def test_on_a_terminal_and_as_json(hostile: Workplace, line: str) -> None:
    plain = hostile.repro(*line.split())
    assert "Traceback" not in plain.err
    assert harmless(plain.out + plain.err), line
    if "--github" not in line:
        as_json = hostile.repro(*line.split(), "--json")
        assert harmless(as_json.out + as_json.err), line


def test_in_files(hostile: Workplace) -> None:
    build = hostile.root / "build" / "stated"
    for path in build.glob("*.csv"):
        for row in csv.reader(path.open(newline="", encoding="utf-8")):
            assert not [field for field in row if field.startswith(("=", "@", "+", "-c"))]
            assert harmless("".join(row))
    assert (build / "verdicts.tex").read_text(encoding="utf-8").isascii()
    assert harmless((build / "verdicts.md").read_text(encoding="utf-8"))


class _Scripts(HTMLParser):
    found = 0

    def handle_data(self, data: str) -> None:
        self.found += self.lasttag == "script" and "alert(1)" in data


def test_in_the_report(hostile: Workplace) -> None:
    assert hostile.repro("report", "--out", str(hostile.root / "site")).code == 0
    for path in (hostile.root / "site").rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        scripts = _Scripts()
        scripts.feed(text)
        assert not scripts.found, path
        assert harmless(text), path


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_marks_where_there_is_no_utf_8(made: Workplace, encoding: str) -> None:
    """`?` is a mark of its own."""
    environment = {
        **dict(__import__("os").environ),
        "PYTHONIOENCODING": encoding,
        "REPRO_SPECS": str(made.specs),
        "REPRO_STORE": str(made.store.root),
        "REPRO_BUILD": str(made.root / "build"),
    }
    done = subprocess.run(
        [sys.executable, "-m", "harness", "show", "verdicts"],
        capture_output=True,
        env=environment,
        cwd=Path(__file__).resolve().parents[2],
        check=True,
    )
    shown = done.stdout.decode(encoding)
    utf = made.repro("show", "verdicts").out
    assert shown.count("?") == utf.count("?")
    assert "+ reproduced" in shown
    assert "x deviates" in shown
