"""Running several steps as one program: each keeps its own lease, record, failure and identity."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack

from harness.plan.step import Share, Step, StepContext
from harness.registry import resolve
from harness.run.call import call_together, captured
from harness.run.environment import environment
from harness.run.execute import Outcome, Report, begin, log_stop, run
from harness.run.fingerprint import fingerprint
from harness.run.stopping import STOPPING
from harness.store.record import Record
from harness.store.store import Store

AT_ONCE = 16
"""Steps in one program, at most."""


def fuses(device: str) -> bool:
    """Whether steps are done together on a device.

    Not on a CPU: there a record's bytes depend on its step alone, and not on who was beside it.
    """
    return device.startswith("cuda")


def execute_together(
    steps: Sequence[Step], store: Store, device: str, report: Report
) -> list[Outcome]:
    """Bring the records of steps of one program about, or say of each why not.

    Their inputs' records must exist. Steps that turn out not to need running are left out. Where
    the common program fails, each step is run alone, so that one that cannot be done does not keep
    the others from their records. Errors of a step become a failure in the store. Leases are
    released whatever happens.

    Raises:
        OSError: the store cannot be read or written, so that it takes no failure either.
    """
    with ExitStack() as leases:
        begun = {step.identity: begin(step, store, leases) for step in steps}
        ready = [
            (step, inputs)
            for step in steps
            if not isinstance(inputs := begun[step.identity], Outcome)
        ]
        done = [outcome for outcome in begun.values() if isinstance(outcome, Outcome)]
        if len(ready) > 1 and (outcomes := _run(ready, store, device, report)):
            return done + outcomes
        return done + [run(step, store, inputs, device, report) for step, inputs in ready]


def _run(
    ready: Sequence[tuple[Step, Mapping[str, Record]]], store: Store, device: str, report: Report
) -> list[Outcome]:
    """Outcomes of all, or none where the program failed."""
    first = ready[0][0]
    for step, _ in ready:
        store.events.append("start", step.identity, step.name, together=str(len(ready)))
    shares = [Share(inputs, StepContext(step.name, step.seed, device)) for step, inputs in ready]
    with captured() as log:
        try:
            resolve(first.fused)
            code, machine = fingerprint(first.fused), environment(device)
            members = [step.identity for step, _ in ready]
            maker = f"{code} {sorted(machine.items())} {members}"
            checkpoints = store.checkpoints(first.identity, maker)
            heeding = STOPPING.heeding(checkpoints)
            context = StepContext(first.name, first.seed, device, report, heeding)
            began = time.perf_counter()
            results = call_together(first.fused, first.params, shares, context)
            seconds = (time.perf_counter() - began) / len(ready)
        except Exception as error:
            cause = f"not together: {type(error).__name__}: {error}"
            for step, _ in ready:
                store.events.append("retry", step.identity, step.name, cause=cause)
            return []
        except BaseException:
            log_stop([step for step, _ in ready], store)
            raise
    for (step, inputs), result in zip(ready, results, strict=True):
        store.commit(
            step,
            result,
            inputs=inputs,
            code=code,
            environment=machine,
            seconds=seconds,
            log=log.getvalue(),
        )
        store.events.append("finish", step.identity, step.name)
    checkpoints.drop()
    return [Outcome(name, "ran", f"{seconds:.2f} s, {len(ready)} at once") for name in members]
