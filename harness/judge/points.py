"""What came back for the points of an exhibit that is no table, read from the store."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from harness.errors import UserError, nearest
from harness.plan.points import Point, PointsPlan
from harness.plan.step import Json
from harness.spec.runs import Panel, Quantity, Reading
from harness.store.record import Record
from harness.store.store import Store

if TYPE_CHECKING:
    import numpy as np

Read = Callable[[str], Record | None]
Drawn: TypeAlias = "float | tuple[float, ...]"
"""A number, of a marker, or many, of a line."""


@dataclass(frozen=True)
class Amount:
    """A quantity of a point: one value for each seed."""

    values: tuple[float, ...]
    low: float | None = None
    high: float | None = None
    """Ends that hold the 95 % intervals which the step gives for every seed."""

    @property
    def mean(self) -> float:
        return statistics.fmean(self.values)

    @property
    def std(self) -> float | None:
        """Sample standard deviation over seeds; None of a single one."""
        return statistics.stdev(self.values) if len(self.values) > 1 else None


@dataclass(frozen=True)
class Picture:
    height: int
    width: int
    channels: int
    pixels: bytes
    """uint8, row by row."""

    @property
    def array(self) -> np.ndarray:
        """uint8 (height, width) where there is one channel, else (height, width, channels)."""
        import numpy as np

        made = np.frombuffer(self.pixels, np.uint8)
        shape = (self.height, self.width, self.channels)
        return made.reshape(shape[:2] if self.channels == 1 else shape)


@dataclass(frozen=True)
class PointResult:
    """A point with what its steps left; nothing where one of them has no record."""

    point: Point
    missing: tuple[str, ...]
    """Identities of the steps without a record."""
    amounts: Mapping[str, Amount]
    """Name of the quantity -> what it came to."""
    drawn: Mapping[tuple[str, int], tuple[Drawn, Drawn]]
    """Plot and number of the series -> x and y, means over seeds."""
    spread: Mapping[tuple[str, int], Drawn]
    """The same of y: its sample standard deviation over seeds. Nothing where there is one seed."""
    pictures: tuple[Picture, ...] = ()
    same_as: str = ""
    """The earlier point of the panel that is the same work under this profile."""

    @property
    def complete(self) -> bool:
        return bool(self.point.measured) and not self.missing


def collect_points(plan: PointsPlan, store: Store) -> tuple[PointResult, ...]:
    """The results of every point, in the order of the plan.

    Raises:
        UserError: a reading is of a value that its step does not leave.
    """
    known: dict[str, Record | None] = {}
    first: dict[tuple[str, tuple[str, ...]], str] = {}

    def read(identity: str) -> Record | None:
        if identity not in known:
            known[identity] = store.get(identity)
        return known[identity]

    results = []
    panels = {panel.name: panel for panel in plan.exhibit.panels}
    for point in plan.points:
        panel = panels[point.address.row]
        key = (panel.name, point.identities)
        earlier = first.setdefault(key, point.address.column) if point.measured else ""
        same_as = "" if earlier == point.address.column else earlier
        results.append(_collect(panel, point, read, same_as))
    return tuple(results)


def _collect(panel: Panel, point: Point, read: Read, same_as: str) -> PointResult:
    missing = tuple(identity for identity in point.identities if read(identity) is None)
    if missing or not point.measured:
        return PointResult(point, missing, {}, {}, {}, same_as=same_as)

    def all_seeds(reading: Reading) -> list[Drawn]:
        records = [read(identity) for identity in point.measured[reading.of]]
        return [
            _read(f"{point.address.exhibit}, panel '{panel.name}'", reading, record)
            for record in records
            if record is not None
        ]

    return PointResult(
        point=point,
        missing=(),
        amounts={value.name: _amount(value, all_seeds) for value in panel.values},
        drawn={
            (plot.name, index): (
                _over_seeds(statistics.fmean, all_seeds(series.x)),
                _over_seeds(statistics.fmean, all_seeds(series.y)),
            )
            for plot in panel.plots
            for index, series in enumerate(plot.series)
        },
        spread={
            (plot.name, index): _over_seeds(statistics.stdev, all_seeds(series.y))
            for plot in panel.plots
            for index, series in enumerate(plot.series)
            if len(set(point.measured[series.y.of])) > 1
        },
        pictures=_pictures(panel, point, read),
        same_as=same_as,
    )


def _pictures(panel: Panel, point: Point, read: Read) -> tuple[Picture, ...]:
    """Those of the first seed, if the panel shows any."""
    if panel.gallery is None:
        return ()
    reading = panel.gallery.pictures
    record = read(point.measured[reading.of][0])
    array = record.array(reading.value) if record and reading.value in record.arrays else None
    if array is None or array.ndim != 4 or array.dtype.name != "uint8":
        raise UserError(
            f"{point.address.exhibit}, panel '{panel.name}': '{reading.value}' of '{reading.of}' "
            "holds no pictures; expected uint8 of the shape (pictures, height, width, channels)"
        )
    _, height, width, channels = array.shape
    return tuple(Picture(height, width, channels, image.tobytes()) for image in array)


def _amount(quantity: Quantity, all_seeds: Callable[[Reading], list[Drawn]]) -> Amount:
    def numbers(value: str) -> tuple[float, ...]:
        found = all_seeds(quantity.model_copy(update={"value": value}))
        if any(isinstance(each, tuple) for each in found):
            raise UserError(f"'{value}' is an array; expected a number, as '{quantity.name}' is")
        return tuple(each for each in found if isinstance(each, float))

    return Amount(
        numbers(quantity.value),
        min(numbers(quantity.low)) if quantity.low else None,
        max(numbers(quantity.high)) if quantity.high else None,
    )


def _over_seeds(statistic: Callable[[Sequence[float]], float], seeds: Sequence[Drawn]) -> Drawn:
    """A statistic over seeds, of lines place by place."""
    lines = [each for each in seeds if isinstance(each, tuple)]
    if not lines:
        return statistic([each for each in seeds if isinstance(each, float)])
    return tuple(statistic(place) for place in zip(*lines, strict=True))


def _read(where: str, reading: Reading, record: Record) -> Drawn:
    found = _found(where, reading, record)
    if isinstance(found, int | float):
        return float(reading.offset + reading.scale * found)
    return tuple(reading.offset + reading.scale * number for number in found)


def _found(where: str, reading: Reading, record: Record) -> float | list[float]:
    name = reading.value
    value: Json = record.values.get(name)
    if isinstance(value, int | float):
        return value
    if isinstance(value, list) and all(isinstance(item, int | float) for item in value):
        return [float(item) for item in value if isinstance(item, int | float)]
    if name not in record.arrays:
        numbers = [key for key, held in record.values.items() if not isinstance(held, str)]
        raise UserError(
            f"{where}: '{name}' is no number or array that step '{record.step}' leaves; "
            f"{nearest(name, [*numbers, *sorted(record.arrays)])}"
        )
    array = record.array(name)
    columns = array.shape[1] if array.ndim == 2 else 0
    if reading.column is not None and reading.column < columns:
        array = array[:, reading.column]
    elif array.ndim != 1 or reading.column is not None:
        raise UserError(
            f"{where}: array '{name}' of step '{record.step}' has the shape {array.shape}; "
            "expected one dimension, or two and one of its columns in 'column'"
        )
    return [float(number) for number in array]
