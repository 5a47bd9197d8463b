"""Running one step: at most once among all who share a store, and not at all when it need not."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Literal, TypeAlias

from harness.errors import UserError
from harness.plan.step import Step, StepContext, StepResult
from harness.registry import resolve
from harness.run.call import call, captured
from harness.run.environment import environment
from harness.run.fingerprint import fingerprint
from harness.run.lease import acquire
from harness.run.stopping import STOPPING
from harness.store.failures import Failure
from harness.store.record import DamagedRecord, Record
from harness.store.store import Store

Status: TypeAlias = Literal["current", "linked", "ran", "failed", "busy", "stopped"]
Report: TypeAlias = Callable[[float, str], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of one step.

    `busy`: another process holds its lease; ask again later. `stopped`: by a signal, with the run.
    """

    identity: str
    status: Status
    message: str = ""


def begin(step: Step, store: Store, leases: ExitStack) -> Outcome | Mapping[str, Record]:
    """The inputs of a step, once its lease is among `leases`; an outcome if it is not to run."""
    if store.whole(step.identity) is not None:
        return Outcome(step.identity, "current")
    lease = acquire(store, step.identity, step.name)
    if lease is None:
        return Outcome(step.identity, "busy")
    leases.enter_context(lease)
    if store.whole(step.identity) is not None:
        return Outcome(step.identity, "current")
    inputs = {name: store.whole(identity) for name, identity in step.inputs.items()}
    found = {name: record for name, record in inputs.items() if record is not None}
    if len(found) < len(inputs):
        missing = sorted(set(inputs) - set(found))
        message = f"its inputs {', '.join(missing)} have no usable record; run the command again"
        return fail(store, step, Failure(step.identity, step.name, "NoInput", message, ""))
    twin = store.equivalent(step, {name: record.digest for name, record in found.items()})
    if twin is not None:
        store.link(step, twin)
        store.events.append("link", step.identity, step.name, target=twin.identity)
        return Outcome(step.identity, "linked", f"same work as {twin.identity}")
    return found


def fail(store: Store, step: Step, failure: Failure) -> Outcome:
    """Keep a failure and log it."""
    store.failures.put(failure)
    store.events.append("fail", step.identity, step.name, message=failure.message)
    return Outcome(step.identity, "failed", failure.message)


def log_stop(steps: Sequence[Step], store: Store) -> None:
    """Log that the steps of one program were stopped before their end."""
    for step in steps:
        store.events.append("stop", step.identity, step.name, next=_next(steps, store))


def stopped(steps: Sequence[Step], store: Store) -> list[Outcome]:
    """For people: what is kept of the steps of one program that was stopped."""
    return [Outcome(step.identity, "stopped", _next(steps, store)) for step in steps]


def _next(steps: Sequence[Step], store: Store) -> str:
    if any(store.checkpoints(step.identity, "").kept for step in steps):
        return "goes on from its last checkpoint"
    return "begins anew"


def run(
    step: Step, store: Store, inputs: Mapping[str, Record], device: str, report: Report
) -> Outcome:
    """Do a step whose lease is held, and keep its record or its failure."""
    store.events.append("start", step.identity, step.name)
    result: StepResult | None = None
    with captured() as log:
        try:
            resolve(step.function)  # before the clock starts: imports are no part of the work
            code, machine = fingerprint(step.function), environment(device)
            checkpoints = store.checkpoints(step.identity, f"{code} {sorted(machine.items())}")
            heeding = STOPPING.heeding(checkpoints)
            context = StepContext(step.name, step.seed, device, report, heeding, store.project)
            began = time.perf_counter()
            result = call(step.function, step.params, inputs, context)
            seconds = time.perf_counter() - began
            store.commit(
                step,
                result,
                inputs=inputs,
                code=code,
                environment=machine,
                seconds=seconds,
                log=log.getvalue(),
            )
            checkpoints.drop()
        except Exception as error:
            if result is not None and isinstance(error, OSError):
                raise  # of the store, not of the step
            if isinstance(error, DamagedRecord):
                store.set_aside(error.identity)
            return fail(store, step, _failure(step, error, log.getvalue()))
        except BaseException:
            log_stop([step], store)
            raise
    store.events.append("finish", step.identity, step.name)
    return Outcome(step.identity, "ran", f"{seconds:.2f} s")


def _failure(step: Step, error: Exception, log: str) -> Failure:
    """A user's mistake is its message; for anything else the log ends with the traceback."""
    kind = type(error).__name__
    if isinstance(error, UserError):
        return Failure(step.identity, step.name, kind, str(error), log)
    trace = "".join(traceback.format_exception(error))
    return Failure(step.identity, step.name, kind, f"{kind}: {error}", log + trace)
