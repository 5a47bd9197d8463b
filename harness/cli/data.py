"""The commands of `repro data`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from harness.cli.options import AsJson, DatasetName, in_study
from harness.cli.output import console, print_grid, print_json
from harness.study.study import Study

app = typer.Typer()
data_app = typer.Typer(help="Look after the data sets.", no_args_is_help=True)
app.add_typer(data_app, name="data")


@data_app.command("list", epilog="Such as: repro data list")
@in_study
def list_datasets(study: Study, as_json: AsJson = False) -> None:
    """Say of every data set whether it is here, and what is missing where."""
    from harness.study.data import list_datasets

    found = list_datasets(study.project)
    if as_json:
        print_json({"datasets": [asdict(item) for item in found]})
        return
    for item in found:
        console().print(f"{item.name}: {item.state} – {item.detail}", soft_wrap=True)


@data_app.command("check", epilog="Such as: repro data check NAME")
@in_study
def check_data(
    study: Study,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="All that are here by default.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compare data sets with their specs. Exits with 1 where one is damaged or another."""
    from harness.study.data import check

    problems = check(study.project, names or [])
    if as_json:
        print_json({"datasets": [{"name": n, "problems": found} for n, found in problems.items()]})
    else:
        rows = [(name, "; ".join(found) or "as its spec says") for name, found in problems.items()]
        print_grid(("Data set", "Check"), rows)
    if any(problems.values()):
        raise typer.Exit(1)


@data_app.command("fetch", epilog="Such as: repro data fetch NAME")
@in_study
def fetch_data(study: Study, name: DatasetName) -> None:
    """Download a data set's files from its publisher, where that is allowed."""
    from harness.study.data import fetch

    console().print(f"fetched into {fetch(study.project, name)}", soft_wrap=True)


@data_app.command("prepare", epilog="Such as: repro data prepare NAME")
@in_study
def prepare_data(
    study: Study,
    name: DatasetName,
    skip_damaged: Annotated[
        bool, typer.Option("--skip-damaged", help="Leave out files that cannot be decoded.")
    ] = False,
) -> None:
    """Turn the publisher's files into the arrays that the harness trains from.

    A run that was stopped is gone on with where files are decoded one by one.
    """
    from harness.study.data import prepare

    with _counting() as report:
        folder = prepare(study.project, name, skip_damaged, report)
    console().print(f"prepared in {folder}", soft_wrap=True)


@data_app.command("import", epilog="Such as: repro data import NAME distilled.pt --as sets")
@in_study
def import_released(
    study: Study,
    name: DatasetName,
    place: Annotated[Path, typer.Argument(metavar="PATH", help="The set's file or folder.")],
    layout: Annotated[
        str, typer.Option("--as", help="How it is laid out: sets, pair, folders or list.")
    ],
    space: Annotated[
        str | None, typer.Option(help="How its values are scaled, where that can differ.")
    ] = None,
    number: Annotated[
        int | None, typer.Option("--set", min=1, help="Of several in one file; the last if none.")
    ] = None,
    soft_labels: Annotated[
        str | None,
        typer.Option(
            "--soft-labels",
            help="What its soft labels are: logits, or probabilities, whose logarithms are kept.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Read and check a set of images that others released, and print its fingerprint."""
    from harness.study.data import import_set

    found = import_set(study.project, name, place, layout, space, number, soft_labels)
    if as_json:
        print_json(dict(found))
        return
    told = (
        f"{found['images']} images, {found['per_class']} of each class, in {found['folder']}",
        *found["notes"],
        f'fingerprint = "{found["fingerprint"]}"',
    )
    for line in told:
        console().print(line, soft_wrap=True)


@data_app.command("path", epilog="Such as: repro data path NAME")
@in_study
def path_of_data(study: Study, name: DatasetName) -> None:
    """Print where a data set's prepared form is or belongs."""
    from harness.study.data import path

    print(path(study.project, name))


@contextmanager
def _counting() -> Iterator[Callable[[int, int], None]]:
    """A bar on the terminal that shows how many files of how many are done, once it is told."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("files", total=None, visible=False)
        yield lambda done, total: bar.update(task, completed=done, total=total, visible=True)
