"""Weights that others trained: torchvision's, or a file of one's own that is known by its content.

Files are looked for in `weights/` of the data folder: torchvision's under the name that it
publishes them by, others as `<network>.safetensors` or `<network>.pth`.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from harness.errors import EvidenceError, UserError, one_line, require
from harness.lab.data.prepared import data_root
from harness.lab.data.torch_files import Refused, read_torch
from harness.lab.models.networks import TIMM, TORCHVISION
from harness.lab.recipe import DatasetRef

OWN = "sha256:"
"""Prefix of the fingerprint of a file of one's own."""


def given_weights(network: str, weights: str, dataset: DatasetRef) -> Mapping[str, Tensor]:
    """The state of `network` that `weights` names, for `load_state_dict`.

    `weights` is a name of torchvision's, such as IMAGENET1K_V1, or `sha256:` and the fingerprint of
    a file of one's own. Raises `UserError` for an unknown name, or if its classes are not as many
    as the data set's, and `EvidenceError` if the file is missing or another one.
    """
    if weights.startswith(OWN):
        return _own(network, weights.removeprefix(OWN))
    return _published(network, weights, dataset)


def load_weights(module: nn.Module, network: str, weights: str, dataset: DatasetRef) -> None:
    """Give a network the weights that are named; see `given_weights`.

    Raises `EvidenceError` too if they are those of another network.
    """
    try:
        module.load_state_dict(given_weights(network, weights, dataset))
    except RuntimeError as error:
        raise EvidenceError(
            f"weights '{weights}' do not fit network '{network}' with {dataset.classes} classes: "
            + one_line(str(error).replace("\n", " "))[:300]
        ) from None


def fingerprint(state: Mapping[str, Tensor]) -> str:
    """SHA-256 over the tensors in the order of their names: name, type, shape and values.

    The same for both kinds of file.
    """
    digest = hashlib.sha256()
    for name in sorted(state):
        values = state[name].detach().cpu().contiguous().numpy()
        digest.update(f"{name}\n{values.dtype.str}\n{values.shape}\n".encode())
        digest.update(values.tobytes())
    return digest.hexdigest()


def folder() -> Path:
    """Where files of weights belong."""
    return data_root() / "weights"


def _own(network: str, wanted: str) -> Mapping[str, Tensor]:
    places = [folder() / f"{network}{suffix}" for suffix in (".safetensors", ".pth")]
    found = [path for path in places if path.is_file()]
    if not found:
        raise EvidenceError(
            f"no weights of network '{network}' in {folder()}; put {places[0].name} or "
            f"{places[1].name} there, whose fingerprint has to be {wanted}"
        )
    state = _read(found[0])
    if (fresh := fingerprint(state)) != wanted:
        raise EvidenceError(
            f"{found[0]}: its fingerprint is {fresh}, expected {wanted}; put the right file there, "
            "or name this one in the spec"
        )
    return state


def _published(network: str, weights: str, dataset: DatasetRef) -> Mapping[str, Tensor]:
    from torchvision.models import get_model_weights

    named = TORCHVISION.get(network) or TIMM.get(network)
    if named is None:
        raise UserError(f"torchvision publishes no weights for network '{network}'")
    known = get_model_weights(named)
    require(weights, known.__members__, f"network '{network}' has no weights '{weights}'")
    chosen = known[weights]
    if (classes := len(chosen.meta["categories"])) != dataset.classes:
        raise UserError(
            f"weights '{weights}' of '{network}' tell {classes} classes apart, but data set "
            f"'{dataset.name}' has {dataset.classes}; leave `pretrained` empty to train a teacher"
        )
    here = folder() / Path(chosen.url).name
    if here.is_file():
        _check_published(here)
        if zipfile.is_zipfile(here):
            return _read(here)
        # The form before torch 1.6, which some of torchvision's files have: torch's own allow-list.
        return dict(torch.load(here, map_location="cpu", weights_only=True))
    try:
        state: Mapping[str, Tensor] = chosen.get_state_dict(progress=False, check_hash=True)
    except (OSError, RuntimeError) as error:
        raise EvidenceError(
            f"weights '{weights}' of '{network}' could not be downloaded ({error}); put "
            f"torchvision's file {here.name} into {folder()}"
        ) from None
    return state


def _check_published(path: Path) -> None:
    """torchvision ends the names of its files with the first figures of their SHA-256."""
    with path.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    wanted = path.stem.rpartition("-")[2]
    if not found.startswith(wanted):
        raise EvidenceError(
            f"{path}: its SHA-256 begins with {found[: len(wanted)]}, not {wanted} as its name "
            "says: it is not what torchvision publishes"
        )


def _read(path: Path) -> Mapping[str, Tensor]:
    """Raises `Refused` for a file that holds anything but named tensors."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    if path.suffix == ".safetensors":
        try:
            return load_file(path)
        except (SafetensorError, OSError) as error:
            raise Refused(path, f"cannot be read as safetensors ({error})") from None
    state = read_torch(path)
    if not isinstance(state, Mapping) or not all(isinstance(v, Tensor) for v in state.values()):
        raise Refused(path, "named tensors were expected, as a network's state_dict has them")
    return {str(name): tensor.clone() for name, tensor in state.items()}
