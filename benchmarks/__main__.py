"""All benchmarks, or those named, each in a process of its own.

python -m benchmarks [NAME ...]
"""

from __future__ import annotations

import subprocess
import sys

NAMES = (
    "commands",
    "planning",
    "centers",
    "submodular",
    "students",
    "experts",
    "scoring",
    "records",
    "forecasts",
    "gpu",
    "importing",
    "verdicts",
    "audit",
)


def main() -> int:
    asked = sys.argv[1:] or NAMES
    unknown = [name for name in asked if name not in NAMES]
    if unknown:
        print(f"unknown benchmark {unknown[0]}; one of {', '.join(NAMES)}", file=sys.stderr)
        return 2
    failed = [
        name
        for name in asked
        if subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False).returncode
    ]
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
