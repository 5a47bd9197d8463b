"""Invented steps, cheap enough to run in every test: draw numbers, select some, measure.

For figures and fits: repeat a set, its loss along a path, a line through several such paths, and
pictures of a set.
"""

from __future__ import annotations

from harness.plan.step import Facts, StepParams, StepType, Work


class DrawParams(StepParams):
    """`count` normal numbers."""

    mean: float = 0.0
    std: float = 1.0
    count: int = 100


class SelectParams(StepParams):
    """The `keep` largest."""

    keep: int = 10


class MeasureParams(StepParams):
    """A measurement that scatters with the seed around a known truth."""

    mean: float = 0.5
    """True accuracy, a fraction."""
    std: float = 0.0
    """Standard deviation over seeds, a fraction."""
    fail: bool = False


class RepeatParams(StepParams):
    """Every number `copies` times."""

    copies: int = 2


class LossParams(StepParams):
    """How far the mean of a set is from zero, times what grows along a path."""

    power: float = 1.0
    steps: int = 5


class LineParams(StepParams):
    """A straight line through the logarithms of several paths."""


class PaintParams(StepParams):
    """`count` grey pictures of two by three pixels."""

    count: int = 2


def _no_cost(params: StepParams, facts: Facts) -> Work:
    return Work(samples=0.0, flops=0.0)


def _draw_cost(params: DrawParams, facts: Facts) -> Work:
    return Work(samples=params.count, flops=10.0 * params.count)


def _select_cost(params: SelectParams, facts: Facts) -> Work:
    return Work(samples=params.keep, flops=10.0 * params.keep)


def _measure_cost(params: MeasureParams, facts: Facts) -> Work:
    return Work(samples=1.0, flops=1000.0)


STEPS: tuple[StepType, ...] = (
    StepType(
        name="draw",
        params=DrawParams,
        function="tests.toy.functions:draw",
        inputs=(),
        revision=1,
        cost=_draw_cost,
        probe="tests.toy.functions:probe_draw",
    ),
    StepType(
        name="select",
        params=SelectParams,
        function="tests.toy.functions:select",
        inputs=("draw",),
        revision=1,
        cost=_select_cost,
        probe="tests.toy.functions:probe_select",
    ),
    StepType(
        name="measure",
        params=MeasureParams,
        function="tests.toy.functions:measure",
        inputs=("images",),
        revision=1,
        cost=_measure_cost,
        probe="tests.toy.functions:probe_measure",
    ),
    StepType(
        name="repeat",
        params=RepeatParams,
        function="tests.toy.functions:repeat",
        inputs=("images",),
        revision=1,
        cost=_no_cost,
        probe="tests.toy.functions:probe_repeat",
    ),
    StepType(
        name="loss",
        params=LossParams,
        function="tests.toy.functions:loss",
        inputs=("images",),
        revision=1,
        cost=_no_cost,
        probe="tests.toy.functions:probe_loss",
    ),
    StepType(
        name="line",
        params=LineParams,
        function="tests.toy.functions:line",
        inputs=("path*",),
        revision=1,
        cost=_no_cost,
        probe="tests.toy.functions:probe_line",
    ),
    StepType(
        name="paint",
        params=PaintParams,
        function="tests.toy.functions:paint",
        inputs=("images",),
        revision=1,
        cost=_no_cost,
        probe="tests.toy.functions:probe_paint",
    ),
)
