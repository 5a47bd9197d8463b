"""Options and arguments that several commands share."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from harness.cli import completing


class Source(StrEnum):
    """Which numbers to render."""

    reported = "reported"
    reproduced = "reproduced"


class Executor(StrEnum):
    """How steps are run."""

    inline = "inline"
    local = "local"
    slurm = "slurm"


class Device(StrEnum):
    """Where steps are run."""

    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"


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
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
