"""On a GPU a step finds full float32 and repeatable convolutions; afterwards all is as before."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import torch

from harness.plan.step import StepContext, StepInput, StepParams, StepResult
from harness.run.call import call


def switches() -> dict[str, bool | str]:
    return {
        "convolutions in TF32": torch.backends.cudnn.allow_tf32,
        "products": torch.get_float32_matmul_precision(),
        "products in TF32": torch.backends.cuda.matmul.allow_tf32,
        "repeatable": torch.backends.cudnn.deterministic,
        "fastest": torch.backends.cudnn.benchmark,
        "cuDNN": torch.backends.cudnn.enabled,
    }


def look(params: StepParams, inputs: Mapping[str, StepInput], ctx: StepContext) -> StepResult:
    if ctx.seed:
        raise ValueError("as asked")
    return StepResult(switches())


def found(device: str, seed: int = 0) -> Mapping[str, object]:
    return call(f"{__name__}:look", {}, {}, StepContext("look", seed, device)).values


def test_a_step_on_a_gpu_computes_what_it_says() -> None:
    torch.backends.cudnn.benchmark = True
    torch.set_float32_matmul_precision("high")
    before = switches()
    try:
        assert found("cuda:0") == {
            "convolutions in TF32": False,
            "products": "highest",
            "products in TF32": False,
            "repeatable": True,
            "fastest": False,
            "cuDNN": True,
        }
        assert switches() == before
        with pytest.raises(ValueError, match="as asked"):
            found("cuda:0", seed=1)
        assert switches() == before
        assert found("cpu") == before
    finally:
        torch.backends.cudnn.benchmark = False
        torch.set_float32_matmul_precision("highest")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_convolutions_on_a_gpu_are_those_of_the_cpu() -> None:
    from harness.run.computing import exact

    generator = torch.Generator().manual_seed(0)
    images = torch.randn(8, 64, 16, 16, generator=generator)
    weights = torch.randn(64, 64, 3, 3, generator=generator)
    wide = torch.nn.functional.conv2d(images.double(), weights.double(), padding=1)
    with exact("cuda"):
        ours = torch.nn.functional.conv2d(images.cuda(), weights.cuda(), padding=1).cpu()
    # 576 products a sum: TF32 would err by a thousandth of them.
    assert (ours - wide).norm() < 1e-5 * wide.norm()
