"""Generators that are missing, incomplete or not what they should be."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from harness.errors import EvidenceError
from harness.lab.distill.diffusion.generate import TINY
from harness.lab.distill.diffusion.pretrained import (
    STABLE_DIFFUSION,
    autoencoder,
    checked_fingerprint,
    diffusers,
    stable_diffusion,
    transformer,
)
from harness.lab.distill.diffusion.tiny import tiny_folder

pytest.importorskip("diffusers")


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REPRO_DATA", str(tmp_path))
    place = tmp_path / "weights" / "mine"
    shutil.copytree(tiny_folder(), place)
    return place


def test_a_missing_generator_tells_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPRO_DATA", str(tmp_path))
    with pytest.raises(
        EvidenceError, match=r"no weights of generator 'dit-xl-2-256'.*facebook/DiT"
    ):
        transformer("dit-xl-2-256", "cpu", "float32")
    with pytest.raises(EvidenceError, match="no weights of generator 'another'"):
        checked_fingerprint("another", [""], "")


def test_the_library_is_asked_for_by_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "diffusers", None)
    with pytest.raises(EvidenceError, match="install the extra `diffusion`"):
        diffusers()


def test_weights_that_lack_some_are_refused(mine: Path) -> None:
    """diffusers itself would leave them to chance, and say so in a log."""
    file = mine / "transformer" / "diffusion_pytorch_model.safetensors"
    state = load_file(file)
    del state["proj_out_2.weight"]
    save_file(state, file, metadata={"format": "pt"})
    with pytest.raises(EvidenceError, match=r"proj_out_2\.weight and 0 more are missing"):
        transformer("mine", "cpu", "float32")


def test_weights_of_another_network_are_refused(mine: Path) -> None:
    other = mine / "vae" / "diffusion_pytorch_model.safetensors"
    shutil.copy(other, mine / "transformer" / "diffusion_pytorch_model.safetensors")
    with pytest.raises(EvidenceError, match="not those of DiTTransformer2DModel"):
        transformer("mine", "cpu", "float32")


@pytest.mark.parametrize("damage", ["cut", "pickle", "config", "gone"])
def test_what_cannot_be_read_is_one_message(mine: Path, damage: str) -> None:
    file = mine / "unet" / "diffusion_pytorch_model.safetensors"
    if damage == "cut":
        file.write_bytes(file.read_bytes()[:1000])
    elif damage == "pickle":
        file.rename(file.with_suffix(".bin"))
    elif damage == "config":
        (mine / "unet" / "config.json").write_text("{")
    else:
        shutil.rmtree(mine / "unet")
    with pytest.raises(EvidenceError, match="unet cannot be read as UNet2DConditionModel"):
        stable_diffusion("mine", "cpu", "float32")


def test_a_generator_is_known_by_the_files_that_are_read(mine: Path) -> None:
    parts = STABLE_DIFFUSION
    known = checked_fingerprint(TINY, parts, "")
    assert checked_fingerprint("mine", parts, known) == known
    # Neither a description, nor a copy in half precision, nor another part's weights.
    (mine / "unet" / "README.md").write_text("not weights")
    weights = mine / "unet" / "diffusion_pytorch_model.safetensors"
    shutil.copy(weights, mine / "unet" / "diffusion_pytorch_model.fp16.safetensors")
    (mine / "transformer" / "config.json").write_text("{}")
    assert checked_fingerprint("mine", parts, known) == known
    scheduler = mine / "scheduler" / "scheduler_config.json"
    before = scheduler.read_text()
    scheduler.write_text(before.replace("0.00085", "0.00086"))
    with pytest.raises(EvidenceError, match=f"expected {known}"):
        checked_fingerprint("mine", parts, known)
    scheduler.write_text(before)
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    with pytest.raises(EvidenceError, match=f"expected {known}"):
        checked_fingerprint("mine", parts, known)


def test_nothing_of_it_can_be_trained_by_accident() -> None:
    for network in (autoencoder(TINY, "cpu", "float32"), transformer(TINY, "cpu", "float32")):
        assert not network.training
        assert not any(weight.requires_grad for weight in network.parameters())
