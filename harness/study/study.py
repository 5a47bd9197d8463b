"""`Study`: everything that can be asked of a project, in one place.

Each method imports what it needs when it is called, so that `from harness import Study` is cheap.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

if TYPE_CHECKING:
    from harness.judge.audit.finding import Finding
    from harness.judge.exhibit import Judgement
    from harness.plan.settings import Shared
    from harness.run.cluster.submission import QueuedArray
    from harness.spec.paper import Paper
    from harness.store.store import Store
    from harness.study.bundle import Audited
    from harness.study.challenge import Challenge
    from harness.study.compare import Comparison
    from harness.study.document import WrittenDocument
    from harness.study.evidence import Accepted
    from harness.study.exhibits import JudgedExhibit, Request
    from harness.study.explore import WrittenDesign
    from harness.study.flips import Flips
    from harness.study.forecast import Forecast
    from harness.study.make import Collected, Made
    from harness.study.project import Project
    from harness.study.report.build import Report
    from harness.study.status import Status
    from harness.study.sync import Synced
    from harness.study.until import Look, LooksAhead, MadeUntilDecided
    from harness.study.verify import Verified


class How(TypedDict, total=False):
    """How an exhibit is wanted; all may be left out."""

    profile: str | None
    """The id of the profile that it is run under. If none: the default of `paper.toml`. What reads
    results (`judge`, `diff`, `verify`, `assumptions`, `document`, `report`, `challenge`) takes the
    first with a result of the exhibits that it is about: the default, the paper's, or another."""
    seeds: int | None
    """How many student seeds; the profile's number if none."""
    vary: Mapping[str, Any] | Sequence[str] | None
    """`owner.setting` -> the alternative to use, or texts such as `owner.setting=value`."""


class Where(TypedDict, total=False):
    """How steps are run; all may be left out."""

    executor: str
    """`inline` (this process), `local` (processes), `slurm` or `batch` (jobs that are queued
    and left; see `Study.collect`)."""
    device: str
    """`auto`, `cpu` or `cuda`."""
    cluster: Path | None
    """TOML file that says what queued jobs ask for."""


