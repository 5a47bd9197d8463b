"""From work to hours: a forecast with an interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.plan.step import Step
from harness.spec.profile import Device

OVERHEAD_SECONDS = 0.05
"""What a step costs however little it does: reading its inputs and writing its record."""

EFFECTIVE_FLOPS: Mapping[Device, float] = {
    # Rates that training loops of convolutional networks reach, not peak rates. A100: ResNet-18
    # at 224 px runs at about 6,000 images a second in bfloat16, three passes of 3.64 GFLOP each.
    "a100": 65e12,
    "h200": 130e12,
    "cpu": 8e9,
}
SPREAD = (0.6, 1.6)
"""Low and high, as factors of the middle, where no past record says better."""


@dataclass(frozen=True, slots=True)
class Seconds:
    """A forecast of the time of one or more steps, in seconds."""

    low: float
    mid: float
    high: float

    def __add__(self, other: Seconds) -> Seconds:
        return Seconds(self.low + other.low, self.mid + other.mid, self.high + other.high)


NOTHING = Seconds(0.0, 0.0, 0.0)


def forecast(step: Step, device: Device, past: Mapping[str, Sequence[float]]) -> Seconds:
    """Seconds that a step will take on a device.

    Args:
        past: step name -> seconds per floating-point operation of past records on this device;
            their middle half is the interval.
    """
    rates = sorted(past.get(step.name, ()))
    if len(rates) >= 3:
        low, mid, high = (rates[int(q * (len(rates) - 1))] for q in (0.25, 0.5, 0.75))
    else:
        mid = 1.0 / EFFECTIVE_FLOPS[device]
        low, high = (factor * mid for factor in SPREAD)
    return Seconds(*(OVERHEAD_SECONDS + step.work.flops * rate for rate in (low, mid, high)))
