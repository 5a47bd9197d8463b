"""Inject the faults that are asked for, and write their rows of docs/reliability.md."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.reliability.report import DOCUMENT, line, write
from benchmarks.reliability.rows import ROWS
from benchmarks.reliability.trial import Lab, Tally


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help="all of them by default")
    parser.add_argument("--list", action="store_true", help="say which rows there are, and leave")
    parser.add_argument("--write", action="store_true", help=f"put the rows into {DOCUMENT.name}")
    parser.add_argument("--minutes", type=float, help="stop a row of kills after so long")
    asked = parser.parse_args()
    if unknown := sorted(set(asked.rows) - set(ROWS)):
        parser.error(f"no such row: {', '.join(unknown)}; there are {', '.join(ROWS)}")
    if asked.list:
        print("\n".join(f"{name:16} {row.fault}" for name, row in ROWS.items()))
        return 0
    chosen = asked.rows or list(ROWS)
    memory = Path("/dev/shm")
    where = memory if os.access(memory, os.W_OK) else None
    defects = 0
    with tempfile.TemporaryDirectory(prefix="reliability-", dir=where) as place:
        lab = Lab(Path(place))
        print(f"undisturbed: {len(lab.expected)} records, {len(lab.points)} write points")
        for name in chosen:
            began = time.perf_counter()
            if asked.minutes is not None:
                lab.deadline = time.monotonic() + 60 * asked.minutes
            tally: Tally = ROWS[name].inject(lab)
            print(line(name, tally), f"{time.perf_counter() - began:.0f} s", flush=True)
            defects += len(tally.defects)
            if asked.write:
                write(name, tally)
    return 1 if defects else 0


if __name__ == "__main__":
    sys.exit(main())