@dataclass(frozen=True)
class Study:
    """A paper as data, and what came back of its numbers.

    >>> study = Study.open()
    >>> study.make("table7", profile="digits")
    >>> study.judge("table7", profile="digits")

    Exhibits are named as on the command line: `table7`, and where a part may be meant,
    `table7:ROW`, `table7::COLUMN` or `table7:ROW:COLUMN`. `profile`, `seeds` and `vary` are
    explained in `How`. Numbers are in the unit of their exhibit, durations in seconds.

    Every method raises `UserError` where a name is unknown, a spec is wrong, or a profile cannot do
    what is asked; the message says what is known.
    """

    project: Project

    @classmethod
    def open(cls, folder: Path | str | None = None, no_code: bool = False) -> Study:
        """The project of a folder, by default of the working directory.

        The nearest folder with `specs/paper.toml` is taken, at or above it. The environment
        variables `REPRO_STORE` and `REPRO_BUILD` name other places for records and renders.

        Args:
            no_code: whether to execute nothing of the paper's own, even where its folder is
                trusted: specs and published results are read then. `make`, `plan` and `probe`
                trust a folder, since they execute its code.
        """
        from harness.study.project import find_project

        return cls(find_project(None if folder is None else Path(folder), no_code))

    @property
    def paper(self) -> Paper:
        """The specs, loaded."""
        return self.project.paper

    @property
    def store(self) -> Store:
        """The records of finished steps."""
        return self.project.store

    def request(self, **how: Unpack[How]) -> Request:
        """Read `how`, with the variation checked against what the specs declare."""
        from harness.plan.settings import parse_variation
        from harness.study.exhibits import Request

        vary = how.get("vary") or ()
        if isinstance(vary, Mapping):
            vary = [f"{name}={json.dumps(value)}" for name, value in vary.items()]
        variation = parse_variation(self.paper, list(vary))
        return Request(how.get("profile"), how.get("seeds"), variation)

    def plan(self, part: str, *, whole: bool = True, **how: Unpack[How]) -> Forecast:
        """Say what a make of an exhibit or a part would do, and how long it would take.

        Args:
            whole: False leaves out the durations where nothing is left to do, which is quicker.
        """
        from harness.study.forecast import forecast_of

        self.project.trust()
        return forecast_of(self.project, part, self.request(**how), whole)

    def make(
        self,
        *parts: str,
        executor: str = "local",
        device: str = "auto",
        cluster: Path | None = None,
        **how: Unpack[How],
    ) -> Made:
        """Run what exhibits or parts need and have no record of, then judge and render them.

        A step that fails stops nothing that does not need it; `Made.problems` tells of it.

        Args:
            executor: `inline` (this process), `local` (processes), `slurm` or `batch` (jobs
                that are queued and left; see `collect`).
            device: `auto`, `cpu` or `cuda`.
            cluster: TOML file that says what queued jobs ask for.
        """
        from harness.study.make import make

        self.project.trust()
        return make(self.project, parts, self.request(**how), executor, device, cluster)

    def design(
        self, *parts: str, runs: int, only: Sequence[str] = (), **how: Unpack[How]
    ) -> WrittenDesign:
        """Write down which alternatives of an exhibit or its parts so many runs would take.

        A design that is written down already is found again.

        Args:
            only: the alternatives to be explored, as `owner.setting=value`; all if none.
        """
        from harness.study.explore import write_design

        self.project.trust()
        return write_design(self.project, parts, self.request(**how), runs, only)

    def explore(self, written: WrittenDesign, **where: Unpack[Where]) -> Made:
        """Run the default and all runs of a design, as `make` does; `flips` says what they turn."""
        from harness.study.explore import run_design

        self.project.trust()
        return run_design(self.project, written.design, **where)

    def flips(self, exhibit: str, profile: str | None = None) -> Flips:
        """What turns the verdicts of an exhibit, among the readings that were run. Runs nothing."""
        from harness.study.flips import flips_of

        return flips_of(self.project, exhibit, profile)

    def until_decided(
        self,
        *parts: str,
        most: int = 12,
        budget: float | None = None,
        executor: str = "local",
        device: str = "auto",
        tell: Callable[[Look], object] = lambda look: None,
        **how: Unpack[How],
    ) -> MadeUntilDecided:
        """Make an exhibit or parts of it, adding runs to each cell until it is decided.

        Every cell is judged after its first runs; those whose further runs are likely to decide
        most for their time go on. A later call continues. `seeds` may not be given.

        Args:
            most: runs of a cell.
            budget: seconds that all runs may take, as they are forecast for one device.
            executor: `inline` or `local`.
            tell: is given each look when it was taken.
        """
        from harness.study.until import until_decided

        self.project.trust()
        asked = self.request(**how)
        return until_decided(self.project, parts, asked, most, budget, executor, device, tell)

    def look_ahead(self, *parts: str, most: int = 12, **how: Unpack[How]) -> LooksAhead:
        """Say which cells `until_decided` would run next, and what it would cost."""
        from harness.study.until import look_ahead

        return look_ahead(self.project, parts, self.request(**how), most)

    def collect(self) -> Collected:
        """Look after queued steps; exhibits that are over are judged and rendered."""
        from harness.study.make import collect

        return collect(self.project)

    def cancel(self, *jobs: str) -> list[QueuedArray]:
        """Cancel arrays of jobs, by default all that were submitted; those that were cancelled."""
        from harness.run.cluster.look import cancel

        return cancel(self.store, jobs)

    def judge(self, exhibit: str, only: str | None = None, **how: Unpack[How]) -> JudgedExhibit:
        """An exhibit with what is in the store: verdicts, its claims, what was not run.

        Runs nothing. A notebook shows it as a table.

        Args:
            only: the kind of runs that count, such as `device=cpu` or `torch=2.4.1`; all if none.
        """
        from harness.study.exhibits import judged_exhibit

        return judged_exhibit(self.project, exhibit, self._of_kind(only, how))

    def diff(self, exhibit: str, only: str | None = None, **how: Unpack[How]) -> Judgement:
        """The verdicts alone, without claims, which may be about other exhibits too.

        `only` is as in `judge`.
        """
        from harness.study.exhibits import judge, plan_to_read
        from harness.study.results import profile_to_read

        how["profile"] = profile_to_read(self.project, how.get("profile"), [exhibit]).id
        request = self._of_kind(only, how)
        return judge(self.project, plan_to_read(self.project, exhibit, request), request.only)

    def _of_kind(self, only: str | None, how: How) -> Request:
        from harness.judge.company import OneKind

        return replace(self.request(**how), only=OneKind.parse(only) if only else None)

    def results(self) -> dict[str, dict[str, int]]:
        """Exhibit -> profile -> how many of its numbers have a result. Executes nothing."""
        from harness.study.results import results

        return results(self.project, self.paper.runnable)

    def remarks(self, results: Mapping[str, Mapping[str, int]]) -> dict[str, str]:
        """Exhibit -> why the numbers that `results` counts do not stand, where any do not."""
        from harness.study.results import remarks

        return remarks(self.project, results)

    def add_evidence(self, exhibit: str, *files: str, **given: Any) -> Accepted:
        """Write into a table's spec that files hold results of it, and accept them as they are.

        Args:
            files: paths or patterns, as seen from the working directory.
            given: `reader`, `row`, `column`, `seed`, `value` and `scale` of the entry; what is left
                out is guessed from names where these are clear.
        """
        from harness.study.evidence import add_evidence

        return add_evidence(self.project, exhibit, files, given)

    def accept_evidence(self, *exhibits: str) -> list[Accepted]:
        """Accept the files that tables are judged by as they are now; all by default."""
        from harness.study.evidence import accept_evidence

        return accept_evidence(self.project, exhibits)

    def sync_tables(self, *sources: Path | str, write: bool = False) -> Synced:
        """What a paper's sources say now that its specs do not, and which claims that turns.

        Args:
            sources: LaTeX, Markdown, HTML or CSV files.
            write: whether to bring the specs to it.
        """
        from harness.study.sync import sync_tables

        return sync_tables(self.project, [Path(each) for each in sources], write)

    def verify(self, profile: str | None = None) -> Verified:
        """Every claim of the paper, on its own numbers and on ours."""
        from harness.study.verify import judge_all_claims

        return judge_all_claims(self.project, profile)

    def audit(self) -> tuple[Finding, ...]:
        """Where the paper does not agree with itself, the gravest first."""
        from harness.study.audit import findings_of

        return findings_of(self.project)

    def audit_bundle(
        self,
        folder: Path,
        nonce: str,
        count: int,
        tolerance: float = 0.1,
        executor: str = "local",
        device: str = "auto",
    ) -> Audited:
        """Run records of an exported bundle again, drawn by a nonce, and say what that proves.

        Args:
            nonce: chosen by whoever checks, after the bundle was closed.
            tolerance: how far a value may be from that of the bundle on another processor.
        """
        from harness.study.bundle import audit_bundle

        return audit_bundle(self.project, folder, nonce, count, tolerance, executor, device)

    def assumptions(self, exhibit: str, profile: str | None = None) -> tuple[Shared, ...]:
        """The choices that an exhibit rests on and that the paper does not state, by name."""
        from harness.plan.changes import assumptions_of
        from harness.study.exhibits import plan_of
        from harness.study.results import profile_to_read

        chosen = profile_to_read(self.project, profile, [exhibit]).id
        planned = plan_of(self.project, exhibit, self.request(profile=chosen))
        return assumptions_of(planned.items)

    def compare(self, a: str, b: str, *exhibits: str, **how: Unpack[How]) -> Comparison:
        """Which numbers changed between two stores, exports or profiles.

        Args:
            a: a folder of a store or an export, or the name of a profile.
            b: another one; `vary` is of this one alone.
            exhibits: all by default.
        """
        from harness.study.compare import compare

        return compare(self.project, (a, b), exhibits, self.request(**how))

    def why(self, address: str, **how: Unpack[How]) -> list[str]:
        """Lines that say why the steps of a number (`table7:ROW:COLUMN`) will run or not."""
        from harness.study.status import explained

        return explained(self.project, address, self.request(**how))

    def status(self, profile: str | None = None) -> Status:
        """How far every exhibit is, what runs now, and what failed."""
        from harness.study.status import status_of

        return status_of(self.project, profile)

    def report(
        self,
        profile: str | None = None,
        out: Path | None = None,
        tell: Callable[[str], object] = print,
        watched: int = 0,
    ) -> Report:
        """Write a static site with every exhibit, number, claim and finding. Runs nothing.

        Args:
            out: its folder; in the build folder by default.
            tell: is given a line on each exhibit for which it may take long.
            watched: how often it was written while somebody watches; its pages then load
                themselves again after each time.
        """
        from harness.study.report.build import write_report

        return write_report(self.project, profile, out, tell, watched)

    def challenge(self, profile: str | None = None, out: Path | None = None) -> Challenge:
        """Write the report for the ML Reproducibility Challenge as LaTeX and Markdown.

        Args:
            out: its folder; in the build folder by default.
        """
        from harness.study.challenge import write_challenge

        return write_challenge(self.project, profile, out)

    def document(self, profile: str | None = None, reported: bool = False) -> WrittenDocument:
        """Write the LaTeX document with every exhibit, claim and finding.

        Args:
            reported: whether to show the paper's own numbers only.
        """
        from harness.study.document import write_document

        return write_document(self.project, profile, reported)
