"""The stated work of a synthesis against the operations that torch counts while it runs."""

from __future__ import annotations

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from harness.lab.models.networks import build
from harness.lab.probing import DATASET
from harness.lab.steps import STEPS
from harness.lab.train import fused
from harness.plan.step import StepContext
from harness.run.call import call
from harness.run.probe import probe_of

RECOVERED = ("distill_sre2l", "distill_dwa", "distill_fadrm")
MATCHED = ("feature_statistics", "distill_gvbsm", "distill_edc")


def counted(work) -> int:
    with FlopCounterMode(display=False) as counter:
        work()
    return counter.get_total_flops()


class Measured:
    """One forward pass of the probes' network, as torch counts it."""

    def forward_flops(self, network: str, resolution: int) -> float:
        own = build(network, DATASET, seed=0)
        return counted(lambda: own(torch.zeros(1, 1, resolution, resolution)))


# DATM also asks every expert about every training image, once; how many there are, is not known
# before they are trained, and at any real length of the synthesis it does not count.
@pytest.mark.parametrize(
    "name", ["experts", "distill_dm", "distill_dc", "distill_tm", *RECOVERED, *MATCHED]
)
def test_the_stated_work_is_what_is_done(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # One expert at a time: torch counts the weights' gradient of k grouped convolutions k times.
    monkeypatch.setattr(fused, "CACHED", 0)
    step = next(step for step in STEPS if step.name == name)
    probe = probe_of(step)
    params = probe.params.model_dump(mode="json")
    done = counted(lambda: call(step.function, params, probe.inputs, StepContext(name, 0)))
    assert done == pytest.approx(step.cost(probe.params, Measured()).flops, rel=0.2)
