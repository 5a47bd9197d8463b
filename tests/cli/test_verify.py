"""`repro verify`: claims on the paper's numbers and on ours, and what CI reads of them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner, Result

from harness.cli.main import app
from harness.errors import EvidenceError, UserError
from harness.judge.model import ClaimOutcome
from harness.judge.outcomes import Judged
from harness.study.ci import junit_xml, workflow_commands
from harness.study.project import find_project
from harness.study.trust import trust
from harness.study.verify import Verified
from tests.toy.paper import new_workplace

ROOT = Path(__file__).parents[2]
TOY = ROOT / "tests" / "toy" / "specs"
ABOUT = {"where": "Section 1", "exhibit": "verdicts", "columns": ["Small"]}
CLAIMS: tuple[Mapping[str, Any], ...] = (
    {"id": "flattered-leads", "kind": "greater", "better": ["Flattered"], "worse": ["Faithful"]},
    {
        "id": "faithful-leads",
        "kind": "greater",
        "expect": "fails",
        "better": ["Faithful"],
        "worse": ["Flattered"],
    },
    {
        "id": "noisy-on-par",
        "kind": "on_par",
        "expect": "undecided",
        "left": ["Noisy"],
        "right": ["Faithful"],
    },
)
WRONG = {"id": "surprise", "kind": "greater", "better": ["Faithful"], "worse": ["Flattered"]}


def toml(claims: tuple[Mapping[str, Any], ...]) -> str:
    blocks = []
    for claim in claims:
        fields = {"text": f"100 % of {claim['id']}, they say", **ABOUT, **claim}
        lines = [f"{key} = {json.dumps(value)}" for key, value in fields.items()]
        blocks.append("\n".join(["[[claims]]", *lines]))
    return "\n\n".join(blocks) + "\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the invented paper with claims of these tests, in a folder that is its own."""
    shutil.copytree(TOY, tmp_path / "specs")
    write(tmp_path)
    trust(tmp_path.resolve())
    monkeypatch.chdir(tmp_path)
    for name in ("REPRO_SPECS", "REPRO_STORE", "GITHUB_STEP_SUMMARY", "GITHUB_WORKSPACE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def write(folder: Path, *more: Mapping[str, Any]) -> None:
    (folder / "specs" / "claims.toml").write_text(toml((*CLAIMS, *more)), encoding="utf-8")


def verify(*options: str) -> Result:
    return CliRunner().invoke(app, ["verify", *options])


def outcomes(result: Result, source: str) -> dict[str, str]:
    return {claim["id"]: claim[source] for claim in json.loads(result.stdout)["claims"]}


EXPECTED = {"flattered-leads": "holds", "faithful-leads": "fails", "noisy-on-par": "undecided"}


def test_claims_on_the_papers_numbers(project: Path) -> None:
    result = verify("--json")
    assert result.exit_code == 0
    assert outcomes(result, "reported") == EXPECTED
    assert set(outcomes(result, "reproduced").values()) == {"not run"}
    for claim in json.loads(result.stdout)["claims"]:
        assert {"id", "text", "where", "reported", "reproduced", "profile"} <= set(claim)


def test_sentences_are_counted_and_comparisons(project: Path) -> None:
    """Two claims of one sentence, of which one fails: the sentence fails, once."""
    quote = {"text": "They lead each other", "where": "Table 1, caption"}
    write(project, {**CLAIMS[0], "id": "there", **quote}, {**WRONG, "id": "back", **quote})
    found = json.loads(verify("--json").stdout)
    last = found["sentences"][-1]
    assert (last["reported"], last["claims"]) == ("fails", ["there", "back"])
    counts = found["counts"]["reported"]
    assert (counts["sentences"]["holds"], counts["sentences"]["fails"]) == (1, 2)
    assert (counts["comparisons"]["holds"], counts["comparisons"]["fails"]) == (2, 2)


def test_a_claim_that_hangs_on_an_unstated_n_is_marked(project: Path) -> None:
    """50 ± 4 and 50 ± 0.3 are on par as bare means alone, which is how one run is read."""
    path = project / "specs" / "tables" / "verdicts.toml"
    assert verify("--json").stdout.count("n = 1") == 0, "as long as n is stated"
    path.write_text(path.read_text("utf-8").replace("n = 5", 'n = "unknown"'), "utf-8")
    claims = {claim["id"]: claim for claim in json.loads(verify("--json").stdout)["claims"]}
    assert claims["noisy-on-par"]["reported_flips"] == ["n = 1"]
    assert claims["flattered-leads"]["reported_flips"] == []
    assert "† flips if n = 1" in " ".join(verify("--all").stdout.split())


def test_what_surprises_comes_first_and_the_rest_on_demand(project: Path) -> None:
    write(project, WRONG)
    lines = verify().stdout.splitlines()
    assert lines[0] == "4 sentences with 4 claims, 1 NOT as the specs expect"
    listed = [line for line in lines if line.startswith(("✗ ", "✓ ", "? "))]
    assert "not as expected" in listed[0]
    assert "surprise" in listed[0]
    assert "faithful-leads" in listed[1]
    assert len(listed) == 2
    everything = verify("--all").stdout
    assert "flattered-leads" in everything
    assert "--all" not in everything, "which has just been given"


def test_our_published_runs_judge_curves_that_are_only_drawn() -> None:
    """And a fit whose search cannot leave the domain does not show that it is in it."""
    where = {"REPRO_SPECS": str(ROOT / "specs"), "REPRO_STORE": str(ROOT / "store")}
    done = CliRunner().invoke(app, ["verify", "--profile", "cifar100", "--json"], env=where)
    ours = outcomes(done, "reproduced")
    for name in ("scaling-b-nearly-identical-sl-kd", "dcs-dwa-no-correlation"):
        assert ours[name] in ("holds", "fails", "undecided")
        assert outcomes(done, "reported")[name] == "not run"
    domain = ("in-domain-hl-random", "in-domain-hl-el2n", "in-domain-sl-kd")
    assert {ours[f"scaling-delta-{name}"] for name in domain} == {"restated"}
    assert ours["scaling-b-negative-hl-random"] == "restated"


def test_an_overview_fits_a_screen_but_for_what_fails() -> None:
    lines = CliRunner().invoke(app, ["verify"], env={"REPRO_SPECS": str(ROOT / "specs")})
    shown = lines.stdout.splitlines()
    assert len([line for line in shown if "✗ " not in line[:4]]) <= 12
    assert max(map(len, shown)) <= 100


def test_a_printed_number_that_is_no_correlation_is_refused(project: Path) -> None:
    rho = {"id": "rho", "text": "They correlate", "where": "Section 1", "kind": "correlation"}
    fields = {**rho, "value": "verdicts:Flattered:Small", "low": 0.3}
    text = "[[claims]]\n" + "\n".join(f"{k} = {json.dumps(v)}" for k, v in fields.items())
    (project / "specs" / "claims.toml").write_text(text, encoding="utf-8")
    error = verify("--json").exception
    assert isinstance(error, UserError)
    assert "a correlation lies in [-1, 1]" in str(error)
    assert "claims.toml:6" in str(error)


def test_an_outcome_other_than_expected_exits_with_1(project: Path) -> None:
    write(project, WRONG)
    result = verify("--json")
    assert result.exit_code == 1
    assert outcomes(result, "reported")["surprise"] == "fails"


def test_require_asks_for_results(project: Path) -> None:
    result = verify("--require")
    assert isinstance(result.exception, EvidenceError)
    assert "flattered-leads" in str(result.exception)


def test_require_asks_for_none_where_there_can_be_none(project: Path) -> None:
    printed = {
        "id": "printed",
        "text": "They are 10.01 apart",  # as 60.004 and 49.996, to two digits, are
        "where": "Section 1",
        "kind": "arithmetic",
        "left": ["verdicts:Flattered:Small"],
        "right": ["verdicts:Faithful:Small"],
        "printed": ["10.01"],
    }
    text = "[[claims]]\n" + "\n".join(f"{k} = {json.dumps(v)}" for k, v in printed.items())
    (project / "specs" / "claims.toml").write_text(text, encoding="utf-8")
    assert verify("--require", "--json").exit_code == 0


def test_an_exhibit_that_cannot_be_planned_is_a_problem_not_an_end(project: Path) -> None:
    path = project / "specs" / "methods" / "faithful.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("draw", "drawn"), encoding="utf-8")
    result = verify("--json")
    assert result.exit_code == 0
    assert outcomes(result, "reported") == EXPECTED
    (problem,) = json.loads(result.stdout)["problems"]
    assert problem.startswith("verdicts has no results, as it cannot be planned")
    assert problem in result.stderr


def test_an_unknown_profile_is_an_error(project: Path) -> None:
    assert isinstance(verify("--profile", "smal").exception, UserError)


def suites(path: Path) -> dict[str, dict[str, ElementTree.Element]]:
    root = ElementTree.parse(path).getroot()
    found = {}
    for suite in root.findall("testsuite"):
        cases = {case.attrib["name"]: case for case in suite.findall("testcase")}
        tags = [child.tag for case in cases.values() for child in case]
        numbers = [int(suite.attrib[key]) for key in ("tests", "failures", "skipped", "errors")]
        assert numbers == [len(cases), tags.count("failure"), tags.count("skipped"), 0]
        found[suite.attrib["name"]] = cases
    return found


def children(case: ElementTree.Element) -> set[str]:
    return {child.tag for child in case} - {"properties"}


def test_junit(project: Path) -> None:
    write(project, WRONG)
    target = project / "reports" / "claims.xml"
    assert verify("--junit", str(target)).exit_code == 1
    found = suites(target)
    assert set(found) == {"reported", "stated"}
    assert {name: children(case) for name, case in found["reported"].items()} == {
        "flattered-leads": set(),
        "faithful-leads": {"skipped"},
        "noisy-on-par": {"skipped"},
        "surprise": {"failure"},
    }
    failure = found["reported"]["surprise"].find("failure")
    assert failure is not None
    assert failure.attrib["message"] == "expected holds, found fails"
    assert "verdicts:Faithful:Small" in str(failure.text)
    assert all(children(case) == {"skipped"} for case in found["stated"].values())


def test_a_file_that_cannot_be_written_is_an_error(project: Path) -> None:
    result = verify("--junit", str(project / "specs"))
    assert isinstance(result.exception, UserError)
    assert str(project / "specs") in str(result.exception)


def github_lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("::")]


