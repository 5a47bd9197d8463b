"""The model of a figure that shows a table: one series per row, one position per column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Source: TypeAlias = Literal["reported", "reproduced"]


@dataclass(frozen=True, slots=True)
class Tick:
    """A position on the horizontal axis; lines join only neighbours of one group."""

    label: str
    group: str | None = None


@dataclass(frozen=True, slots=True)
class Series:
    """The numbers of one row from one source, one per tick."""

    label: str
    source: Source
    values: tuple[float | None, ...]
    """In the units of the vertical axis; None where there is no number."""
    errors: tuple[float | None, ...]
    """Half lengths of the error bars, same units; None for no bar."""


@dataclass(frozen=True, slots=True)
class FigureData:
    """A figure: the reported and the reproduced numbers over the columns of a table."""

    id: str
    """Also the name of the files."""
    title: str
    x_label: str
    y_label: str
    """Quantity and unit, `Top-1 accuracy (%)`."""
    ticks: tuple[Tick, ...]
    series: tuple[Series, ...]
    """A row that has both sources has the same label in both."""
    profile: str
    comparable: bool
    """Whether the two sources measure the same thing; if not, each gets axes of its own."""

    def __post_init__(self) -> None:
        for series in self.series:
            if not len(series.values) == len(series.errors) == len(self.ticks):
                raise ValueError(
                    f"{self.id}: series '{series.label}' has {len(series.values)} values and"
                    f" {len(series.errors)} errors for {len(self.ticks)} ticks"
                )

    @property
    def labels(self) -> tuple[str, ...]:
        """The rows, each once, in order of appearance."""
        return tuple(dict.fromkeys(series.label for series in self.series))
