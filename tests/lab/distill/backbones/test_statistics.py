"""Statistics of layers against numpy's, of whole activations that were computed layer by layer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torchvision.transforms.v2.functional import resize

from harness.errors import UserError
from harness.lab.data import sets
from harness.lab.distill.backbones import methods
from harness.lab.distill.backbones.methods import FeatureStatisticsParams, feature_statistics
from harness.lab.distill.backbones.moments import joined, layers_of, patches, together
from harness.lab.models import classifier
from harness.lab.models.networks import build
from harness.lab.probing import DATASET, NETWORK, taught
from harness.plan.step import Probe, StepResult
from tests.lab.fixtures import as_bytes, context
from tests.lab.test_resume import check

TRAIN = sets.load(DATASET).train
MEASURED = methods.statistics_probe().params.model_dump()


def measured(**fields: Any) -> StepResult:
    params = FeatureStatisticsParams(
        **MEASURED | {"network": NETWORK, "augmentation": "none"} | fields
    )
    teacher = {"teacher": taught(NETWORK)}
    return feature_statistics(params, teacher, context("feature_statistics"))


def entering() -> Iterator[tuple[str, nn.Module, np.ndarray]]:
    """Every layer with the maps of the whole training split that enter it, without hooks."""
    network = build(NETWORK, DATASET, seed=0).double().eval()
    maps = (torch.from_numpy(TRAIN.images.transpose(0, 3, 1, 2) / 255) - 0.5) / 0.25
    for place, layer in enumerate(network):
        if isinstance(layer, nn.Conv2d | nn.BatchNorm2d):
            yield str(place), layer, maps.numpy()
        maps = layer(maps).detach()


def in_patches(maps: np.ndarray, side: int) -> list[np.ndarray]:
    """Patch by patch, (n, c, side, side)."""
    rows, columns = (-(-length // side) * side for length in maps.shape[2:])
    wide = resize(torch.from_numpy(maps), [rows, columns], antialias=False).numpy()
    return [
        wide[:, :, top : top + side, left : left + side]
        for top in range(0, rows, side)
        for left in range(0, columns, side)
    ]


def test_statistics_are_those_of_all_activations_together() -> None:
    found = measured().tensors["statistics"]
    expected: dict[str, np.ndarray] = {}
    for name, layer, maps in entering():
        if isinstance(layer, nn.Conv2d):
            expected[f"{name}/channel/mean"] = maps.mean(axis=(0, 2, 3))
            expected[f"{name}/channel/variance"] = maps.var(axis=(0, 2, 3))
            cut = in_patches(maps, 3)
            expected[f"{name}/patch/mean"] = np.array([patch.mean() for patch in cut])
            expected[f"{name}/patch/variance"] = np.array([patch.var() for patch in cut])
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-10, atol=1e-12)


def test_those_of_a_class_are_means_over_its_images() -> None:
    found = measured().tensors["classes"]
    members = [TRAIN.labels == label for label in range(DATASET.classes)]
    names = set()
    for name, layer, maps in entering():
        own = {"channel": [maps[:, channel] for channel in range(maps.shape[1])]}
        if isinstance(layer, nn.Conv2d):
            own["patch"] = in_patches(maps, 3)
        for kind, parts in own.items():
            flat = np.stack([part.reshape(len(maps), -1) for part in parts])
            each = {"mean": flat.mean(axis=2), "variance": flat.var(axis=2)}
            for moment, values in each.items():
                expected = np.stack([values[:, rows].mean(axis=1) for rows in members])
                names.add(f"{name}/{kind}/{moment}")
                np.testing.assert_allclose(
                    found[f"{name}/{kind}/{moment}"], expected, rtol=1e-10, atol=1e-12
                )
    assert found.keys() == names
    assert "classes" not in measured(by_class=False).tensors


def test_nothing_depends_on_how_many_images_pass_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = measured()
    monkeypatch.setattr(classifier, "SCORED_AT_ONCE", 7)
    parted = measured()
    assert parted.values == whole.values == {"images": 24}
    for file, tensors in whole.tensors.items():
        for name, values in tensors.items():
            np.testing.assert_allclose(parted.tensors[file][name], values, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("augmentation", ["rrc-flip", "crop-flip"])
def test_views_are_drawn_from_the_seed_alone(augmentation: str, untouched_generators: None) -> None:
    views = measured(augmentation=augmentation)
    assert as_bytes(views) == as_bytes(measured(augmentation=augmentation))
    assert as_bytes(views) != as_bytes(measured())
    name = next(iter(views.tensors["statistics"]))
    away = views.tensors["statistics"][name] - measured().tensors["statistics"][name]
    assert np.abs(away).max() < 0.5


def test_a_pass_that_was_cut_off_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classifier, "SCORED_AT_ONCE", 5)
    params = FeatureStatisticsParams(**MEASURED | {"network": NETWORK})
    check("feature_statistics", Probe(params, {"teacher": taught(NETWORK)}))


def test_maps_are_cut_row_by_row_and_enlarged_where_they_have_to_be() -> None:
    maps = torch.arange(2 * 3 * 4 * 6.0).view(2, 3, 4, 6)
    cut = patches(maps, 2)
    assert cut.shape == (2, 6, 12)
    assert cut[1, 4].tolist() == maps[1, :, 2:4, 2:4].flatten().tolist()
    assert patches(maps, 3).shape == (2, 4, 27)
    assert patches(maps[:, :, :1, :1], 16).shape == (2, 1, 3 * 256)


def test_moments_of_parts_join_to_those_of_the_whole() -> None:
    values = torch.linspace(-1, 3, 70, dtype=torch.float64).view(35, 2).exp()

    def moments(part: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return part.mean(dim=0), part.var(dim=0, correction=0)

    both = joined(10, moments(values[:10]), 25, moments(values[10:]))
    torch.testing.assert_close(both, moments(values))
    seven = values.view(5, 7, 2)
    each = seven.mean(dim=1), seven.var(dim=1, correction=0)
    torch.testing.assert_close(together(each), moments(values))


def test_a_network_without_such_layers_is_refused() -> None:
    with pytest.raises(UserError, match="network 'mlp' has neither convolutions nor BatchNorm"):
        layers_of(build("mlp", DATASET, seed=0), "mlp")


def test_what_is_kept_has_the_size_of_the_layers() -> None:
    record = measured(by_class=False).tensors["statistics"]
    # Two moments of 1 and 32 channels, and of 9 and 4 patches.
    assert sum(values.size for values in record.values()) == 2 * (1 + 32 + 9 + 4)
