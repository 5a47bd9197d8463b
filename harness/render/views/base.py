"""The base of all views. The view of a kind overrides the parts that its exhibits have."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from harness.judge.exhibit import Judgement
from harness.judge.results import ItemResult
from harness.plan.identity import digest, source_digest
from harness.render.figures.model import FigureData, ImageGrid
from harness.render.layout import View
from harness.render.table import TableData
from harness.spec.exhibit import Address, Exhibit
from harness.spec.kinds import Parameter
from harness.spec.paper import Paper
from harness.spec.printed import Printed
from harness.spec.runs import Panel

if TYPE_CHECKING:
    from rich.console import Console

_RENDER = Path(__file__).parents[1]


@contextmanager
def written_if_changed(files: Sequence[Path], *models: Any) -> Iterator[bool]:
    """Yield whether files have to be written, and make their folder if so.

    A digest of the models that they show, of the code that renders, and of the files is kept in a
    file beside them, to compare with the next time.
    """
    stamp = files[0].with_suffix(".digest")
    shown = [source_digest(_RENDER), *(_plain(asdict(model)) for model in models if model)]

    def now() -> str:
        held = (path.read_bytes() if path.is_file() else b"" for path in files)
        return digest("render", [shown, *(hashlib.sha256(text).hexdigest() for text in held)])

    before = stamp.read_text(encoding="utf-8") if stamp.is_file() else None
    changed = before != now()
    if changed:
        stamp.parent.mkdir(parents=True, exist_ok=True)
    yield changed
    if changed:
        stamp.write_text(now(), encoding="utf-8")


def _plain(value: Any) -> Any:
    """The same with tuples as lists and bytes by their digest, as a digest wants it."""
    if isinstance(value, bytes):
        return hashlib.sha256(value).hexdigest()
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


ExhibitT = TypeVar("ExhibitT", bound=Exhibit)


@dataclass(frozen=True, slots=True)
class NumberText:
    """The parts of an item's page in the report that differ from kind to kind."""

    reproduced: str | None
    """Our number; None where nothing came back."""
    why: str
    """The reason of its verdict, or why there is no number."""
    facts: Mapping[str, str]
    """Further numbers: name -> value."""
    runs: tuple[tuple[str, str], ...]
    """Name and identity of each run that it is read from."""


class ExhibitView(Generic[ExhibitT]):
    """An exhibit as JSON, on a terminal, in files, in the document and in the report.

    The base class shows what every exhibit has: its caption, and numbers that the paper states.
    A judgement is None where nothing is run for the exhibit, or where only the paper's numbers are
    wanted.
    """

    formats: Sequence[str] = ("svg", "pdf", "png", "csv")
    """The files that show it with its results."""

    def __init__(self, paper: Paper, exhibit: ExhibitT) -> None:
        self.paper = paper
        self.exhibit = exhibit

    def fields(self, judgement: Judgement | None) -> dict[str, Any]:
        """The fields of `repro show --json` and `repro diff --json`, without its id."""
        stated = [
            {"id": key, **item.model_dump(exclude={"ours"}), "reproduced": None}
            for key, item in self.exhibit.stated.items()
        ]
        return {"points": [], "stated": stated}

    def show(self, judgement: Judgement | None, console: Console) -> None:
        """Print it."""
        from harness.render.terminal import show_grid

        exhibit = self.exhibit
        console.print(f"{exhibit.label}: {exhibit.title}\n{exhibit.caption}")
        rows = [(key, str(item.text), item.where) for key, item in exhibit.stated.items()]
        if rows:
            show_grid(("Stated", "Number", "Where"), rows, console)

    def show_diff(self, judgement: Judgement, console: Console) -> None:
        """Print the reproduced numbers beside the reported ones."""
        self.show(judgement, console)

    def table(self, judgement: Judgement | None) -> TableData | None:
        """The table that it is, if it is one: with ours and the verdicts, or as printed."""
        return None

    def figure(self, judgement: Judgement) -> FigureData:
        """Its plots and images, as far as there are any."""
        title = f"{self.exhibit.label}: {self.exhibit.title}"
        return FigureData(self.exhibit.id, title, judgement.plan.name)

    def grids(self, judgement: Judgement) -> Sequence[ImageGrid]:
        """Its images, made or not."""
        return ()

    def write(self, judgement: Judgement, folder: Path) -> list[Path]:
        """Write the files that show its results; nothing where there are none to draw.

        Files are written anew only if the models that they show have changed.
        """
        table, figure = self.table(judgement), self.figure(judgement)
        if figure.is_empty:
            return []
        files = {name: folder / f"{self.exhibit.id}.{name}" for name in self.formats}
        with written_if_changed(list(files.values()), table, figure) as changed:
            if changed:
                from harness.render.figures import draw

                if table is not None:
                    _write_table(table, files, judged=True)
                draw.save(figure, folder, [name for name in files if name in draw.FORMATS])
        return list(files.values())

    def write_reported(self, folder: Path) -> list[Path]:
        """Write the table as the paper prints it; nothing for an exhibit that is no table."""
        table = self.table(None)
        if table is None:
            return []
        folder.mkdir(parents=True, exist_ok=True)
        files = {name: folder / f"{self.exhibit.id}.{name}" for name in ("tex", "md")}
        _write_table(table, files, judged=False)
        return list(files.values())

    def latex(self, judgement: Judgement | None) -> str:
        """Its source in the LaTeX document."""
        from harness.render import latex

        table = self.table(judgement)
        return "" if table is None else latex.render(table, "both" if judgement else "reported")

    def plot_caption(self, judgement: Judgement) -> str:
        """The caption of its plots in the LaTeX document."""
        return f"**{self.exhibit.label}, plotted.** Ours, under profile {judgement.plan.name}."

    def cells(self) -> Iterator[tuple[Address, Printed | None]]:
        """Every cell that running text may cite, with its printed number."""
        yield from ()

    def number(self, result: ItemResult, judgement: Judgement) -> NumberText:
        """The text for the page of one of its items."""
        verdict = judgement.verdict(result)
        runs = tuple(
            (f"{name}, seed {seed}", identity)
            for name, seeds in result.item.sources.items()
            for seed, members in zip(result.item.seeds, seeds, strict=True)
            for identity in members
        )
        facts = {name: amount.text for name, amount in result.amounts.items()}
        why = verdict.why if verdict else result.item.reason
        return NumberText(joined(facts), why, facts, runs)

    @property
    def premises(self) -> Mapping[str, str]:
        """Name -> what it assumes and states, in a text with formulas."""
        return {}

    @property
    def formulas(self) -> Mapping[str, str]:
        """Name -> LaTeX of the equations that it consists of."""
        return {}

    @property
    def parameters(self) -> Mapping[str, Parameter]:
        """Symbol -> what the paper says of the parameters of its equations."""
        return {}

    @property
    def panels(self) -> Sequence[Panel]:
        """Its panels, as the paper describes them."""
        return ()


def joined(facts: Mapping[str, str]) -> str | None:
    """All facts in one line; None where there are none."""
    return "; ".join(f"{name} {fact}" for name, fact in facts.items()) or None


def has_results(judgement: Judgement | None) -> bool:
    """Whether any number, line or image of an exhibit was reproduced."""
    results = judgement.results if judgement else ()
    return any(result.amounts or result.lines or result.pictures for result in results)


def _write_table(table: TableData, files: Mapping[str, Path], judged: bool) -> None:
    from harness.render import latex, markdown

    shown: View = "both" if judged else "reported"
    files["tex"].write_text(latex.render(table, shown), encoding="utf-8")
    files["md"].write_text(markdown.render(table, shown), encoding="utf-8")
