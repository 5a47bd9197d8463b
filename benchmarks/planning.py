"""Planning many students that are all current, beside Snakemake with as many outputs.

Here, each record is read and checked by its digest; there, the names of files are looked for, which
are empty.
Snakemake is installed into an environment of its own, below benchmarks/.peers.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from unittest import mock

from benchmarks.bench import ROOT, alone, compare, keep, program
from harness.plan.exhibit import plan_exhibit
from harness.plan.step import StepResult
from harness.spec.paper import load_paper
from harness.store.store import Store

REPRO = Path(sys.executable).with_name("repro")
PEERS = Path(__file__).parent / ".peers"
CELLS = 12
SNAKEFILE = """
rule all:
    input: expand("out/{{n}}", n=range({count}))
rule one:
    output: "out/{{n}}"
    shell: "touch {{output}}"
"""


def main() -> None:
    snakemake = peer()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        small, large = 834, 8334
        records(folder / "small", small)
        outputs = [f"out/{n}" for n in range(small * CELLS)]
        (folder / "flow").mkdir()
        touch(folder / "flow", outputs)
        (folder / "flow" / "Snakefile").write_text(SNAKEFILE.format(count=len(outputs)))
        rows = [
            compare(
                f"plan {len(outputs):,} students (Table 7, {small} seeds), all current",
                "Snakemake 9, `-n`, as many outputs",
                "0.25 s, 15 times",
                lambda: planned(folder / "small", small),
                lambda: nothing_to_do(program([snakemake, "-n", "--cores", "1"], folder / "flow")),
                note="whole processes",
            )
        ]
        records(folder / "large", large)
        rows.append(
            alone(
                f"plan {large * CELLS:,} students, all current",
                "1 s",
                lambda: planned(folder / "large", large),
                note="Whole process",
            )
        )
    keep("planning", rows)


def planned(store: Path, seeds: int) -> bool:
    text = program(
        [REPRO, "plan", "table7", "--profile", "paper", "--seeds", str(seeds)],
        REPRO_STORE=str(store),
    )
    assert "\n0 of " in text, text
    return True


def nothing_to_do(text: str) -> bool:
    assert "Nothing to be done" in text, text
    return True


def records(root: Path, seeds: int) -> None:
    """A record of every step of the plan, not pushed to the disk, which takes minutes."""
    plan = plan_exhibit(load_paper(ROOT / "specs"), "table7", "paper", seeds)
    store, result = Store(root), StepResult({"accuracy": 50.0})
    how = {"inputs": {}, "code": "c", "environment": {"device": "d"}, "seconds": 1.0, "log": ""}
    with mock.patch("os.fsync"):
        for step in plan.steps.values():
            store.commit(step, result, **how)


def touch(folder: Path, names: Iterable[str]) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.touch()


def peer() -> Path:
    """Snakemake, installed once."""
    found = PEERS / "bin" / "snakemake"
    if not found.exists():
        uv = Path(sys.executable).with_name("uv")
        subprocess.run([uv, "venv", "--quiet", PEERS], check=True)
        target = ["--python", PEERS / "bin" / "python"]
        subprocess.run([uv, "pip", "install", "--quiet", *target, "snakemake>=9"], check=True)
    return found


if __name__ == "__main__":
    main()
