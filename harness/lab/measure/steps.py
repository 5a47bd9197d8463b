"""Measuring: the steps of its parts.

Neither torch nor numpy is imported here, so that planning stays cheap.
"""

from __future__ import annotations

from harness.lab.measure.dcs import steps as dcs
from harness.lab.measure.lemma import steps as lemma
from harness.lab.measure.look import steps as look
from harness.lab.measure.scaling import steps as scaling
from harness.plan.step import StepType

STEPS: tuple[StepType, ...] = (*dcs.STEPS, *scaling.STEPS, *lemma.STEPS, *look.STEPS)
