"""The stated work of the published generators, against what torch counts on their architectures."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from harness.lab.distill.diffusion import generate
from harness.lab.distill.diffusion.generate import (
    DECODE_256,
    DECODE_512,
    DIT,
    ENCODE_256,
    ENCODE_512,
    STEPS,
    UNET,
    D4mParams,
    MinimaxParams,
)

diffusers = pytest.importorskip("diffusers")


@pytest.fixture(autouse=True)
def nothing_is_computed() -> Any:
    """Tensors have shapes and no numbers."""
    with torch.device("meta"), torch.no_grad():
        yield


def counted(network: Any, *given: Any, **named: Any) -> int:
    with FlopCounterMode(display=False) as counter:
        network(*given, **named)
    return counter.get_total_flops()


def test_one_pass_of_stable_diffusions_network() -> None:
    network = diffusers.UNet2DConditionModel(sample_size=64, cross_attention_dim=768)
    done = counted(network, torch.zeros(1, 4, 64, 64), torch.zeros(1), torch.zeros(1, 77, 768))
    assert done == pytest.approx(UNET, rel=0.01)


def test_one_pass_of_the_largest_dit() -> None:
    network = diffusers.DiTTransformer2DModel(out_channels=8, attention_bias=True)
    label = torch.zeros(1, dtype=torch.int64)
    done = counted(network, torch.zeros(1, 4, 32, 32), torch.zeros(1), label)
    assert done == pytest.approx(DIT, rel=0.01)


@pytest.mark.parametrize(
    ("side", "encode", "decode"), [(512, ENCODE_512, DECODE_512), (256, ENCODE_256, DECODE_256)]
)
def test_passes_of_the_autoencoder(side: int, encode: float, decode: float) -> None:
    network = diffusers.AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(128, 256, 512, 512),
        layers_per_block=2,
    )
    assert counted(network.encode, torch.zeros(1, 3, side, side)) == pytest.approx(encode, rel=0.01)
    latent = torch.zeros(1, 4, side // 8, side // 8)
    assert counted(network.decode, latent) == pytest.approx(decode, rel=0.01)


def work(name: str, params: Any) -> Any:
    # What it costs is told by the parameters alone: no network is asked about.
    return next(step for step in STEPS if step.name == name).cost(params, None)


def test_the_work_is_that_of_all_images_read_and_made() -> None:
    d4m = generate.d4m_probe().params.model_dump() | {
        "side": 512,
        "per_class": 50,
        "sampling_steps": 50,
        "dataset": {**generate.generating_probe()["dataset"].model_dump(), "smallest_class": 732},
        "precision": "float16",
    }
    done = work("distill_d4m", D4mParams.model_validate(d4m))
    assert done.flops == pytest.approx(24 * ENCODE_512 + 200 * (72 * UNET + DECODE_512))
    assert done.half == done.flops
    minimax = generate.minimax_probe().params.model_dump() | {"side": 256, "per_class": 50}
    done = work("distill_minimax", MinimaxParams.model_validate(minimax))
    tuned = 2 * 24 * (ENCODE_256 + 3 * DIT)
    assert done.flops == pytest.approx(tuned + 200 * (6 * DIT + DECODE_256))
    assert done.half == 0
