"""One store that something is done to, and the commands that are run on it."""

from __future__ import annotations

import functools
import gc
import os
import shutil
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from benchmarks.reliability.shrunken import shrunken
from harness.store.digest import digest_file
from harness.store.store import Store
from harness.store.verify import verify

MAKE = ("make", "table7", "--profile", "digits", "--executor", "inline")
TRACEBACK = "Traceback (most recent call last)"
PATIENCE = 600.0
"""Seconds that a command may take before it counts as stuck."""


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    """Its exit code, or minus the signal that killed it."""
    text: str
    """What it printed, on both streams."""

    @property
    def message(self) -> str:
        """The last thing it said."""
        lines = [line for line in self.text.splitlines() if line.startswith("repro: ")]
        return lines[-1] if lines else ""


class Running:
    """A command in a process group of its own."""

    def __init__(self, pid: int, output: Path) -> None:
        self.pid = pid
        self._output = output

    def kill(self) -> None:
        """SIGKILL to the command and everything that it started."""
        os.killpg(self.pid, signal.SIGKILL)

    def wait(self) -> Ended:
        """How it ended; killed where it does not."""
        deadline = time.monotonic() + PATIENCE
        while (found := os.waitpid(self.pid, os.WNOHANG))[0] == 0:
            if time.monotonic() > deadline:
                self.kill()
            time.sleep(0.005)
        text = self._output.read_text(encoding="utf-8", errors="replace")
        return Ended(os.waitstatus_to_exitcode(found[1]), text)


@dataclass
class Tally:
    """What came of a kind of fault."""

    times: int = 0
    """How often it was injected."""
    outcomes: Counter[str] = field(default_factory=Counter)
    defects: list[str] = field(default_factory=list)
    """Whatever should not have happened."""

    def expect(self, condition: bool, defect: str) -> None:
        if not condition:
            self.defects.append(defect)
            print(f"DEFECT: {defect}", file=sys.stderr, flush=True)


class Trial:
    """A store in a folder of its own, on the shrunken specs."""

    def __init__(self, lab: Lab, root: Path, build: Path) -> None:
        self._lab = lab
        self.root = root
        self.build = build

    @property
    def store(self) -> Store:
        return Store(self.root)

    def start(
        self,
        *arguments: str,
        environment: Mapping[str, str] | None = None,
        before: Callable[[], object] | None = None,
    ) -> Running:
        """Start a command in a forked process; `before` is called there first."""
        self._lab.commands += 1
        output = self._lab.place / f"output-{self._lab.commands}"
        sys.stdout.flush()
        pid = os.fork()
        if pid == 0:
            places = {"REPRO_STORE": str(self.root), "REPRO_BUILD": str(self.build)}
            os.environ.update(places | dict(environment or {}))
            _command(arguments, output, before)
        return Running(pid, output)

    def run(self, *arguments: str, **how: object) -> Ended:
        """A command from start to end."""
        return self.start(*arguments, **how).wait()  # type: ignore[arg-type]

    def digests(self) -> dict[str, str]:
        """Identity -> content digest of every usable record."""
        return {record.identity: record.digest for record in self.store.iterate()}

    def renders(self) -> dict[str, str]:
        """File -> SHA-256 of everything that was rendered."""
        paths = sorted(path for path in self.build.rglob("*") if path.is_file())
        return {str(path.relative_to(self.build)): digest_file(path) for path in paths}

    def check_sound(self, tally: Tally, when: str) -> None:
        """No record fails its digest, and none holds anything else than undisturbed."""
        tally.expect(verify(self.store) == [], f"{when}: a damaged record")
        odd = self.digests().items() - self._lab.expected.items()
        tally.expect(not odd, f"{when}: {len(odd)} records that an undisturbed run does not make")

    def finish(self, tally: Tally, when: str, lost: bool = False) -> None:
        """Run to the end, and compare everything with an undisturbed run.

        Args:
            lost: whether records or the log were taken away. Then those that nothing reads any more
                need not be made anew, and steps may run twice without a takeover.
        """
        kept = {identity: self.store.directory("records", identity) for identity in self.digests()}
        stamps = {path: path.stat().st_ctime_ns for path in kept.values() if path.exists()}
        ended = self.run(*MAKE)
        tally.expect(ended.code == 0, f"{when}: the next run ended with {ended.code}: {ended.text}")
        tally.expect(TRACEBACK not in ended.text, f"{when}: a traceback")
        gone = [path for path, stamp in stamps.items() if _stamp(path) != stamp]
        tally.expect(not gone, f"{when}: {len(gone)} records were lost, or made anew")
        self.check_finished(tally, when, lost)

    def check_finished(self, tally: Tally, when: str, lost: bool = False) -> None:
        """Every digest, render and trace is as if nothing had happened."""
        digests, expected = self.digests().items(), self._lab.expected.items()
        same = digests <= expected if lost else digests == expected
        tally.expect(same, f"{when}: other digests")
        tally.expect(self.renders() == self._lab.rendered, f"{when}: other renders")
        tally.expect(verify(self.store) == [], f"{when}: a damaged record in the end")
        left = [path.name for path in (self.root / "tmp").glob("*")]
        tally.expect(not left, f"{when}: left in tmp: {left}")
        if lost:
            return
        again, unlogged = self.repeated()
        tally.outcomes["steps begun again, each after a logged takeover"] += again
        tally.expect(unlogged == 0, f"{when}: {unlogged} steps ran twice without a takeover")

    def repeated(self) -> tuple[int, int]:
        """How many starts were not the first of their step; how many of them nothing explains."""
        starts, reasons = Counter[str](), Counter[str]()
        for event in self.store.events.read():
            starts[event["identity"]] += event["event"] == "start"
            reasons[event["identity"]] += event["event"] in ("takeover", "fail")
        more = {step: count - 1 for step, count in starts.items() if count > 1}
        return sum(more.values()), sum(max(0, n - reasons[step]) for step, n in more.items())

    def check_told(self, tally: Tally, ended: Ended, when: str, *codes: int) -> None:
        """A command did its work, or ended with one message and one of the exit codes."""
        tally.expect(ended.code in (0, *codes), f"{when}: ended with {ended.code}: {ended.text}")
        tally.expect(TRACEBACK not in ended.text, f"{when}: a traceback")
        said = sum(text.startswith("repro: ") for text in ended.text.splitlines())
        tally.expect(ended.code == 0 or said == 1, f"{when}: {said} messages: {ended.text}")

    def remove(self) -> None:
        shutil.rmtree(self.root, ignore_errors=True)
        if self.build != self._lab.shared_build:
            shutil.rmtree(self.build, ignore_errors=True)


