"""The common parts of commands: the project they stand in, and options that several share."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable
from functools import wraps
from inspect import Parameter
from typing import Annotated, Any, Literal

import typer

from harness.cli import completing
from harness.errors import UserError
from harness.study.study import Study

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
        help="How to run: the paper's own, or smaller.",
        autocompletion=completing.profiles,
    ),
]
Seeds = Annotated[
    int | None,
    typer.Option("--seeds", min=1, max=10_000, help="Student seeds; the profile's by default."),
]
Vary = Annotated[
    list[str] | None,
    typer.Option(
        "--vary",
        help="Use an alternative: owner.setting=value. May be repeated.",
        autocompletion=completing.variations,
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
_HOW = {"profile": ProfileName, "seeds": Seeds, "vary": Vary}
"""The options that a parameter `how` of a command stands for."""


def duration(option: str, text: str) -> float:
    """Seconds in a text such as 8h, 30min or 45s."""
    units = {"h": 3600.0, "min": 60.0, "s": 1.0}
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?(h|min|s)", text.strip())
    if found is None:
        raise UserError(f"{option} {text}: expected a duration such as 8h, 30min or 45s")
    return float(found[1]) * units[found[2]]


def in_study(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command its `study`, and for a parameter `how`, the options of `How`.

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

    @wraps(command)
    def called(**given: Any) -> None:
        if "how" in declared:
            given["how"] = {option: given.pop(option) for option in _HOW}
        study = Study.open()
        try:
            command(study=study, **given)
        finally:
            for line in study.project.notices:
                print(f"repro: {line}", file=sys.stderr)

    called.__signature__ = inspect.Signature(shown)  # type: ignore[attr-defined]
    called.__annotations__ = {parameter.name: parameter.annotation for parameter in shown}
    return called
