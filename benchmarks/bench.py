"""Comparing two ways to do one piece of work: in turns, in one run, with equal outcomes."""

from __future__ import annotations

import json
import multiprocessing
import os
import platform
import shlex
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).parent / "results"
RUNS = 5
PACKAGES = ("torch", "numpy", "scipy", "duckdb", "pydantic", "typer", "joblib")
Work = Callable[[], Any]


@dataclass(frozen=True)
class Row:
    """One line of the table of results. Seconds are medians by the clock."""

    what: str
    beside: str
    goal: str
    ours: float | None = None
    theirs: float | None = None
    ratio: float | None = None
    """Median over the rounds of theirs / ours."""
    lowest: float | None = None
    highest: float | None = None
    """Of the rounds; of what has no peer, of its seconds."""
    runs: int = 0
    note: str = ""


def compare(
    what: str,
    beside: str,
    goal: str,
    ours: Work,
    theirs: Work,
    *,
    same: Callable[[Any, Any], bool] = lambda a, b: bool(a == b),
    runs: int = RUNS,
    note: str = "",
) -> Row:
    """Do both once unmeasured, then `runs` times in turns, who is first changing each time.

    Raises AssertionError where `same` says that the outcomes of a round are not equal.
    """
    assert same(ours(), theirs()), f"{what}: the outcomes differ"
    times: dict[bool, list[float]] = {True: [], False: []}
    for number in range(runs):
        made = {}
        for own in (True, False) if number % 2 else (False, True):
            began = time.perf_counter()
            made[own] = (ours if own else theirs)()
            times[own].append(time.perf_counter() - began)
        assert same(made[True], made[False]), f"{what}: the outcomes differ"
    ratios = [b / a for a, b in zip(times[True], times[False], strict=True)]
    row = Row(
        what,
        beside,
        goal,
        statistics.median(times[True]),
        statistics.median(times[False]),
        statistics.median(ratios),
        min(ratios),
        max(ratios),
        runs,
        note,
    )
    print(line(row), flush=True)
    return row


@contextmanager
def process() -> Iterator[Callable[..., Any]]:
    """Calls functions in a process of their own, which stays until the end.

    For work that changes settings of its process, such as how it keeps memory.
    """
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        yield lambda work, *given: pool.submit(work, *given).result()


def alone(
    what: str,
    goal: str,
    ours: Work,
    runs: int = RUNS,
    note: str = "",
    before: Work = lambda: None,
) -> Row:
    """Seconds of something that has no peer, after one unmeasured run; `before` each, unmeasured,
    another work is done."""
    ours()
    times = []
    for _ in range(runs):
        before()
        began = time.perf_counter()
        ours()
        times.append(time.perf_counter() - began)
    spread = f"{min(times):.3f} to {max(times):.3f} s"
    row = Row(
        *(what, "", goal, statistics.median(times)),
        lowest=min(times),
        highest=max(times),
        runs=runs,
        note=f"{spread}. {note}".strip(),
    )
    print(line(row), flush=True)
    return row


def not_measured(what: str, beside: str, goal: str, why: str) -> Row:
    row = Row(what, beside, goal, note=f"not measured here: {why}")
    print(line(row), flush=True)
    return row


