"""The built-in step that runs a program of others, as it is declared in specs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, PositiveFloat, model_validator

from harness.plan.inputs import InputFiles
from harness.plan.step import Facts, StepParams, StepType, Uncounted, Work

RUN_TIME = ("seed", "out", "device")
"""What stands in braces in a command is filled in when the plan is made, but for these."""


class Output(StepParams):
    """Where a value is read when the program has ended well."""

    file: str = ""
    """Relative to the working folder, or `{out}/...`; left out, it is what the program prints."""
    json_path: Annotated[str, Field(alias="json")] = ""
    """Dotted path in a JSON file, or in the last line that is an object."""
    pattern: str = ""
    """Regular expression whose first group is the number; the last match counts."""
    column: str = ""
    """Column of a CSV file with a heading; the last line counts."""

    @model_validator(mode="after")
    def _one(self) -> Output:
        if sum(map(bool, (self.json_path, self.pattern, self.column))) != 1:
            raise ValueError("expected one of 'json', 'pattern' and 'column'")
        return self


class ProgramParams(StepParams):
    """A command, what it reads, and the values that it leaves. All of it is in the identity."""

    command: Annotated[tuple[str, ...], Field(min_length=1)]
    """The program and its arguments, without a shell. `{seed}`, `{device}` and `{out}`, an empty
    folder of the run, are filled in when it runs."""
    inputs: InputFiles
    """Scripts, data, and the lock file of its environment: files, and folders as git sees them."""
    outputs: Annotated[Mapping[str, Output], Field(min_length=1)]
    """Name of a value -> where it is read."""
    folder: str = "."
    """Where it is run, relative to the project."""
    environment: Mapping[str, str] = {}
    """Variables that it is given beside those that are set."""
    minutes: Annotated[PositiveFloat | None, Uncounted()] = None
    """It is ended after so long, and has failed."""


def _unknown(params: StepParams, facts: Facts) -> Work:
    """Only past runs tell how long it takes."""
    return Work(samples=0, flops=0)


PROGRAM = StepType(
    name="program",
    params=ProgramParams,
    function="harness.evidence.program:program",
    inputs=(),
    revision=1,
    cost=_unknown,
    probe="",
)
