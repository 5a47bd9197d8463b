"""Where a record was made: versions and device, and nothing that names a host or a path."""

from __future__ import annotations

import functools
import platform
import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from harness.plan.step import Json

PACKAGES = (
    "numpy",
    "pillow",
    "pydantic",
    "repro-harness",
    "safetensors",
    "scikit-learn",
    "scipy",
    "timm",
    "torch",
    "torchvision",
)


@functools.lru_cache(maxsize=8)
def environment(device: str) -> dict[str, Json]:
    """Python, platform, package versions, the device's name and the number of CPU threads."""
    return {
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "packages": {name: found for name in PACKAGES if (found := _version(name))},
        "device": device_name(device),
        "threads": 1 if device == "cpu" else None,
    }


@functools.lru_cache(maxsize=8)
def device_name(device: str) -> str:
    """The model of a device: of the processor for `cpu`, else as torch names it (imports torch)."""
    if device != "cpu":
        import torch

        return str(torch.cuda.get_device_name(device))
    with_models = Path("/proc/cpuinfo")
    if with_models.exists():
        found = re.search(r"^model name\s*: (.+)$", with_models.read_text(), re.MULTILINE)
        if found:
            return found[1]
    return platform.processor() or platform.machine()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
