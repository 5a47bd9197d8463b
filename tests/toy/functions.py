"""What the invented steps do. Those that draw, select and repeat leave an array `images`."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from harness.plan.step import MemoryInput, Probe, StepContext, StepInput, StepResult
from tests.toy.steps import (
    DrawParams,
    LineParams,
    LossParams,
    MeasureParams,
    PaintParams,
    RepeatParams,
    SelectParams,
)


def draw(params: DrawParams, inputs: Mapping[str, StepInput], context: StepContext) -> StepResult:
    """Seeded normal numbers, float64 of shape (count,), and their mean."""
    generator = np.random.default_rng(context.derive("numbers"))
    numbers = generator.normal(params.mean, params.std, params.count)
    return StepResult({"mean": float(numbers.mean())}, {"images": numbers})


def select(
    params: SelectParams, inputs: Mapping[str, StepInput], context: StepContext
) -> StepResult:
    """The largest numbers of `draw`, descending, and the smallest that was kept."""
    top = np.sort(inputs["draw"].array("images"))[::-1][: params.keep]
    return StepResult({"threshold": float(top[-1])}, {"images": top})


def measure(
    params: MeasureParams, inputs: Mapping[str, StepInput], context: StepContext
) -> StepResult:
    """An accuracy in [0, 1] around its truth, and how many images it was measured on."""
    if params.fail:
        raise RuntimeError("asked to fail")
    count = int(inputs["images"].array("images").size)
    noise = np.random.default_rng(context.derive("noise")).normal()
    accuracy = min(max(params.mean + params.std * float(noise), 0.0), 1.0)
    context.report(1.0, f"accuracy {accuracy:.3f}")
    return StepResult({"accuracy": accuracy, "count": count})


def repeat(
    params: RepeatParams, inputs: Mapping[str, StepInput], context: StepContext
) -> StepResult:
    """Every number of a set several times."""
    return StepResult({}, {"images": np.repeat(inputs["images"].array("images"), params.copies)})


def loss(params: LossParams, inputs: Mapping[str, StepInput], context: StepContext) -> StepResult:
    """|mean| of a set, and arrays `at` = 1, 2, ... and `losses` = |mean| x at^power."""
    distance = abs(float(inputs["images"].array("images").mean()))
    at = np.arange(1.0, params.steps + 1)
    return StepResult({"loss": distance}, {"at": at, "losses": distance * at**params.power})


def line(params: LineParams, inputs: Mapping[str, StepInput], context: StepContext) -> StepResult:
    """The common slope of the logarithms of the paths, with an interval of a tenth around it."""
    paths = [inputs[name] for name in sorted(inputs)]
    x = np.concatenate([np.log(path.array("at")) for path in paths])
    y = np.concatenate([np.log(path.array("losses")) for path in paths])
    slope = float(np.polyfit(x, y, 1)[0])
    values = {"slope": slope, "low": slope - 0.1, "high": slope + 0.1, "paths": len(paths)}
    return StepResult(values, {"at": np.exp(x), "line": np.exp(slope * x)})


def paint(params: PaintParams, inputs: Mapping[str, StepInput], context: StepContext) -> StepResult:
    """The first numbers of a set as pictures, each all of one grey."""
    greys = 100 + 10 * inputs["images"].array("images")[: params.count]
    pictures = np.broadcast_to(greys.round()[:, None, None, None], (params.count, 2, 3, 1))
    return StepResult({}, {"pictures": pictures.astype(np.uint8), "greys": greys})


def probe_draw() -> Probe:
    """A few numbers, another mean than the default."""
    return Probe(DrawParams(mean=1.0, std=2.0, count=5), {})


def probe_select() -> Probe:
    """Two of four, unsorted."""
    held = {"images": np.array([0.5, 2.0, -1.0, 1.5])}
    return Probe(SelectParams(keep=2), {"draw": MemoryInput(held=held)})


def probe_measure() -> Probe:
    """Noise that stays inside [0, 1]."""
    held = {"images": np.zeros(3)}
    return Probe(MeasureParams(mean=0.5, std=0.01), {"images": MemoryInput(held=held)}, seed=1)


def probe_repeat() -> Probe:
    """Two numbers."""
    return Probe(RepeatParams(copies=3), {"images": MemoryInput(held={"images": np.arange(2.0)})})


def probe_loss() -> Probe:
    """A set whose mean is 2."""
    return Probe(LossParams(power=2.0), {"images": MemoryInput(held={"images": np.full(3, 2.0)})})


def probe_line() -> Probe:
    """One path."""
    held = {"at": np.array([1.0, 2.0]), "losses": np.array([1.0, 4.0])}
    return Probe(LineParams(), {"path.0": MemoryInput(held=held)})


def probe_paint() -> Probe:
    """One picture."""
    held = {"images": np.array([1.0, 2.0])}
    return Probe(PaintParams(count=1), {"images": MemoryInput(held=held)})
