"""Running a program of others as a step."""

from __future__ import annotations

import csv
import math
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Timer, current_thread, main_thread
from typing import Any

from harness.errors import EvidenceError
from harness.evidence.result import as_number, look_up
from harness.plan.program import Output, ProgramParams
from harness.plan.step import Json, StepContext, StepInput, StepResult
from harness.store.digest import digest_file
from harness.store.files import parse_once

_GRACE = 2.0
"""Seconds that a program has to end by itself before it is killed; less than a worker has."""
_TAIL = 12
"""Lines of the log that a failure quotes."""


def program(
    params: ProgramParams, inputs: Mapping[str, StepInput], context: StepContext
) -> StepResult:
    """Run the command, keep what it prints as the step's log, and read its values.

    Raises:
        EvidenceError: it cannot be started, does not end well or in time, or leaves no number.
    """
    folder = context.project / params.folder
    with tempfile.TemporaryDirectory(prefix="repro-") as out:
        given = {"seed": str(context.seed), "out": out, "device": context.device}
        command = [_filled(part, given) for part in params.command]
        files = {n: folder / _filled(o.file, given) for n, o in params.outputs.items() if o.file}
        before = {file: _state(file) for file in files.values()}
        variables = {name: _filled(text, given) for name, text in params.environment.items()}
        variables = {**os.environ, **_gpu(context.device), **variables}
        with _ended_in_order():
            printed = _run(command, folder, variables, params)
        for file in files.values():
            if _state(file) == before[file]:
                raise EvidenceError(f"{file}: the program ended, and did not write this file")
        return StepResult(
            {
                name: _read(name, output, files.get(name), printed)
                for name, output in params.outputs.items()
            }
        )


def _filled(text: str, given: Mapping[str, str]) -> str:
    return re.sub(r"\{(seed|out|device)\}", lambda match: given[match[1]], text)


def _state(file: Path) -> tuple[int, int, str] | None:
    """What changes when a file is written; where its clock is coarse, only the content does."""
    if not file.is_file():
        return None
    return file.stat().st_mtime_ns, file.stat().st_ino, digest_file(file)


def _gpu(device: str) -> dict[str, str]:
    """What shows a program its one GPU, or none."""
    kind, _, number = device.partition(":")
    return {"CUDA_VISIBLE_DEVICES": number or "0"} if kind == "cuda" else {}


def _run(
    command: list[str], folder: Path, variables: Mapping[str, str], params: ProgramParams
) -> str:
    """What it prints. It is a process group of its own, which ends with this step, however that
    ends."""
    print(f"$ {shlex.join(command)}")
    late, started = Event(), list[subprocess.Popen[str]]()

    def stop() -> None:
        late.set()
        _end(started[0])

    limit = Timer(60 * (params.minutes or 0), stop)
    lines: list[str] = []
    try:
        with _signals_later():
            started.append(_start(command, folder, variables))
        if params.minutes:
            limit.start()
        for line in started[0].stdout or ():
            print(line, end="")
            lines.append(line)
        code = started[0].wait()
    finally:
        limit.cancel()
        for process in started:
            _end(process)
    tail = "".join(deque(lines, _TAIL)).rstrip()
    if late.is_set():
        raise EvidenceError(f"{command[0]}: ended after {params.minutes:g} minutes\n{tail}")
    if code:
        how = f"ended by signal {-code}" if code < 0 else f"ended with exit status {code}"
        raise EvidenceError(f"{command[0]}: {how}\n{tail}".rstrip())
    return "".join(lines)


def _start(command: list[str], folder: Path, variables: Mapping[str, str]) -> subprocess.Popen[str]:
    try:
        return subprocess.Popen(
            command, cwd=folder, env=variables, start_new_session=True, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            errors="replace",
        )  # fmt: skip
    except OSError as error:
        raise EvidenceError(
            f"{command[0]}: cannot be started in {folder} ({error.strerror})"
        ) from None


@contextmanager
def _signals_later() -> Iterator[None]:
    """Hold back what would end this process, until what it starts meanwhile is known to be ended.

    By handlers and not by a mask, which the started process would inherit.
    """
    came: list[int] = []
    held = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)}
    ours = {n: old for n, old in held.items() if callable(old)}
    if current_thread() is not main_thread():
        ours.clear()
    for number in ours:
        signal.signal(number, lambda number, frame: came.append(number))
    try:
        yield
    finally:
        for number, old in ours.items():
            signal.signal(number, old)
        for each in came:
            os.kill(os.getpid(), each)


@contextmanager
def _ended_in_order() -> Iterator[None]:
    """Let the signal that would end this process at once end what it started first."""
    ours = current_thread() is main_thread() and signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    if ours:
        signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    try:
        yield
    finally:
        if ours:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _end(process: subprocess.Popen[str]) -> None:
    """End a program and all that it started, which may outlive it."""
    try:
        os.killpg(process.pid, signal.SIGTERM)
        until = time.monotonic() + _GRACE
        while process.poll() is None and time.monotonic() < until:
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass  # the group is gone


def _read(name: str, output: Output, file: Path | None, printed: str) -> Json:
    """One value.

    Raises:
        EvidenceError: it is not there, or no number.
    """
    place = output.json_path or output.pattern or output.column
    where = f"{file or 'what the program prints'}: {place}"
    try:
        text = file.read_text(encoding="utf-8") if file else printed
        value = as_number(_found(output, text, whole=file is not None))
    except (OSError, ValueError, KeyError, IndexError, csv.Error) as error:
        raise EvidenceError(f"{where}: '{name}' cannot be read ({error})") from None
    if value is None or not math.isfinite(value):
        raise EvidenceError(f"{where}: '{name}' is no finite number")
    return value


def _found(output: Output, text: str, whole: bool) -> Any:
    """The text or number at the place that an output names; no number where nothing is there."""
    if output.pattern:
        found = [match[1] for match in re.finditer(output.pattern, text, re.MULTILINE)]
        return found[-1] if found else None
    if output.column:
        return list(csv.DictReader(text.splitlines()))[-1][output.column]
    held = text if whole else [line for line in text.splitlines() if line.startswith("{")][-1]
    return look_up(parse_once(held), output.json_path)