def program(command: Sequence[str | Path], folder: Path = ROOT, **environment: str) -> str:
    """What a command prints; byte code is kept, as in any installed package."""
    known = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env={**known, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{shlex.join(map(str, command))}: {done.stderr[-2000:]}"
    return done.stdout + done.stderr


def keep(name: str, rows: Sequence[Row]) -> None:
    """Write the JSON of one script, and the table of all that was written so far; say what became
    slower than in the results that are committed."""
    found = {
        "command": f"python -m benchmarks.{name}",
        "machine": machine(),
        "rows": [asdict(row) for row in rows],
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(found, indent=1) + "\n")
    (RESULTS / "README.md").write_text(table())
    for told in slower(_committed(name), found):
        print(f"slower than committed: {told}", file=sys.stderr, flush=True)


def slower(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """The rows of one script that became slower than noise, in words.

    They did where the ranges over the rounds do not meet: of ratios to a peer in the same run, and,
    on the same processor, of the seconds of what has no peer.
    """
    known = {(row["what"], row["beside"]): row for row in before.get("rows", ())}
    alike = all(
        before.get("machine", {}).get(k) == now["machine"][k] for k in ("processor", "cores")
    )
    for row in now["rows"]:
        was = known.get((row["what"], row["beside"]))
        if was is None or was["lowest"] is None or row["lowest"] is None:
            continue
        if was["ratio"] is not None and row["ratio"] is not None:
            if row["highest"] < was["lowest"]:
                yield f"{row['what']}: {row['ratio']:.3g} times its peer, was {was['ratio']:.3g}"
        elif alike and row["ratio"] is None and row["lowest"] > was["highest"]:
            yield f"{row['what']}: {row['ours']:.3g} s, was {was['ours']:.3g} s"


def _committed(name: str) -> dict[str, Any]:
    """The results of a script as they are committed; nothing where there are none."""
    place = f"HEAD:./benchmarks/results/{name}.json"
    shown = subprocess.run(["git", "show", place], cwd=ROOT, capture_output=True, check=False)
    return json.loads(shown.stdout) if shown.returncode == 0 else {}


def machine() -> dict[str, Any]:
    """What the figures depend on. The load tells whether the machine had other work."""
    import torch

    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "load": [round(each, 1) for each in os.getloadavg()],
        "gpu": gpu,
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
    }


def _processor() -> str:
    for text in Path("/proc/cpuinfo").read_text().splitlines():
        if text.startswith("model name"):
            return text.partition(":")[2].strip()
    return platform.processor()


def table() -> str:
    """All kept results as Markdown."""
    text = [
        "# What was measured",
        "",
        "Written by `make bench`; one script by `make bench ROW=NAME`. Seconds are medians by the",
        "clock; the ratio is the median of theirs / ours over the runs, with its range. Each",
        "script checks that both sides come to the same.",
        "",
        "| what | beside | goal | ours | theirs | ratio (range) | runs | |",
        "|---|---|---|---|---|---|---|---|",
    ]
    foot = ["", "| script | machine |", "|---|---|"]
    for path in sorted(RESULTS.glob("*.json")):
        found = json.loads(path.read_text())
        if "rows" not in found:
            continue  # scores, not seconds
        text += [line(Row(**row)) for row in found["rows"]]
        m = found["machine"]
        packages = ", ".join(f"{name} {number}" for name, number in m["packages"].items())
        foot.append(
            f"| `{found['command']}` | {m['processor']}, {m['cores']} cores, load {m['load'][0]}, "
            f"GPU: {m['gpu'] or 'none'}; Python {m['python']}, {packages} |"
        )
    return "\n".join([*text, *foot]) + "\n"


def line(row: Row) -> str:
    def seconds(value: float | None) -> str:
        return "–" if value is None else f"{value:.3g} s"

    ratio = "–"
    if row.ratio is not None:
        ratio = f"{row.ratio:.3g} ({row.lowest:.3g} to {row.highest:.3g})"
    cells = (row.what, row.beside, row.goal, seconds(row.ours), seconds(row.theirs), ratio)
    return "| " + " | ".join([*cells, str(row.runs or "–"), row.note]) + " |"


def one_thread() -> None:
    """Hold torch and BLAS to one thread; to be called before numpy is imported."""
    assert "numpy" not in sys.modules, "one_thread() comes too late"
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"


def kept_table(
    name: str, file: Path, retrain: Callable[[], object], table: Callable[[], str]
) -> None:
    """Print and write the table of kept numbers: what `python -m benchmarks.NAME` does.

    Args:
        retrain: makes the numbers anew and keeps them, where `--retrain` asks for it.
    """
    if sys.argv[1:] not in ([], ["--retrain"]):
        sys.exit(f"usage: python -m benchmarks.{name} [--retrain]")
    if sys.argv[1:]:
        retrain()
    made = table()
    file.write_text(made + "\n", encoding="utf-8")
    print(made)
