"""What a command was asked: the project it stands in, and how exhibits are wanted.

Imports what it needs when it is called, so that help is quick.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.cli.exhibits import Request
    from harness.cli.project import Project


def here() -> Project:
    """The project of the working directory, or the one that the environment names.

    Raises:
        UserError: there is none.
    """
    from harness.cli.project import find_project

    return find_project()


def request(
    project: Project, profile: str | None, seeds: int | None, vary: list[str] | None
) -> Request:
    """How exhibits are wanted, from the options of a command.

    Raises:
        UserError: a variation that the specs do not declare.
    """
    from harness.cli.exhibits import Request
    from harness.plan.settings import parse_variation

    return Request(profile, seeds, parse_variation(project.paper, vary or []))
