"""Networks trained together are what they are alone, to rounding."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from harness.lab.data import sets
from harness.lab.models.classifier import Classifier
from harness.lab.models.networks import NETWORKS, NORMS, build, convnet
from harness.lab.models.stacked import activations, stackable, stacked
from harness.lab.probing import DATASET, RECIPE
from harness.lab.train import fused
from harness.lab.train.fused import Member, hand_back, joined, training_together
from harness.lab.train.loop import Examples, training
from tests.lab.fixtures import changed, context

COUNT, SAMPLES = 3, 72
DSA = {"augmentation": "dsa", "dsa_strategy": "color_crop_cutout_flip_scale_rotate"}
TRAIN = sets.load(DATASET).train


def soft(logits: Tensor, chosen: Tensor, seen: Tensor, shift: float) -> Tensor:
    """Some objective that depends on the member, the rows and the views."""
    wanted = torch.sin(chosen[:, None] + torch.arange(logits.shape[1]) + shift)
    return functional.mse_loss(logits, wanted) * seen.mean().abs()


def members(network: str, zca: bool = False, objectives: bool = False) -> list[Member]:
    """Each with images of its own."""
    made = []
    for seed in range(COUNT):
        own = context("student", seed)
        rows = np.random.default_rng(seed).permutation(len(TRAIN.labels))[:20]
        examples = Examples.on("cpu", TRAIN.images[rows], TRAIN.labels[rows])
        init = own.derive("init")
        classifier = Classifier.fresh(network, DATASET, "cpu", "float64", init, zca)
        made.append(
            Member(classifier, examples, own, partial(soft, shift=seed) if objectives else None)
        )
    return made


def check(network: str, fields: Mapping[str, Any], factor: int = 1, **kind: bool) -> None:
    recipe = changed(RECIPE, **fields)
    alone = members(network, recipe.zca, **kind)
    expected = [
        list(
            training(
                each.classifier,
                each.examples,
                recipe,
                SAMPLES,
                each.ctx,
                factor,
                each.objective,
            )
        )
        for each in alone
    ]
    together = members(network, recipe.zca, **kind)
    assert stackable(together[0].classifier.network)
    whole = joined([each.classifier for each in together])
    made = list(training_together(whole, together, recipe, SAMPLES, context("all"), factor))
    hand_back(whole, [each.classifier for each in together])
    near = partial(torch.testing.assert_close, rtol=1e-9, atol=1e-10)
    assert len(made) == len(expected[0])
    for number, own in enumerate(expected):
        for update, other in zip(own, made, strict=True):
            assert update.number == other.number
            assert torch.equal(update.chosen, other.chosen[number])
            near(other.logits[:, number], update.logits)
            near(other.loss[number], update.loss)
    for one, other in zip(alone, together, strict=True):
        near(other.classifier.network.state_dict(), one.classifier.network.state_dict())
    first = [dict(each.classifier.network.named_parameters()) for each in together]
    assert not torch.allclose(*(next(iter(each.values())) for each in first[:2]))


@pytest.mark.parametrize("norm", NORMS)
def test_every_convnet(norm: str, monkeypatch: pytest.MonkeyPatch) -> None:
    small = partial(convnet, width=8, depth=2, norm=NORMS[norm])
    monkeypatch.setitem(NETWORKS, "small", small)  # type: ignore[arg-type]
    check("small", DSA)


@pytest.mark.parametrize("network", ["mlp", "resnet18-digits", "resnet152-digits"])
def test_other_networks(network: str) -> None:
    check(network, {})


@pytest.mark.parametrize(
    ("fields", "factor"),
    [
        ({"augmentation": "none"}, 1),
        ({"augmentation": "rrc-flip"}, 2),
        (DSA | {"dsa_mode": "all"}, 1),
        (DSA | {"dsa_parameters": "per-batch"}, 1),
        ({"zca": True}, 1),
        ({"optimizer": "adamw", "decayed_parameters": "weights", "weight_decay": 0.1}, 1),
        ({"scheduler": "step", "loop": "official", "step_factor": 0.1, "warmup_epochs": 0}, 1),
    ],
    ids=["none", "patches", "dsa all", "dsa per batch", "zca", "adamw", "official loop"],
)
def test_every_recipe(fields: Mapping[str, Any], factor: int) -> None:
    # No biases before norms: their gradients are zero but for rounding, which AdamW makes large.
    check("resnet18-digits", fields, factor)


def test_each_has_its_own_objective() -> None:
    taught = {"loss": "kl", "labels": "online", "augmentation": "rrc-flip-cutmix"}
    check("convnet-digits-instance", taught | {"cutmix_alpha": 1.0}, objectives=True)


def test_a_network_that_may_mix_its_channels_is_trained_alone() -> None:
    assert not stackable(nn.Sequential(nn.Conv2d(1, 2, 3), nn.Softmax(dim=1)))
    assert not stackable(build("mobilenet-v2", DATASET, 0))
    made = Classifier(nn.Sequential(nn.Flatten(), nn.Softmax(1)), DATASET, "cpu", "float32")
    assert fused.at_once(made, 10, 64) == 1
    one = build("mlp", DATASET, 0)
    assert stacked([one]) is one


def test_as_many_are_trained_together_as_the_cache_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    """In groups as equal as can be."""
    made = Classifier.fresh("mlp", DATASET, "cpu", "float32", 0)
    numbers = 64 + 128 + 128 + 128 + 128 + DATASET.classes
    assert activations(made.network, DATASET.channels, DATASET.resolution) == numbers
    sizes = []
    for cached in (8, 5, 4, 2.5, 1, 0.5):
        monkeypatch.setattr(fused, "CACHED", int(cached * 16 * numbers))
        sizes.append(fused.at_once(made, 8, 16))
    assert sizes == [8, 4, 4, 2, 1, 1]
