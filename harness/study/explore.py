"""Exploring: a design over the alternatives of an exhibit, written down before it runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from harness.errors import UserError, nearest, one_line
from harness.plan.design import (
    Design,
    alternatives,
    arranged,
    design_file,
    read_design,
    too_many,
)
from harness.plan.identity import digest
from harness.plan.parts import exhibit_of
from harness.plan.settings import parse_variation, written
from harness.spec.base import count_seeds
from harness.spec.paper import Paper
from harness.study.exhibits import Request
from harness.study.make import Made, make
from harness.study.project import Project


@dataclass(frozen=True)
class WrittenDesign:
    """A design and the file that keeps it, to be committed before it runs."""

    design: Design
    path: Path
    found: bool
    """Whether it was there already."""
    missing: tuple[str, ...] = ()
    """Alternatives of now that one that was found neither takes nor leaves out: it was written with
    `--vary`, under other specs, or by a version that could lose some."""


def write_design(
    project: Project, parts: Sequence[str], request: Request, runs: int, only: Sequence[str] = ()
) -> WrittenDesign:
    """The design of so many runs: as it was written down, or made and written down now.

    Args:
        parts: an exhibit, or parts of one.
        runs: at most; the file is named by how many there are.
        only: the alternatives to be explored, as `owner.setting=value`; all if none.

    Raises:
        UserError: the parts are of several exhibits, there is nothing to explore, or a design that
            is written down is wrong.
    """
    parts = tuple(dict.fromkeys(parts))
    names = sorted({exhibit_of(part) for part in parts})
    if len(names) > 1 or names == ["all"]:
        raise UserError("a design is of one exhibit or of parts of it; name one, such as table7")
    profile = project.paper.profile(request.profile)
    designs_of(project, names[0], profile.id)  # a broken one is told of before anything runs
    seeds = request.seeds or count_seeds(profile.seeds)
    path = design_file(project.designs, parts, profile.id, runs, seeds)
    known, left_out = alternatives(project.paper, parts, profile.id)
    texts = [each.text for each in known]
    if path.is_file() and not only:
        return _found(project.paper, path, texts)
    only = [written(parse_variation(project.paper, [text])) for text in only]
    for text in (wrong for wrong in only if wrong not in texts):
        why = left_out.get(text) or nearest(text, texts)
        raise UserError(f"'{text}' cannot be explored in {', '.join(parts)}: {why}")
    known = [each for each in known if not only or each.text in only]
    if not known:
        raise UserError(f"{', '.join(parts)}: no alternative can be run under {profile.id}")
    arrangement = arranged(known, runs)
    design = Design(
        exhibit=names[0],
        parts=parts,
        profile=profile.id,
        seeds=seeds,
        runs=arrangement,
        left_out={**({} if only else left_out), **too_many(known, arrangement)},
    )
    for path, held in _held(project):
        if held == design:
            return WrittenDesign(design, path, found=True)
    path = design_file(project.designs, parts, profile.id, len(design.runs), seeds)
    if path.is_file():  # of other alternatives
        path = path.with_stem(f"{path.stem}-{digest('design', design.model_dump(mode='json'))[:6]}")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(design.model_dump_json(indent=1) + "\n", encoding="utf-8")
    return WrittenDesign(design, path, found=False)


def _found(paper: Paper, path: Path, texts: Sequence[str]) -> WrittenDesign:
    """A design as it was written down, maybe of other alternatives than there are now."""
    design = _checked(paper, path, read_design(path))
    told = {*chain.from_iterable(design.runs), *design.left_out}
    missing = tuple(text for text in texts if text not in told)
    return WrittenDesign(design, path, found=True, missing=missing)


def run_design(
    project: Project,
    design: Design,
    executor: str = "local",
    device: str = "auto",
    cluster: Path | None = None,
) -> Made:
    """Run the default and every run of a design as one graph; judge and render the default."""
    also = [parse_variation(project.paper, list(run)) for run in design.runs]
    asked = Request(design.profile, design.seeds)
    return make(project, design.parts, asked, executor, device, cluster, also)


def designs_of(project: Project, exhibit: str, profile: str) -> list[Design]:
    """The designs of an exhibit that are written down for a profile, by name of the file.

    Raises:
        UserError: one of them cannot be read, or has a run that the specs do not describe.
    """
    return [
        _checked(project.paper, path, held)
        for path, held in _held(project)
        if (held.exhibit, held.profile) == (exhibit, profile)
    ]


def _checked(paper: Paper, path: Path, design: Design) -> Design:
    """The design, of which every run can be taken.

    One that the specs no longer describe is an error, too: to leave it out would say less of what
    was tried than the file promises, and whoever takes it out of the file loses no record.
    """
    for index, run in enumerate(design.runs):
        try:
            parse_variation(paper, list(run))
        except UserError as error:
            told = str(error).removeprefix("--vary ")
            mend = "mend the run, or take it out of the file if the specs no longer describe it"
            raise UserError(f"{path}: runs.{index}: {one_line(told)}; {mend}") from None
    return design


def _held(project: Project) -> Iterator[tuple[Path, Design]]:
    """All designs that are written down, by name of the file."""
    return ((path, read_design(path)) for path in sorted(project.designs.glob("*.json")))
