"""No moment is a bad one to die: a later run finishes, and nothing in the store differs."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.store.store import Store
from harness.store.verify import verify
from tests.run.graphs import (
    Step,
    chain,
    digests,
    ended,
    graph_of,
    in_child,
    make_step,
    run_inline,
    waiting,
)

ROOT = Path(__file__).parents[2]


def crash_graph() -> dict[str, Step]:
    """Arrays, values, a link (equal draws through another revision) and a failure."""
    draw = make_step("draw", {"count": 5})
    redrawn = make_step("draw", {"count": 5}, revision=2)
    return graph_of(
        draw,
        redrawn,
        make_step("select", {"keep": 2}, {"draw": draw}),
        make_step("select", {"keep": 2}, {"draw": redrawn}),
        make_step("measure", {"fail": True}, {"images": draw}),
    )


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, str], list[str]]:
    """Digests of a run that nothing disturbs, and the points that it passes."""
    place = tmp_path_factory.mktemp("undisturbed")
    log = place / "points"

    def work() -> None:
        run_inline(crash_graph(), place / "store")

    # Once here too: what a process computes once and keeps is then there for every child.
    run_inline(crash_graph(), place / "warm")
    assert ended(in_child(work, {"REPRO_FAULT_LOG": str(log)})) == 0
    return digests(place / "store"), log.read_text().splitlines()


def test_every_kind_of_write_has_its_points(undisturbed: tuple[dict[str, str], list[str]]):
    expected, points = undisturbed
    assert len(expected) == 4
    kinds = {point.split(":")[0] for point in points}
    assert {
        "write .npy",
        "write .json",
        "write .txt",
        "place",
        "replace",
        "lease",
        "release",
        "drop failure",
        "event start",
        "event link",
        "event fail",
    } <= kinds


@pytest.fixture
def fast_place(tmp_path: Path) -> Iterator[Path]:
    """A place in memory where there is one: a killed process loses nothing that it had written,
    so syncing a few thousand files to a disk would show nothing more."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=memory) as place:
        yield Path(place)


def kill_at_each(points: list[str], expected: dict[str, str], place: Path) -> None:
    graph = crash_graph()
    run_inline(graph, place / "warm")
    for number, name in enumerate(points, start=1):
        root = place / str(number)
        pid = in_child(lambda root=root: run_inline(graph, root), {"REPRO_FAULT": str(number)})
        assert ended(pid) == -signal.SIGKILL, name
        assert verify(Store(root)) == [], name
        assert expected.items() >= digests(root).items(), name
        report = run_inline(graph, root)
        assert len(report.failed) == 1, name
        assert digests(root) == expected, name
        assert verify(Store(root)) == [], name
        assert Store(root).failures.identities() == set(report.failed), name
        assert list((root / "tmp").iterdir()) == [], name
        assert list((root / "leases").iterdir()) == [], name


def test_killed_at_every_point_a_second_run_finishes(
    undisturbed: tuple[dict[str, str], list[str]], fast_place: Path
):
    expected, points = undisturbed
    # In a small process: to fork one that has imported all that tests do takes thrice as long.
    code = (
        "import sys; from pathlib import Path; from tests.run.test_crash import kill_at_each;"
        f"kill_at_each({points!r}, {expected!r}, Path(sys.argv[1]))"
    )
    done = subprocess.run([sys.executable, "-c", code, fast_place], cwd=ROOT, check=False)
    assert done.returncode == 0, "what was wrong stands on standard error"


def test_killed_at_random_moments_the_work_gets_done(tmp_path: Path):
    graph = graph_of(*[waiting(str(number), 0.01) for number in range(8)], *chain().values())
    assert run_inline(graph, tmp_path / "calm").complete
    moments = random.Random(7)
    root = tmp_path / "stormy"
    kills = 0
    for _ in range(12):
        pid = in_child(lambda: run_inline(graph, root))
        time.sleep(moments.uniform(0.005, 0.06))
        os.kill(pid, signal.SIGKILL)
        kills += ended(pid) == -signal.SIGKILL
        assert verify(Store(root)) == []
    assert kills >= 3
    assert run_inline(graph, root).complete
    assert digests(root) == digests(tmp_path / "calm")
