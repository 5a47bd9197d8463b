"""A reader who leaves, a stream that is closed or full, a storm of Ctrl-C: one message at most, the
right exit code, and the work is done or can be gone on with."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import pytest

from harness.store.owner import Owner
from tests.cli.conftest import INLINE
from tests.toy.paper import Workplace

ROOT = Path(__file__).resolve().parents[2]
REPRO = f"{shlex.quote(sys.executable)} -m harness"
MAKE = f"{REPRO} make verdicts --executor inline"


def environment(place: Workplace) -> dict[str, str]:
    return {
        **os.environ,
        "REPRO_SPECS": str(place.specs),
        "REPRO_STORE": str(place.root / "store"),
        "REPRO_BUILD": str(place.root / "build"),
    }


def shell(place: Workplace, line: str) -> tuple[int, str]:
    """Exit code of the first command of a pipeline, and what was said on standard error."""
    done = subprocess.run(
        ["bash", "-c", f"{line}; exit ${{PIPESTATUS[0]}}"],
        cwd=ROOT,
        env=environment(place),
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (f"{REPRO} show verdicts | true", 0),
        (f"{REPRO} show verdicts --json | head -c 10", 0),
        (f"{REPRO} diff verdicts | true", 1),
        (f"{REPRO} show verdicts >&-", 0),
        (f"{REPRO} show verdicts <&- >&- 2>&-", 0),
        (f"{REPRO} nothing 2>&-", 2),
        (f"{REPRO} show verdicts --json > /dev/full", 3),
        (f"{REPRO} show verdicts > /dev/full", 3),
    ],
)
def test_what_is_said(made: Workplace, line: str, code: int) -> None:
    ended, said = shell(made, line)
    assert ended == code, said
    assert "Traceback" not in said
    assert len(said.splitlines()) == (code == 3)


@pytest.mark.parametrize("end", ["2>&-", "2>/dev/full", ">&- 2>&-", "2>&1 | true"])
def test_what_is_done(place: Workplace, end: str) -> None:
    assert shell(place, f"{MAKE} {end}") == (0, "")
    steps = place.repro("plan", "verdicts", "--json").json["steps"]
    assert {step["state"] for step in steps} == {"current"}
    assert place.repro("store", "verify").code == 0


def test_a_storm_of_interrupts_is_one(place: Workplace) -> None:
    run = subprocess.Popen(
        [sys.executable, "-m", "harness", "make", "verdicts", "--executor", "local"],
        cwd=ROOT,
        env=environment(place),
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # However this test was started: a child inherits that SIGINT is ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    while not list(place.store.root.glob("leases/*")) and run.poll() is None:
        time.sleep(0.005)
    for _ in range(5):
        os.killpg(run.pid, signal.SIGINT)
        time.sleep(0.05)
    _, said = run.communicate()
    assert run.returncode == 130, said
    assert said.count("interrupted") == 1
    assert "Traceback" not in said
    assert place.repro("make", "verdicts", *INLINE).code == 0


@pytest.mark.parametrize("begins", ["harness.cli.main", "typer", "pydantic"])
def test_an_interrupt_while_modules_are_imported_is_one_line(begins: str) -> None:
    script = f"""
import os, signal, sys
class Interrupted:
    def find_spec(self, name, path=None, target=None):
        if name == {begins!r}:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupted())
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.argv = ["repro", "list"]
from repro_harness import main
main()
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (130, "")
    assert re.fullmatch("repro: interrupted; .*\n", done.stderr)


def test_which_version_it_is(place: Workplace) -> None:
    assert place.repro("--version").out == f"repro {version('repro-harness')}\n"


def test_a_run_that_is_ended_says_so_and_can_be_gone_on_with(place: Workplace) -> None:
    run = subprocess.Popen(
        [sys.executable, "-m", "harness", "make", "verdicts", "--executor", "local"],
        cwd=ROOT,
        env=environment(place),
        stderr=subprocess.PIPE,
        text=True,
    )
    while not list(place.store.root.glob("leases/*")) and run.poll() is None:
        time.sleep(0.005)
    run.terminate()
    _, said = run.communicate()
    assert run.returncode == 143, said
    assert "repro: ended by SIGTERM; what is finished is kept" in said.splitlines()[-1]
    assert "Traceback" not in said
    assert place.repro("make", "verdicts", *INLINE).code == 0


def test_status_names_who_is_at_work(place: Workplace) -> None:
    first = place.repro("plan", "verdicts", "--json").json["steps"][0]
    lease = place.store.root / "leases" / first["identity"]
    lease.parent.mkdir(parents=True)
    lease.write_text(Owner.current().token, encoding="utf-8")
    (one,) = place.repro("status", "--json").json["at_work"]
    assert (one["identity"], one["process"]) == (first["identity"], os.getpid())
    assert (one["condition"], one["since"]) == ("running", None)
    assert any(number.startswith("verdicts:") for number in one["numbers"])
    shown = place.repro("status").out
    assert f"running: {first['step']} (seed {first['seed']}) of {one['numbers'][0]}" in shown
    assert f"process {os.getpid()} of" in shown
