"""The commands that write all of it: paper, a LaTeX document, and report, a static site."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from harness.cli.options import AsJson, ProfileName, Source, in_study
from harness.cli.output import console, print_json
from harness.cli.watching import Watch, rounds
from harness.errors import UserError
from harness.media import say
from harness.study.study import Study
from harness.words import counted

app = typer.Typer()


@app.command(epilog="Such as: repro paper --source reported")
@in_study
def paper(
    study: Study,
    profile: ProfileName = None,
    source: Annotated[
        Source, typer.Option(help="`reported` shows the paper's numbers only.")
    ] = "reproduced",
    as_json: AsJson = False,
) -> None:
    """Write the LaTeX document with every exhibit, claim and finding, and build its PDF."""
    written = study.document(profile, source == "reported")
    _complain(written.problems)
    if not as_json:
        files = counted(len(written.files), "file")
        console().print(f"wrote {files} to {written.folder}", soft_wrap=True)
    pdf = written.typeset()
    misfits = written.misfits()
    _complain(misfits)
    if as_json:
        paths = [str(path) for path in written.files]
        about = {"profile": written.profile, "source": written.source}
        print_json({**about, "files": paths, "pdf": str(pdf), "misfits": misfits})
        return
    console().print(f"wrote {pdf}", soft_wrap=True)


@app.command(epilog="Such as: repro report --profile paper --out site")
@in_study
def report(
    study: Study,
    profile: ProfileName = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where to; in the build folder by default.")
    ] = None,
    tmlr: Annotated[
        bool,
        typer.Option(
            "--tmlr", help="Instead, the ML Reproducibility Challenge's report: LaTeX and Markdown."
        ),
    ] = False,
    watch: Watch = False,
    as_json: AsJson = False,
) -> None:
    """Write a static site with every exhibit, number, claim and finding. Runs nothing."""
    if tmlr and watch:
        raise UserError("--watch is of the site; leave out --tmlr, or --watch")
    if tmlr:
        _challenge(study, profile, out, as_json)
        return
    for number, now in enumerate(rounds(study, watch), 1):
        written = now.report(
            profile, out, tell=_ignore if as_json else say, watched=number if watch else 0
        )
        _complain(written.problems)
        if as_json:
            counts = {"pages": written.pages, "changed": written.changed}
            print_json({"profile": written.profile, "index": str(written.index), **counts})
        else:
            wrote = f"{counted(written.changed, 'file')} changed" if written.changed else ""
            pages = f"the report has {counted(written.pages, 'page')}"
            told = f"{wrote or 'nothing changed'}; {pages}; open {written.index}"
            console().print(told, soft_wrap=True)


def _challenge(study: Study, profile: str | None, out: Path | None, as_json: bool) -> None:
    """Write the challenge's report and its PDF."""
    written = study.challenge(profile, out)
    _complain(written.problems)
    files = {"latex": str(written.latex), "markdown": str(written.markdown)}
    for path in files.values() if not as_json else ():
        console().print(f"wrote {path}", soft_wrap=True)
    pdf = str(written.typeset())
    if as_json:
        print_json({"profile": written.profile, **files, "pdf": pdf})
        return
    console().print(f"wrote {pdf}; what a person has to say is marked To do", soft_wrap=True)


def _complain(problems: Iterable[str]) -> None:
    for problem in problems:
        say(problem)


def _ignore(line: str) -> None:
    """Say nothing of progress beside JSON."""
