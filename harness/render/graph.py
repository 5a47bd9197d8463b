"""The model of a figure of points: pairs of axes with markers and lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness.judge.model import Picture


@dataclass(frozen=True, slots=True)
class Trace:
    """What one point gives to a plot: a marker, or a line."""

    point: str
    series: str
    """Empty where a plot has one series only."""
    group: str
    """What colour and marker tell apart, as the legend has it."""
    hollow: str
    """What was done to the images of another point to make its own; empty if nothing."""
    style: Literal["solid", "dashed", "markers"]
    x: tuple[float, ...]
    y: tuple[float, ...]
    spread: tuple[float, ...] = ()
    """Standard deviations of y over seeds; empty where there is one seed."""

    def __post_init__(self) -> None:
        if len(self.x) != len(self.y):
            raise ValueError(f"{self.point}: {len(self.x)} places for {len(self.y)} values")
        if len(self.spread) not in (0, len(self.y)):
            raise ValueError(f"{self.point}: {len(self.spread)} spreads for {len(self.y)} values")


@dataclass(frozen=True, slots=True)
class PlotAxis:
    label: str
    log: bool


@dataclass(frozen=True, slots=True)
class PlotAxes:
    """One pair of axes."""

    panel: str
    plot: str
    x: PlotAxis
    y: PlotAxis
    ordered: bool
    """Whether the groups are numbers, whose order colours show."""
    traces: tuple[Trace, ...]
    notes: tuple[str, ...]
    """Lines under the title: what the points were judged to say, and how many are missing."""
    stated: tuple[float, ...] = ()
    """Values of y that the paper states of these points."""

    @property
    def groups(self) -> tuple[str, ...]:
        """Each once, in order of appearance."""
        return tuple(dict.fromkeys(trace.group for trace in self.traces))


@dataclass(frozen=True, slots=True)
class Strip:
    """The pictures of one point."""

    label: str
    pictures: tuple[Picture, ...]
    note: str
    """Why there are none."""


@dataclass(frozen=True, slots=True)
class Wall:
    """The pictures of all points of a panel."""

    panel: str
    title: str
    strips: tuple[Strip, ...]


@dataclass(frozen=True, slots=True)
class Graph:
    """All plots of an exhibit, or all its pictures."""

    id: str
    """Also the name of the files."""
    title: str
    profile: str
    axes: tuple[PlotAxes, ...]
    walls: tuple[Wall, ...] = ()
