"""Provenance names versions and a device, and neither a host nor a path."""

from __future__ import annotations

import getpass
import json
import platform
from importlib.metadata import version
from pathlib import Path

from harness.run.environment import environment


def test_versions_and_device_are_told_and_no_host():
    found = environment("cpu")
    assert found["python"] == platform.python_version()
    assert found["packages"]["numpy"] == version("numpy")  # type: ignore[index,call-overload]
    assert found["threads"] == 1
    assert found["device"]
    text = json.dumps(found)
    for private in (str(Path.cwd()), str(Path.home()), f'"{platform.node()}"'):
        assert private not in text
    assert f'"{getpass.getuser()}"' not in text
