"""The model of a figure: axes with lines and markers, or grids of images."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from harness.judge.model import Picture, Source

Style: TypeAlias = Literal["solid", "dashed", "markers"]
MOST_NAMED = 4
"""Lines in one pair of axes that each can bear its name."""
SOURCES: tuple[Source, Source] = ("reported", "reproduced")


@dataclass(frozen=True, slots=True)
class Tick:
    """A category on the horizontal axis; lines join only neighbours of one group."""

    label: str
    group: str = ""


@dataclass(frozen=True, slots=True)
class AxisData:
    """One axis, named by quantity and unit: `Top-1 accuracy (%)`."""

    label: str
    log: bool = False
    ticks: tuple[Tick, ...] = ()
    """The categories at 0, 1, ...; empty on a numeric axis."""


@dataclass(frozen=True, slots=True)
class LineData:
    """Markers or a line, with error bars or a band."""

    label: str
    """The entry of the legend that its colour and its marker stand for."""
    x: tuple[float, ...]
    y: tuple[float | None, ...]
    """None where a number is missing."""
    errors: tuple[float | None, ...] = ()
    """Standard deviations of y, in its unit; None for no bar, empty where there are none at all."""
    source: Source = "reproduced"
    style: Style = "solid"
    series: str = ""
    """Its name in the legend where every label has several lines; empty where it has one."""
    point: str = ""
    """The point of the exhibit that it belongs to."""
    notes: tuple[str, ...] = ()
    """What is to be known of each y; empty where there is nothing."""
    printed: tuple[str, ...] = ()
    """The text that the paper prints for each y; empty where it prints none."""
    changed: str = ""
    """How its images differ from those of another point that it is compared with."""

    def __post_init__(self) -> None:
        counts = len(self.x), len(self.y)
        if counts[0] != counts[1] or len(self.errors) not in (0, len(self.y)):
            raise ValueError(
                f"line '{self.label}': {len(self.x)} x for {len(self.y)} y"
                f" and {len(self.errors)} errors"
            )

    @property
    def is_solid(self) -> bool:
        return self.style == "solid" and len(self.x) > 1

    @property
    def is_empty(self) -> bool:
        """Whether all of its numbers are missing."""
        return all(value is None for value in self.y)


@dataclass(frozen=True, slots=True)
class AxesData:
    """One pair of axes."""

    x: AxisData
    y: AxisData
    lines: tuple[LineData, ...]
    panel: str = ""
    plot: str = ""
    title: str = ""
    """Its panel and what it shows, in words; empty where it is one of several of the same."""
    ordered: bool = False
    """Whether the labels are numbers, whose order the colours show."""
    notes: tuple[str, ...] = ()
    """Lines under the axes: correlations, and how many points are missing."""
    stated: tuple[float, ...] = ()
    """Values of y that the paper states, drawn as reference lines."""
    comparable: bool = True
    """Whether reported and reproduced numbers measure the same thing and may share axes."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of the lines, each once, in order of appearance."""
        return tuple(dict.fromkeys(line.label for line in self.lines))

    @property
    def is_direct(self) -> bool:
        """Whether its lines are so few that each bears its name, and needs no legend."""
        lines = self.lines
        few = not self.x.ticks and 1 < len(lines) == len(self.labels) <= MOST_NAMED
        return few and all(len(line.x) > 1 for line in lines)

    @property
    def sources(self) -> tuple[Source, ...]:
        """The sources that have any number."""
        present = {line.source for line in self.lines if not line.is_empty}
        return tuple(source for source in SOURCES if source in present)

    def parts(self) -> tuple[AxesData, ...]:
        """Itself, or one part for each source where the two are not comparable."""
        if self.comparable or len(self.sources) < 2:
            return (self,)
        return tuple(
            replace(self, lines=tuple(line for line in self.lines if line.source == source))
            for source in self.sources
        )


@dataclass(frozen=True, slots=True)
class ImageRow:
    """The images of one point."""

    label: str
    images: tuple[Picture, ...]
    note: str
    """The reason why there are none; empty where there are some."""
    point: str = ""
    """The point of the exhibit that they are of."""


@dataclass(frozen=True, slots=True)
class ImageGrid:
    """The images of all points of a panel, a row for each."""

    panel: str
    title: str
    rows: tuple[ImageRow, ...]
    made_of: str = ""
    """The data and networks that they were made with, and which of the paper's these stand for."""


@dataclass(frozen=True, slots=True)
class FigureData:
    """All axes of an exhibit, or all its images."""

    id: str
    """Also the name of the files."""
    title: str
    profile: str
    axes: tuple[AxesData, ...] = ()
    grids: tuple[ImageGrid, ...] = ()
    notes: tuple[str, ...] = ()
    """What holds for all of it: what it was made with, and which panels are not drawn."""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not self.axes and not self.grids
