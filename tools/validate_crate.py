# /// script
# requires-python = ">=3.11"
# dependencies = ["roc-validator==0.13.0", "rocrate==0.16.0"]
# ///
"""Check a crate with the validator of RO-Crate: uv run --script tools/validate_crate.py FOLDER

The validator needs an older `rich` than `repro`, so it has an environment of its own. It would
fetch the JSON-LD context from w3id.org; here it is given the one that `rocrate` brings, which is
that of version 1.3, with the four names that stand for something else in version 1.1.
"""

from __future__ import annotations

import io
import json
import sys
from collections import Counter
from importlib.resources import files

import requests.adapters
import urllib3
from rocrate_validator import models, services

PROFILE = "workflow-run-crate-0.5"
OF_1_1 = {
    "ComputationalWorkflow": "https://bioschemas.org/ComputationalWorkflow",
    "FormalParameter": "https://bioschemas.org/FormalParameter",
    "input": "https://bioschemas.org/ComputationalWorkflow#input",
    "output": "https://bioschemas.org/ComputationalWorkflow#output",
}


def main() -> int:
    requests.adapters.HTTPAdapter.send = answer
    asked = services.ValidationSettings(
        rocrate_uri=sys.argv[1],
        profile_identifier=PROFILE,
        requirement_severity=models.Severity.RECOMMENDED,
        no_cache=True,
    )
    issues = services.validate(asked).get_issues()
    for (severity, check, message), count in sorted(Counter(map(line, issues)).items()):
        print(f"{severity} {check}, {count} times: {message}")
    wrong = sum(issue.severity.name == "REQUIRED" for issue in issues)
    print(f"{PROFILE}: {wrong} requirements not met")
    return int(wrong > 0)


def line(issue: models.CheckIssue) -> tuple[str, str, str]:
    return issue.severity.name, issue.check.identifier, issue.message


def answer(adapter: object, request: requests.PreparedRequest, **how: object) -> requests.Response:
    """The context, whatever address of w3id.org is asked for it; nothing else is reached."""
    response = requests.Response()
    known = "/ro/crate/" in request.url and request.url.endswith("/context")
    response.status_code = 200 if known else 404
    response.url, response.request = request.url, request
    response.headers["Content-Type"] = "application/ld+json"
    held = json.loads((files("rocrate") / "data" / "ro-crate.jsonld").read_text("utf-8"))
    held["@context"].update(OF_1_1)
    response.raw = urllib3.HTTPResponse(
        io.BytesIO(json.dumps(held).encode()), response.headers, 200, preload_content=False
    )
    return response


if __name__ == "__main__":
    sys.exit(main())
