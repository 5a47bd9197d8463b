"""What the invented steps do. Each leaves one array, `images`, but `measure`, which leaves none."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from harness.plan.step import MemoryInput, Probe, StepContext, StepInput, StepResult
from tests.toy.steps import DrawParams, MeasureParams, SelectParams


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
