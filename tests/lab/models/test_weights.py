"""Weights of others: torchvision's, from its file or its server, and files known by content."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torchvision.models import ResNet18_Weights, resnet18

from harness.errors import EvidenceError, UserError
from harness.lab.models.networks import build
from harness.lab.models.weights import fingerprint, folder, given_weights, load_weights
from harness.lab.recipe import DatasetRef
from tests.lab.fixtures import DIGITS, NETWORK

IMAGENET = DatasetRef.model_validate(
    DIGITS.model_dump()
    | {"name": "imagenet1k", "classes": 1000, "resolution": 224, "channels": 3}
    | {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
)


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPRO_DATA", str(tmp_path))
    folder().mkdir()


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(self, **options: object) -> None:
        raise OSError("no network")

    monkeypatch.setattr(ResNet18_Weights, "get_state_dict", refused)


def test_names_must_exist_and_fit_the_classes() -> None:
    with pytest.raises(UserError, match=r"has no weights 'IMAGENET1K_V3'.*IMAGENET1K_V1"):
        given_weights("resnet18", "IMAGENET1K_V3", IMAGENET)
    with pytest.raises(UserError, match="tell 1000 classes apart, but data set 'digits' has 10"):
        given_weights("resnet18", "IMAGENET1K_V1", DIGITS)
    with pytest.raises(UserError, match="no weights for network 'convnet-digits'"):
        given_weights(NETWORK, "IMAGENET1K_V1", DIGITS)


def test_timms_network_answers_as_torchvisions_with_the_same_weights(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    published = resnet18(weights=None).state_dict()
    monkeypatch.setattr(ResNet18_Weights, "get_state_dict", lambda self, **kw: published)
    images = torch.rand(2, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    answers = []
    for name in ("resnet18", "resnet18-timm"):
        network = build(name, IMAGENET, seed=0).eval()
        load_weights(network, name, "IMAGENET1K_V1", IMAGENET)
        with torch.no_grad():
            answers.append(network(images))
    assert not torch.equal(answers[0][0], answers[0][1])
    torch.testing.assert_close(answers[1], answers[0])


@pytest.mark.parametrize("zipped", [True, False])
def test_torchvisions_file_is_taken_from_the_folder_if_its_name_tells_its_digest(
    monkeypatch: pytest.MonkeyPatch, offline: None, zipped: bool, tmp_path: Path
) -> None:
    state = resnet18(weights=None).state_dict()
    torch.save(state, tmp_path / "made", _use_new_zipfile_serialization=zipped)
    content = (tmp_path / "made").read_bytes()
    name = f"resnet18-{hashlib.sha256(content).hexdigest()[:8]}.pth"
    monkeypatch.setattr(ResNet18_Weights.IMAGENET1K_V1.value, "url", f"https://host/{name}")
    with pytest.raises(EvidenceError, match=f"no network.*put torchvision's file {name} into"):
        given_weights("resnet18", "IMAGENET1K_V1", IMAGENET)
    (folder() / name).write_bytes(content)
    found = given_weights("resnet18", "IMAGENET1K_V1", IMAGENET)
    assert fingerprint(found) == fingerprint(state)
    (folder() / name).write_bytes(content + b"more")
    with pytest.raises(EvidenceError, match="it is not what torchvision publishes"):
        given_weights("resnet18", "IMAGENET1K_V1", IMAGENET)


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_a_file_of_ones_own_is_known_by_its_tensors(suffix: str) -> None:
    trained = build(NETWORK, DIGITS, seed=3)
    state = trained.state_dict()
    named = f"sha256:{fingerprint(state)}"
    with pytest.raises(EvidenceError, match=r"put convnet-digits\.safetensors or") as caught:
        given_weights(NETWORK, named, DIGITS)
    assert caught.value.exit_code == 3
    write = save_file if suffix == ".safetensors" else torch.save
    write(state, folder() / f"{NETWORK}{suffix}")
    fresh = build(NETWORK, DIGITS, seed=0)
    load_weights(fresh, NETWORK, named, DIGITS)
    assert all(torch.equal(fresh.state_dict()[name], state[name]) for name in state)
    with pytest.raises(EvidenceError, match=f"its fingerprint is {named[7:]}, expected 00"):
        given_weights(NETWORK, "sha256:00", DIGITS)


def test_weights_of_another_network_and_files_of_other_things_are_refused() -> None:
    other = build("mlp", DIGITS, seed=0).state_dict()
    save_file(other, folder() / f"{NETWORK}.safetensors")
    with pytest.raises(EvidenceError, match="do not fit network 'convnet-digits'"):
        load_weights(build(NETWORK, DIGITS, 0), NETWORK, f"sha256:{fingerprint(other)}", DIGITS)
    (folder() / f"{NETWORK}.safetensors").write_bytes(b"nothing")
    with pytest.raises(UserError, match="cannot be read as safetensors"):
        given_weights(NETWORK, "sha256:00", DIGITS)
    (folder() / f"{NETWORK}.safetensors").unlink()
    torch.save([1, 2], folder() / f"{NETWORK}.pth")
    with pytest.raises(UserError, match="named tensors were expected"):
        given_weights(NETWORK, "sha256:00", DIGITS)


def test_networks_of_the_stand_in_read_smaller_images() -> None:
    network = build("resnet50-96px", IMAGENET, seed=0).eval()
    whole = build("resnet50", IMAGENET, seed=0).eval()
    images = torch.rand(1, 3, 192, 192, generator=torch.Generator().manual_seed(0))
    # A mean of pixels is halved without a loss, so that the two see the same.
    smooth = images.mean(dim=(2, 3), keepdim=True).expand(1, 3, 192, 192)
    with torch.no_grad():
        torch.testing.assert_close(network(smooth), whole(smooth[..., ::2, ::2]))
