"""From work to hours: a forecast with an interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.plan.step import Step, Work
from harness.spec.parts import Device

OVERHEAD_SECONDS = 0.05
"""Cost of every step, however little it does: reading its inputs and writing its record."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Speed that loops of training reach on a device, which is below its peak."""

    whole: float
    """Floating-point operations a second, in numbers of 32 bits and more."""
    half: float
    """The same in numbers of 16 bits."""
    example: float = 0.0
    """Seconds that an example costs beside its operations: small networks are mostly calls."""

    def seconds(self, work: Work) -> float:
        """Seconds of a step beyond its overhead."""
        operations = (work.flops - work.half) / self.whole + work.half / self.half
        return work.samples * self.example + operations + work.seconds


RATES: Mapping[Device, Rate] = {
    # A100: ResNet-18 at 224 px runs at about 6,000 images a second in bfloat16, three passes of
    # 3.64 GFLOP each.
    "a100": Rate(65e12, 65e12),
    "h200": Rate(130e12, 130e12),
    # One core with bfloat16 arithmetic: a ConvNet at 32 px trains at 980 images a second, compiled
    # in bfloat16, and at 300 to 400 in float32. A little less here, since few cores are idle.
    "cpu": Rate(8e10, 2.6e11, example=2.8e-5),
}
SPREAD = (0.6, 1.6)
"""Low and high, as factors of the middle, where no past record says better."""
ALIKE = 2.0
"""Past runs of a step say how long one takes that does up to so many times as much, or as little:
the rate of a large network is not that of a small one."""


@dataclass(frozen=True, slots=True)
class Past:
    """A run of a step that has ended."""

    flops: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Seconds:
    """A forecast of the time of one or more steps, in seconds."""

    low: float
    mid: float
    high: float

    def __add__(self, other: Seconds) -> Seconds:
        return Seconds(self.low + other.low, self.mid + other.mid, self.high + other.high)


NOTHING = Seconds(0.0, 0.0, 0.0)


def forecast(step: Step, device: Device, past: Mapping[str, Sequence[Past]]) -> Seconds:
    """Seconds that a step will take on a device.

    Args:
        past: step name -> past runs on this device. Where three or more did about as much work,
            their middle half is the interval, in proportion to the work.
    """
    flops = step.work.flops
    alike = sorted(
        run.seconds / run.flops
        for run in past.get(step.name, ())
        if flops / ALIKE <= run.flops <= flops * ALIKE
    )
    if flops and len(alike) >= 3:
        own = [flops * alike[int(q * (len(alike) - 1))] for q in (0.25, 0.5, 0.75)]
    else:
        middle = RATES[device].seconds(step.work)
        own = [SPREAD[0] * middle, middle, SPREAD[1] * middle]
    return Seconds(*(OVERHEAD_SECONDS + seconds for seconds in own))