class Lab:
    """Where trials take place, and what an undisturbed run leaves."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.deadline = float("inf")
        """`time.monotonic()` after which a kind of fault with many injections stops."""
        self.commands = 0
        self._trials = 0
        self.shared_build = place / "build"
        os.environ.update(REPRO_SPECS=str(shrunken(place)), OMP_NUM_THREADS="1")
        _warm(place)
        calm = self.trial(shared=True)
        began = time.perf_counter()
        ended = calm.run(*MAKE, environment={"REPRO_FAULT_LOG": str(place / "points")})
        self.seconds = time.perf_counter() - began
        if ended.code != 0:
            raise RuntimeError(f"the undisturbed run failed: {ended.text}")
        self.calm = calm
        self.expected = calm.digests()
        self.rendered = calm.renders()
        self.points = (place / "points").read_text().splitlines()

    @property
    def late(self) -> bool:
        return time.monotonic() > self.deadline

    def trial(self, shared: bool = False) -> Trial:
        """An empty store. With `shared` renders, what is rendered already is not rendered anew."""
        self._trials += 1
        folder = self.place / f"trial-{self._trials}"
        return Trial(self, folder / "store", self.shared_build if shared else folder / "build")

    def copied(self, trial: Trial) -> Trial:
        """Another store with the same content, and shared renders."""
        copy = self.trial(shared=True)
        shutil.copytree(trial.root, copy.root)
        return copy

    @cached_property
    def half(self) -> Trial:
        """A store whose run was killed midway."""
        trial = self.trial(shared=True)
        trial.run(*MAKE, environment={"REPRO_FAULT": str(len(self.points) // 2)})
        return trial


def _stamp(path: Path) -> int | None:
    return path.stat().st_ctime_ns if path.exists() else None


def _warm(place: Path) -> None:
    """Run once here: what a process computes once and keeps is then there for every child."""
    os.environ.update(REPRO_STORE=str(place / "warm"), REPRO_BUILD=str(place / "warm-build"))
    sys.argv = ["repro", *MAKE]
    from harness.cli.main import main
    from harness.study import project

    # Every command would read the same specs again.
    project.load_paper = functools.cache(project.load_paper)
    with _silence(place / "warm-output"):
        try:
            main()
        except SystemExit as stop:
            if stop.code:
                raise RuntimeError((place / "warm-output").read_text()) from None
    gc.freeze()  # else each child copies every page of what it shares with this process


class _silence:
    """Standard output and error into a file, for this process and its children."""

    def __init__(self, output: Path) -> None:
        self._output = output

    def __enter__(self) -> None:
        sys.stdout.flush()
        self._kept = [os.dup(1), os.dup(2)]
        self._file = os.open(self._output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        for stream in (1, 2):
            os.dup2(self._file, stream)

    def __exit__(self, *_: object) -> None:
        sys.stdout.flush()
        for stream, kept in zip((1, 2), self._kept, strict=True):
            os.dup2(kept, stream)
            os.close(kept)
        os.close(self._file)


def _command(arguments: tuple[str, ...], output: Path, before: Callable[[], object] | None) -> None:
    """In the child: become the command, and never return."""
    code = 1
    try:
        os.setpgid(0, 0)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        _silence(output).__enter__()
        if before is not None:
            before()
        sys.argv = ["repro", *arguments]
        from harness.cli.main import main

        main()
        code = 0
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 0 if stop.code is None else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
