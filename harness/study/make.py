"""Making exhibits: run what lacks a record, then judge and render; collect what was queued."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import UserError
from harness.judge.exhibit import Judgement
from harness.plan.exhibit import ExhibitPlan
from harness.plan.library import check_installed, own_step_types
from harness.plan.parts import exhibit_of, needed_for, part_of, steps_below
from harness.plan.settings import Variation
from harness.plan.step import Step
from harness.registry import resolve
from harness.render.views import view_of
from harness.run.cluster.look import Standing
from harness.run.cluster.submission import QueuedArray
from harness.run.executors import Executor, executor_entry
from harness.run.progress import progress_on
from harness.run.schedule import RunReport
from harness.run.state import lacking, states
from harness.store.files import clean_temporary
from harness.store.record import DamagedRecord, NewerRecord, Record
from harness.study.exhibits import (
    JudgedExhibit,
    Request,
    claims_about,
    judge,
    named,
    plan_of,
    reasons_not_run,
    seeds_notice,
)
from harness.study.project import Project
from harness.study.results import remember
from harness.words import counted

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True, kw_only=True)
class MadeExhibit(JudgedExhibit):
    """A judged exhibit whose tables and plots are written to files."""

    varied: Mapping[str, Any]
    """`owner.setting` -> the alternative that was used."""
    flips: Sequence[str]
    """Addresses whose verdict is another one than under the default, with both verdicts."""
    files: Sequence[Path]

    def show(self, console: Console) -> None:
        """Print it as `repro make` does."""
        if self.varied:
            varied = ", ".join(f"{name} = {value}" for name, value in self.varied.items())
            console.print(f"Varied: {varied}")
        for flip in self.flips:
            console.print(f"Verdict flips: {flip}")
        super().show(console)
        for path in self.files:
            console.print(f"wrote {path}", soft_wrap=True)


@dataclass(frozen=True)
class Made:
    """The result of a make: the exhibits as far as they have records now."""

    exhibits: Sequence[MadeExhibit] = ()
    queued: Sequence[QueuedArray] | None = None
    """Arrays that were submitted to a cluster instead; then nothing is judged yet."""
    problems: Sequence[str] = ()
    """Failures, in whole messages; empty where every step has a record."""


@dataclass(frozen=True)
class Collected:
    """Submissions as they stand, and the exhibits of those that are over."""

    standings: Sequence[Standing]
    exhibits: Sequence[MadeExhibit]
    problems: Sequence[str]


@dataclass(frozen=True)
class _Wanted:
    """Exhibits or parts of them, planned as they are asked for."""

    project: Project
    names: Sequence[str]
    request: Request
    also: Sequence[Variation] = ()
    """Variations that are run beside it."""

    @cached_property
    def plans(self) -> dict[str, ExhibitPlan]:
        """The plan of each exhibit."""
        exhibits = dict.fromkeys(exhibit_of(name) for name in self.names)
        return {name: plan_of(self.project, name, self.request) for name in exhibits}

    @cached_property
    def defaults(self) -> dict[str, ExhibitPlan]:
        """The plan of each exhibit without the variation; nothing where there is none."""
        if not self.request.variation:
            return {}
        default = Request(self.request.profile, self.request.seeds)
        return {name: plan_of(self.project, name, default) for name in self.plans}

    @cached_property
    def graph(self) -> dict[str, Step]:
        """One graph of all steps below what is named, in the order of the names."""
        plans = [*self.plans.values(), *self.defaults.values(), *self._beside()]
        return {
            identity: step
            for name in self.names
            for plan in plans
            for identity, step in steps_below(plan, [name]).items()
        }

    def _beside(self) -> Iterator[ExhibitPlan]:
        for variation in self.also:
            asked = replace(self.request, variation=variation)
            for name in self.plans:
                yield plan_of(self.project, name, asked, must_act=False)


def make(
    project: Project,
    names: Sequence[str],
    request: Request,
    executor: str = "local",
    device: str = "auto",
    cluster: Path | None = None,
    also: Sequence[Variation] = (),
) -> Made:
    """Make exhibits or parts of them, or queue what they lack and leave.

    Args:
        executor: `inline` (this process), `local` (processes), `slurm` or `batch` (queued jobs).
        device: `auto`, `cpu` or `cuda`.
        cluster: TOML file that says what queued jobs ask for.
        also: variations that are run beside it, and not rendered.

    Raises:
        UserError: an unknown name, or a store that cannot be written.
    """
    wanted = _Wanted(project, named(project, names), request, also)
    probe_changed(project, wanted.graph)
    for planned in wanted.plans.values():
        seeds_notice(project, planned, request)
    if executor_entry(executor).leaves and lacking(wanted.graph, project.store):
        from harness.study.queue import submit

        writable(project.root)
        queued = submit(project, wanted.names, request, wanted.graph, device, cluster, executor)
        return Made(queued=queued)
    asked = [part_of(plan, wanted.names) for plan in wanted.plans.values()]
    report = run(project, wanted.graph, asked, executor, device)
    problems = () if report.complete else (failures(report, wanted.graph),)
    return Made(tuple(_present(wanted)), problems=problems)


def probe_changed(project: Project, graph: Mapping[str, Step]) -> None:
    """Run the probes of steps whose code has changed since the records of a graph were made.

    Raises:
        UserError: a step makes other numbers now, so that its records may not be used.
        EvidenceError: a library is missing that a probe or a step that has to run needs.
    """
    records = [
        record
        for identity, step in graph.items()
        if (record := project.store.get(identity)) and _honest(project, record, step)
    ]
    to_run = {graph[identity].name for identity in lacking(graph, project.store)}
    if to_run & own_step_types(project.paper).keys() or project.codes.changed(records):
        check_installed(project.paper)
    wrong, untold = project.codes.probe(records)
    if wrong:
        raise UserError("\n  ".join(wrong))
    project.notices.update(dict.fromkeys(untold))


def _honest(project: Project, record: Record, step: Step) -> bool:
    """Whether a record is of the work that its identity names; it is set aside where it is not."""
    if record.is_of(step):
        return True
    project.store.set_aside(step.identity)
    what = f"record {step.identity[:12]} is not of the step '{step.name}' that its identity names"
    project.notices[f"{what}; it was set aside in damaged/"] = None
    return False


def collect(project: Project) -> Collected:
    """Reconcile queue and records; judge and render what is over."""
    from harness.run.cluster.look import collect as reconcile

    standings = reconcile(project.store)
    exhibits: list[MadeExhibit] = []
    problems: list[str] = []
    over = [s for s in standings if s.over]
    for asked in _distinct([{**s.request, "executor": s.submission.executor} for s in over]):
        names, executor = asked.pop("exhibits"), asked.pop("executor")
        wanted = _Wanted(project, names, Request(**asked))
        exhibits += _present(wanted)
        problems += _problems(wanted, executor)
    return Collected(standings, exhibits, problems)


def present(project: Project, names: Sequence[str], request: Request) -> list[MadeExhibit]:
    """Judge and render exhibits or parts as far as they have records; run nothing."""
    return list(_present(_Wanted(project, names, request)))


def _present(wanted: _Wanted) -> Iterator[MadeExhibit]:
    """Judge and render exhibits as far as they have records.

    A record that turns out to be damaged is set aside, so that the next make does it anew.
    """
    for name in wanted.plans:
        try:
            yield _made(wanted, name)
        except DamagedRecord as damage:
            wanted.project.store.set_aside(damage.identity)
            raise


def _made(wanted: _Wanted, name: str) -> MadeExhibit:
    from harness.study.renders import write_renders

    project, varied = wanted.project, wanted.request.variation or {}
    judgement = judge(project, wanted.plans[name])
    if not varied and not wanted.request.seeds:
        remember(project, judgement)
    default = wanted.defaults.get(name)
    return MadeExhibit(
        judgement=judgement,
        view=view_of(project.paper, judgement.plan.exhibit),
        files=write_renders(project, judgement, varied),
        claims=claims_about(project, [judgement], wanted.request),
        not_run=reasons_not_run(project, judgement),
        varied=varied,
        flips=_flips(judgement, judge(project, default)) if default else [],
    )


def _flips(judgement: Judgement, default: Judgement) -> list[str]:
    """Addresses whose verdict under the variation is another one than under the default; of those
    alone that were run under both."""
    before = default.verdict_names
    return [
        f"{address}: {before[address]} -> {name}"
        for address, name in judgement.verdict_names.items()
        if before[address] != name and "not run" not in (before[address], name)
    ]


def run(
    project: Project,
    graph: Mapping[str, Step],
    plans: Iterable[ExhibitPlan],
    executor: str,
    device: str,
) -> RunReport:
    """Bring about every record of a graph; nothing is started when all are there.

    Args:
        plans: those that the graph is taken from, with the items that are asked for alone, which
            tell what a step is needed for.
    """
    store = project.store
    left = lacking(graph, store)
    if not left:
        with suppress(OSError):  # a store that takes nothing keeps what a dead process left
            clean_temporary(store.root)
        return RunReport(current=list(graph))
    for identity in left:
        if isinstance(damage := store.unreadable(identity), NewerRecord):
            raise damage
    writable(project.root)

    progress = progress_on(numbers=needed_for(plans, left))
    return _executor(executor, device).run(graph, store, progress)


def writable(root: Path) -> None:
    """Make the folder of a store. UserError where it cannot be written."""
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{root}: the store cannot be written ({error.strerror})") from None


def _executor(name: str, device: str) -> Executor:
    entry = executor_entry(name)
    gpus = [f"cuda:{index}" for index in range(_visible_gpus())]
    if device == "cuda" and not gpus:
        raise UserError("--device cuda: no GPU is visible here; use --device cpu or auto")
    devices = gpus if gpus and device != "cpu" else ["cpu"] * _cores()
    made: Executor = resolve(entry.factory)(devices)
    return made


def _visible_gpus() -> int:
    """GPUs that this process may use, found without importing torch."""
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is not None:
        return len([name for name in chosen.split(",") if name.strip() not in ("", "-1")])
    return len(list(Path("/dev").glob("nvidia[0-9]*")))


def _cores() -> int:
    """Cores that this process may use, where the system tells."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def failures(report: RunReport, graph: Mapping[str, Step]) -> str:
    """All failures in one message."""
    messages = sorted({f"{graph[i].name}: {text}" for i, text in report.failed.items()})
    shown = "\n  ".join(messages[:5])
    return (
        f"{counted(len(report.failed), 'step')} failed (waiting for that: {len(report.blocked)}); "
        f"the rest is done:\n  {shown}"
    )


def _distinct(requests: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for request in requests:
        if request not in found:
            found.append(dict(request))
    return found


def _problems(wanted: _Wanted, executor: str) -> list[str]:
    """Say what is missing although everything is over."""
    known = states(wanted.graph, wanted.project.store)
    failed = {i: _message(wanted.project, i) for i, state in known.items() if state == "failed"}
    left = {i: "" for i, state in known.items() if state not in ("current", "failed")}
    if failed:
        return [failures(RunReport(failed=failed, blocked=left), wanted.graph)]
    if left:
        again = f"`repro make {shlex.join(wanted.names)} --executor {executor}`"
        steps = counted(len(left), "step has", "steps have")
        return [f"{steps} no record and no job any more; {again} queues what is missing"]
    return []


def _message(project: Project, identity: str) -> str:
    failure = project.store.failures.get(identity)
    return failure.message if failure else "the failure cannot be read"