def test_github_annotates_what_is_unexpected(project: Path) -> None:
    assert github_lines(verify("--github").stdout) == []
    write(project, WRONG)
    (line,) = github_lines(verify("--github").stdout)
    text = (project / "specs" / "claims.toml").read_text(encoding="utf-8").splitlines()
    number = text.index('id = "surprise"') + 1
    assert line.startswith(f"::error file=specs/claims.toml,line={number},title=claim surprise::")
    message = line.partition("surprise::")[2]
    assert message.startswith("expected holds, found fails on the paper's numbers: ")
    assert "100 %25 of surprise, they say" in message, "a percent sign is escaped"


def test_github_annotations_leave_json_alone(project: Path) -> None:
    write(project, WRONG)
    result = verify("--github", "--json")
    assert len(json.loads(result.stdout)["claims"]) == 4
    assert len(github_lines(result.stderr)) == 1


def test_paths_are_those_of_the_workspace(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(project, WRONG)
    monkeypatch.setenv("GITHUB_WORKSPACE", str(project.parent))
    (line,) = github_lines(verify("--github").stdout)
    assert line.startswith(f"::error file={project.name}/specs/claims.toml,line=")


def test_the_job_summary_is_appended_as_markdown(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(project, WRONG)
    summary = project / "summary.md"
    summary.write_text("before\n", encoding="utf-8")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    verify("--github")
    text = summary.read_text(encoding="utf-8")
    assert text.startswith("before\n## Claims\n")
    assert all(f"**{claim['id']}**" in text for claim in (*CLAIMS, WRONG))
    assert verify().exit_code == 1
    assert summary.read_text(encoding="utf-8") == text, "only --github writes it"


def test_what_workflow_commands_cannot_hold_is_escaped(project: Path) -> None:
    loaded = find_project()
    lost = ClaimOutcome("fails", "-1:\n100 %")
    unrun = ClaimOutcome("not run", "no number")
    judged = [Judged(loaded.paper.claims["flattered-leads"], lost, unrun)]
    first, second = workflow_commands(Verified(loaded, "small", judged, ["no results"]))
    assert "found fails on the paper's numbers: -1:%0A100 %25 — " in first
    assert second == "::warning::no results"


def test_expectations_are_about_the_papers_numbers(project: Path) -> None:
    loaded = find_project()
    held, lost = ClaimOutcome("holds", "+10"), ClaimOutcome("fails", "-1")
    judged = [Judged(loaded.paper.claims["flattered-leads"], held, lost)]
    found = Verified(loaded, "small", judged, [])
    assert list(workflow_commands(found)) == []
    assert 'failures="1"' not in junit_xml(found)
    assert 'message="fails: -1"' in junit_xml(found), "but no failure of ours reads as a pass"


def test_results_of_ours_are_judged_beside(project: Path) -> None:
    """Flattered is 60 in print and 50 in truth, as Faithful is."""
    made = CliRunner().invoke(app, ["make", "verdicts", "--executor", "inline"])
    assert made.exit_code == 0, made.output
    result = verify("--json")
    assert outcomes(result, "reported") == EXPECTED
    ours = outcomes(result, "reproduced")
    assert "not run" not in ours.values()
    assert ours["flattered-leads"] in ("undecided", "fails")
    assert verify("--require", "--json").exit_code == 0


def run_pytest(folder: Path) -> subprocess.CompletedProcess[str]:
    shutil.copy(ROOT / "specs" / "conftest.py", folder / "specs" / "conftest.py")
    command = [sys.executable, "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider", "specs"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_pytest_collects_each_claim(project: Path) -> None:
    done = run_pytest(project)
    assert done.returncode == 0, done.stdout
    assert "1 passed, 2 xfailed" in done.stdout


def test_pytest_fails_on_any_other_outcome(project: Path) -> None:
    """Strict in both directions: "undecided" is no licence for "fails", nor for "holds"."""
    won = {**WRONG, "better": ["Flattered"], "worse": ["Faithful"]}
    write(
        project,
        {**WRONG, "id": "lost-not-won"},
        {**WRONG, "id": "lost-not-open", "expect": "undecided"},
        {**won, "id": "won-not-lost", "expect": "fails"},
        {**won, "id": "won-not-open", "expect": "undecided"},
    )
    done = run_pytest(project)
    assert done.returncode == 1
    assert "4 failed, 1 passed, 2 xfailed" in done.stdout
    for expect, found in (
        ("holds", "fails"),
        ("undecided", "fails"),
        ("fails", "holds"),
        ("undecided", "holds"),
    ):
        assert f"expected {expect}, found {found}" in done.stdout


CHECK = """
import json, sys
from typer.testing import CliRunner
from harness.cli.main import app
done = CliRunner().invoke(app, ["verify", "--json"])
found = json.loads(done.stdout)
print(done.exit_code, len(found["sentences"]), "torch" in sys.modules)
print(json.dumps(found["counts"]["reported"]))
"""


def test_the_papers_claims_come_out_as_expected_without_torch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPRO_SPECS", str(ROOT / "specs"))
    monkeypatch.setenv("REPRO_STORE", str(tmp_path / "store"))
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(CHECK)], capture_output=True, text=True, check=True
    )
    first, counts = done.stdout.splitlines()
    code, count, torch = first.split()
    assert (code, torch) == ("0", "False")
    assert int(count) >= 45
    assert all(json.loads(counts)[of]["restated"] >= 4 for of in ("sentences", "comparisons"))


def test_without_a_profile_it_is_judged_under_the_one_that_has_results(tmp_path: Path) -> None:
    place = new_workplace(tmp_path)
    table = place.repro("list", "--json").json["exhibits"][0]["id"]

    def profiles() -> set[str]:
        report = place.repro("report", "--out", str(tmp_path / "site"), "--json").json
        claims = place.repro("verify", "--json").json["claims"]
        return {report["profile"], *(claim["profile"] for claim in claims)}

    assert profiles() == {"stated"}
    assert place.repro("make", table, "--profile", "small", "--executor", "inline").code == 0
    assert profiles() == {"small"}
