"""The common parts of commands: the project they stand in, and options that several share."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from functools import wraps
from inspect import Parameter
from typing import Annotated, Any, Literal

import typer

from harness.cli import completing
from harness.errors import UserError
from harness.media import say
from harness.study.study import Study
from harness.study.trust import trusted

Source = Literal["reported", "reproduced"]
"""Which numbers to render."""
Device = Literal["auto", "cpu", "cuda"]
"""Where steps are run."""
ExhibitName = Annotated[
    str,
    typer.Argument(metavar="EXHIBIT", help="Such as table7.", autocompletion=completing.exhibits),
]
_PART = "Such as table7; or a part, 'table7:ROW', 'table7::COLUMN' or 'table7:ROW:COLUMN'"
PartName = Annotated[
    str, typer.Argument(metavar="EXHIBIT", help=f"{_PART}.", autocompletion=completing.parts)
]
PartNames = Annotated[
    list[str],
    typer.Argument(
        metavar="EXHIBIT...", help=f"{_PART}; or: all.", autocompletion=completing.parts
    ),
]
ProfileName = Annotated[
    str | None,
    typer.Option(
        "--profile",
        "-p",
        help="How to run: the paper's own, or smaller. By default that of paper.toml; show, diff, "
        "verify, assumptions, paper and report take another where the default has no results, and "
        "verify, paper and report one that has numbers to set beside the paper's or its claims.",
        autocompletion=completing.profiles,
    ),
]
Seeds = Annotated[
    int | None,
    typer.Option(
        "--seeds",
        min=1,
        max=10_000,
        help="How many student seeds; the profile's by default. Of a list in the specs, the first.",
    ),
]
Vary = Annotated[
    list[str] | None,
    typer.Option(
        "--vary",
        help="Use an alternative: owner.setting=value. May be repeated.",
        autocompletion=completing.variations,
    ),
]
OnlyKind = Annotated[
    str | None,
    typer.Option(
        "--only",
        metavar="NAME=VALUE",
        help="Count runs of one kind: device=cpu, torch=2.4.1, python=3.11.7, code=DIGITS.",
    ),
]
DatasetName = Annotated[
    str,
    typer.Argument(
        metavar="NAME", help="A data set of the specs.", autocompletion=completing.datasets
    ),
]
UntilDecided = Annotated[
    bool,
    typer.Option(
        "--until-decided",
        help="Run each cell until it is decided, the next runs where they decide most an hour.",
    ),
]
MOST = 12
"""Runs of a cell with `--until-decided`."""
Most = Annotated[
    int | None,
    typer.Option(
        "--most", min=2, max=1000, help=f"With --until-decided: runs of a cell; {MOST} by default."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
NoCode = Annotated[
    bool,
    typer.Option("--no-code", help="Execute nothing of the paper's own; read specs and results."),
]
_HOW = {"profile": ProfileName, "seeds": Seeds, "vary": Vary}
"""The options that a parameter `how` of a command stands for."""


def duration(option: str, text: str) -> float:
    """Seconds in a text such as 8h, 30min or 45s."""
    units = {"h": 3600.0, "min": 60.0, "s": 1.0}
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?(h|min|s)", text.strip())
    if found is None:
        raise UserError(f"{option} {text}: expected a duration such as 8h, 30min or 45s")
    return float(found[1]) * units[found[2]]


def _of_trust(study: Study, before: bool) -> list[str]:
    """What is to be said of whose code was executed: one line, or none where all is as usual.

    Args:
        before: whether the folder was trusted before the command.
    """
    if trusted(study.project.home) != before:
        return [f"{study.project.home} is trusted from now on: its code may be executed"]
    if "paper" not in vars(study.project) or study.project.executes:
        return []
    why = "--no-code" if study.project.no_code else "this folder is not trusted"
    return [f"{why}: specs and published results were read; no code of the paper was executed"]


def in_study(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command its `study` and `--no-code`, and for a parameter `how`, the options of `How`.

    The command line then has the command's other parameters, with `--profile`, `--seeds` and
    `--vary` in the place of `how`.
    """
    declared = inspect.signature(command, eval_str=True).parameters
    shown: list[Parameter] = []
    for name, parameter in declared.items():
        options = _HOW if name == "how" else {name: parameter.annotation}
        default = None if name == "how" else parameter.default
        shown += [
            Parameter(option, Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
            for option, annotation in options.items()
            if option != "study"
        ]
    shown.append(Parameter("no_code", Parameter.KEYWORD_ONLY, default=False, annotation=NoCode))

    @wraps(command)
    def called(no_code: bool = False, **given: Any) -> None:
        if "how" in declared:
            given["how"] = {option: given.pop(option) for option in _HOW}
        study = Study.open(no_code=no_code)
        before = trusted(study.project.home)
        try:
            command(study=study, **given)
        finally:
            for line in (*study.project.notices, *_of_trust(study, before)):
                say(line)

    called.__signature__ = inspect.Signature(shown)  # type: ignore[attr-defined]
    called.__annotations__ = {parameter.name: parameter.annotation for parameter in shown}
    return called
