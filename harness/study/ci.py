"""Claims and findings as continuous integration reads them: JUnit XML, annotations, a summary."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from xml.etree import ElementTree

from harness.formats.badge import Badge, claims_badge
from harness.judge.outcomes import Judged, exhibits_of
from harness.media import workflow, xml
from harness.render.claims import markdown
from harness.render.markdown import escape
from harness.render.text import plain
from harness.spec.toml import line_of
from harness.study.audit import Audited
from harness.study.verify import Verified
from harness.words import counted


def junit_xml(found: Verified) -> str:
    """Two suites, `reported` and the profile's name, with a test case for each claim.

    In `reported`, another outcome than the expected one is a failure, and an expected "fails" or
    "undecided" is skipped as an expected failure. In the other, expectations do not bind: what
    holds passes, and all else is skipped with its outcome and the reason.
    """
    root = ElementTree.Element("testsuites", name="repro verify")
    reported = ElementTree.SubElement(root, "testsuite", name="reported")
    ours = ElementTree.SubElement(root, "testsuite", name=found.profile)
    for item in found.judged:
        outcome, why = item.reported.outcome, xml(item.reported.why)
        case = _case(reported, item)
        if not item.as_expected:
            message = f"expected {item.claim.expect}, found {outcome}"
            ElementTree.SubElement(case, "failure", message=message).text = why
        elif outcome != "holds":
            ElementTree.SubElement(case, "skipped", message=f"{outcome}, as expected: {why}")
        outcome, why = item.reproduced.outcome, xml(item.reproduced.why)
        case = _case(ours, item)
        if outcome != "holds":
            ElementTree.SubElement(case, "skipped", message=f"{outcome}: {why}")
    for suite in (reported, ours):
        suite.set("tests", str(len(suite)))
        suite.set("failures", str(len(suite.findall("testcase/failure"))))
        suite.set("skipped", str(len(suite.findall("testcase/skipped"))))
        suite.set("errors", "0")
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _case(suite: ElementTree.Element, item: Judged) -> ElementTree.Element:
    name = f"claims.{suite.get('name')}"
    case = ElementTree.SubElement(suite, "testcase", classname=name, name=item.claim.id, time="0")
    properties = ElementTree.SubElement(case, "properties")
    for key, value in (("where", item.claim.where), ("text", item.claim.text)):
        ElementTree.SubElement(properties, "property", name=key, value=xml(value))
    return case


def findings_junit(found: Audited) -> str:
    """A suite with a failure for each finding, and one test where there is none.

    That test passes only if all was read; else it is skipped, and says what was not.
    """
    root = ElementTree.Element("testsuites", name="repro audit")
    suite = ElementTree.SubElement(root, "testsuite", name=xml(found.about))
    for finding in found.findings:
        case = ElementTree.SubElement(
            suite, "testcase", classname=f"audit.{finding.rule}", name=xml(finding.id)
        )
        message = f"{finding.severity}: {xml(finding.printed)}"
        failure = ElementTree.SubElement(case, "failure", message=message)
        failure.text = xml(f"{finding.explanation}\nExpected: {finding.expected}")
    if not found.findings:
        case = ElementTree.SubElement(suite, "testcase", classname="audit", name="no findings")
        if found.unread:
            message = xml(f"not read: {'; '.join(found.unread)}")
            ElementTree.SubElement(case, "skipped", message=message)
    suite.set("tests", str(max(1, len(found.findings))))
    suite.set("failures", str(len(found.findings)))
    suite.set("skipped", str(len(suite.findall("testcase/skipped"))))
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def workflow_commands(found: Verified) -> Iterator[str]:
    """Workflow commands: an error for each unexpected outcome, a warning for each problem."""
    path = found.project.specs / "claims.toml"
    order = list(found.project.paper.claims)
    for item in found.unexpected:
        where = {
            "file": _from_workspace(path),
            "line": str(line_of(path, ("claims", order.index(item.claim.id), "id"))),
            "title": f"claim {item.claim.id}",
        }
        message = (
            f"expected {item.claim.expect}, found {item.reported.outcome} on the paper's "
            f"numbers: {item.reported.why} — “{item.claim.text}” ({item.claim.where})"
        )
        yield _command("error", where, message)
    yield from (_command("warning", {}, problem) for problem in found.problems)


def finding_commands(found: Audited) -> Iterator[str]:
    """Workflow commands: an error, a warning or a notice for each finding, at its line."""
    levels = {"severe": "error", "notable": "warning", "minor": "notice"}
    for finding in found.findings:
        where = {"title": finding.rule}
        at = found.place_of(finding)
        if at is not None:
            where |= {"file": at[0], "line": str(at[1])}
        yield _command(levels[finding.severity], where, finding.explanation)


def findings_summary(found: Audited) -> str:
    """The findings as Markdown, a line for each."""
    lines = [f"## Audit of {escape(plain(found.about))}", ""]
    count = len(found.findings)
    lines += [counted(count, "finding"), ""] if count else ["No findings.", ""]
    lines += [f"Not read: {escape(line)}\n" for line in found.unread]
    if found.findings:
        lines += ["| severity | rule | printed | expected |", "|---|---|---|---|"]
    for finding in found.findings:
        cells = (finding.severity, finding.rule, finding.printed, finding.expected)
        lines.append(f"| {' | '.join(escape(plain(cell)) for cell in cells)} |")
    return "\n".join(lines) + "\n\n"


def _command(level: str, properties: Mapping[str, str], message: str) -> str:
    """A workflow command; what its syntax uses is escaped as GitHub's own toolkit does."""
    settings = ",".join(
        f"{key}={workflow(value).replace(':', '%3A').replace(',', '%2C')}"
        for key, value in properties.items()
    )
    return f"::{level}{' ' if settings else ''}{settings}::{workflow(message)}"


def _from_workspace(path: Path) -> str:
    """Annotations attach to files by their path in the repository that is checked out."""
    base = Path(os.environ.get("GITHUB_WORKSPACE") or Path.cwd()).resolve()
    full = path.resolve()
    return (full.relative_to(base) if full.is_relative_to(base) else full).as_posix()


def claim_badges(found: Verified) -> dict[str, Badge]:
    """A badge for the paper, and one for each exhibit that claims are about or that is broken."""
    label = "claims on the paper's numbers"
    badges = {"paper": claims_badge(label, found.judged, len(found.broken))}
    for name, exhibit in found.project.paper.exhibits.items():
        own = [item for item in found.judged if name in exhibits_of(item.claim)]
        if own or name in found.broken:
            unread = found.broken.count(name)
            badges[name] = claims_badge(f"{exhibit.label}: {label}", own, unread)
    return badges


def summary(found: Verified) -> str:
    """The claims as Markdown, and what was in the way of results."""
    problems = "".join(f"\n> {escape(plain(problem))}\n" for problem in found.problems)
    return f"## Claims\n\n{markdown(found.judged, found.profile)}{problems}\n"
