"""Losses of distillers on a given subset, which is not changed: SRe2L and DWA, DM, DC, TM and DATM.

A Distillation Correlation Score correlates them with the accuracy of students.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from harness.lab.distill.matching import MATCHED
from harness.lab.distill.trajectories import made_up_experts
from harness.lab.probing import DATASET, DSA_OTHERWISE, NETWORK, chosen, taught
from harness.lab.recipe import Count, CropScale, NetworkParams, Share, class_batches, passes
from harness.later import np, torch
from harness.plan.step import (
    Facts,
    Json,
    Neutral,
    Probe,
    StepContext,
    StepInput,
    StepResult,
    Work,
    declare,
)


class BnLossParams(NetworkParams):
    """Equation 1 of the supplement, Equation 2 with `variance_weight` and a perturbation.

    The network is the teacher, which has BatchNorm layers.
    """

    per_class: Count
    """Images per class of the input, so that its cost is known before it exists; checked then."""
    variance: Literal["biased", "unbiased"]
    aggregation: Literal["whole", "mean", "running"]
    """Whole: statistics of the whole subset. Mean: of each batch, and the mean of the batches'
    losses. Running: of each batch, in a moving average over the batches."""
    batch_size: Count
    """Size of the batches, where statistics are not those of the whole subset."""
    batches: Literal["class-mixed", "class-wise"]
    """One image of every class in turn, as the official codes make them, or class by class."""
    momentum: Share
    """Share of each new batch in the moving average, which starts at the first batch."""
    augmentation: Literal["none", "rrc-flip"]
    """One random view of each image, or the image."""
    crop_scale: CropScale
    """Share of the area that the random resized crop keeps."""
    first_layer_weight: float = Field(ge=0)
    """Weight of the first layer's terms; the others weigh 1."""
    variance_weight: float = Field(ge=0)
    bn_weight: float = Field(gt=0)
    cross_entropy: bool
    """Whether the teacher's cross-entropy is added, which weighs 1."""
    perturbation_iterations: int = Field(ge=0)
    perturbation_size: float = Field(ge=0)
    """Length of DWA's climb of the teacher's weights up its loss on the subset, in all."""


def bn_loss(params: BnLossParams, inputs: Mapping[str, StepInput], ctx: StepContext) -> StepResult:
    """`bn_weight` x (mean term + `variance_weight` x variance term), plus cross-entropy if asked.

    With mu_l and v_l the statistics of the input of layer l of the teacher, in evaluation mode, and
    m_l and s_l those that the layer keeps, the terms are sum_l w_l |mu_l - m_l|_2 and
    sum_l w_l |v_l - s_l|_2, w_1 = `first_layer_weight`, else 1 (supplement, Equations 1 and 2;
    w_1 and `bn_weight` in VILA-Lab/SRe2L). Values `loss`, `mean_term`, `variance_term`,
    `cross_entropy` (nats, mean over the subset). Draws: "views" of `ctx`, if images are cropped.
    Raises `UserError` if the teacher has no BatchNorm layer, or the subset is another.
    """

    from harness.lab.distill.recovery import batchnorm_layers, climb, distances
    from harness.lab.measure.dcs.subset import aggregated, batches, given_subset, observed
    from harness.lab.models.classifier import Classifier

    teacher = Classifier.stored(
        params.network, params.dataset, ctx.device, inputs["teacher"].tensors("weights")
    )
    layers = batchnorm_layers(teacher)
    subset = given_subset(inputs["images"], params.dataset, params.per_class, ctx.device, ctx.step)
    climb(teacher, subset, params.perturbation_iterations, params.perturbation_size)
    drawn = torch.Generator().manual_seed(ctx.derive("views"))
    sizes, sums, cross_entropy = [], [], 0.0
    for batch in batches(subset, params):
        sizes.append(len(batch))
        own, loss = observed(teacher, layers, batch, params, drawn)
        sums.append(own)
        cross_entropy += loss / len(subset)
    mean_term = variance_term = 0.0
    for share, moments in aggregated(sizes, sums, params):
        of_means, of_variances = distances(layers, moments, params.first_layer_weight)
        mean_term += share * of_means.item()
        variance_term += share * of_variances.item()
    loss = params.bn_weight * (mean_term + params.variance_weight * variance_term)
    return StepResult(
        {
            "loss": loss + cross_entropy * params.cross_entropy,
            "mean_term": mean_term,
            "variance_term": variance_term,
            "cross_entropy": cross_entropy,
        }
    )


def _bn_work(p: BnLossParams, facts: Facts) -> Work:
    size = p.per_class * p.dataset.classes
    return passes(facts, p.network, p.dataset, p.perturbation_iterations * size, size)


def _bn_probe() -> Probe:
    params = BnLossParams(
        dataset=DATASET,
        network=NETWORK,
        per_class=5,
        variance="unbiased",
        aggregation="running",
        batch_size=8,
        batches="class-mixed",
        momentum=0.1,
        augmentation="rrc-flip",
        crop_scale=(0.3, 1.0),
        first_layer_weight=10.0,
        variance_weight=11.0,
        bn_weight=0.01,
        cross_entropy=True,
        perturbation_iterations=2,
        perturbation_size=0.3,
    )
    still: dict[str, Json] = {"perturbation_iterations": 0, "perturbation_size": 0.0}
    images = {"images": chosen(per_class=5), "teacher": taught()}
    return Probe(params, images, variants=(still,))


class MatchingParams(NetworkParams):
    """The parameters that these losses have in common."""

    per_class: Count
    dsa_strategy: str = ""
    """Names of groups of operations, joined by `_`, of which one is drawn for each batch; real and
    synthetic images meet the same. Empty: no augmentation."""
    precision: Literal["float32", "float64"] = "float32"


class RandomNetworksParams(MatchingParams):
    networks: Count
    """Random networks that the loss is averaged over."""
    real_batch_size: int = Field(ge=0)
    """Random real images of each class, anew for each network; 0: all."""
    norms: Literal["batch", "initial"]
    """Batch: batch norms use the statistics of their input, a class at a time, as the official
    codes have it. Initial: they use those that they start with, so that they change nothing. Other
    norms are not affected."""


class DmLossParams(RandomNetworksParams):
    means: Literal["per-class", "whole-set"]
    """The official code compares the means of each class and adds the distances; Equation 5
    compares the means of the whole set."""


class DcLossParams(RandomNetworksParams):
    """A network learns from the subset between two of its `outer_loops` comparisons."""

    outer_loops: Count
    inner_loops: Count
    """Epochs that the network learns."""
    learning_rate: float = Field(gt=0)
    """Learning rate of the network."""
    batch_size: Count
    """Batch size of the network."""
    distance: Literal["cosine-rows", "cosine", "mse"]


class TmLossParams(MatchingParams):
    starts: tuple[Annotated[int, Field(ge=0)], ...] = Field(min_length=1)
    """Epochs of the experts from which steps on the subset start."""
    t_minus: int = Field(ge=0)
    t_plus: int = Field(ge=0)
    """The loss is the mean over the starts between these two epochs, the first included."""
    t_plus_included: Annotated[bool, Neutral(True)] = True
    """Whether `t_plus` counts; in the syntheses of the official codes no start is drawn there."""
    n: Count
    """Steps on the subset."""
    m: Count
    """Epochs of the expert on real images."""
    experts: Count
    """Number of experts in the input, so that the cost is known before it exists; checked then."""
    learning_rate: float = Field(ge=0)
    """Learning rate of the steps on the subset."""
    batch_size: int = Field(ge=0)
    """0: the whole subset."""
    labels: Literal["classes", "learned"] = "classes"
    """Learned: the soft labels that the synthesis learned, where the input holds them."""

    @model_validator(mode="after")
    def _a_start_counts(self) -> TmLossParams:
        if not any(self.counts(start) for start in self.starts):
            raise ValueError("none of 'starts' lies between t_minus and t_plus")
        return self

    def counts(self, start: int) -> bool:
        return self.t_minus <= start < self.t_plus + self.t_plus_included


def dm_loss(params: DmLossParams, inputs: Mapping[str, StepInput], ctx: StepContext) -> StepResult:
    """Squared distance of mean features before the last layer, mean over random networks.

    Per class and added up (Zhao and Bilen 2023, official code), or of the whole set (supplement,
    Equation 5). Value `loss`; array `losses` (networks,), float64.
    Draws: those of `random_networks`.
    """

    from harness.lab.measure.dcs.subset import feature_distance, random_networks

    losses = [
        feature_distance(matched, params.means).item()
        for matched in random_networks(params, inputs["images"], ctx)
    ]
    return StepResult({"loss": float(np.mean(losses))}, {"losses": np.array(losses)})


def dc_loss(params: DcLossParams, inputs: Mapping[str, StepInput], ctx: StepContext) -> StepResult:
    """Distance of the gradients of the cross-entropy, summed over classes (Zhao et al. 2021).

    In each random network `outer_loops` times, and between two of them the network learns from the
    subset for `inner_loops` epochs, as in the synthesis. Value `loss`, the mean; array `losses`
    (networks, outer_loops), float64. Draws: those of `random_networks`, "learn" of `ctx`.
    """

    from harness.lab.measure.dcs.subset import class_gradients, learn, random_networks

    losses = np.zeros((params.networks, params.outer_loops))
    drawn = torch.Generator().manual_seed(ctx.derive("learn"))
    for number, matched in enumerate(random_networks(params, inputs["images"], ctx)):
        for outer in range(params.outer_loops):
            if outer:
                learn(matched, params, drawn)
            losses[number, outer] = class_gradients(matched, params.distance)
    return StepResult({"loss": float(losses.mean())}, {"losses": losses})


def tm_loss(params: TmLossParams, inputs: Mapping[str, StepInput], ctx: StepContext) -> StepResult:
    """|theta_n - expert(t + m)|^2 / |expert(t) - expert(t + m)|^2 over starting epochs t.

    theta_n are the weights after n steps of SGD on batches of the subset, from expert(t)
    (supplement, Equation 4). Value `loss`, the mean over experts and over the starts from `t_minus`
    to `t_plus` (Section 7.1); arrays `starts` and `losses` (starts,), the mean over experts at each
    start, float64. The draws of an expert and a start are the same for all subsets: "batches" of a
    part of `ctx`. Raises `UserError` if the experts were not trained for so long.
    """

    from harness.lab.measure.dcs.subset import losses_at_starts

    losses = losses_at_starts(params, inputs["images"], inputs["experts"], ctx)
    within = [params.counts(start) for start in params.starts]
    return StepResult(
        {"loss": float(losses[:, within].mean())},
        {"starts": np.array(params.starts), "losses": losses.mean(axis=0)},
    )


def _dm_work(p: DmLossParams, facts: Facts) -> Work:
    seen = p.networks * (
        class_batches(p.dataset, p.real_batch_size) + p.per_class * p.dataset.classes
    )
    return passes(facts, p.network, p.dataset, 0, round(seen))


def _dc_work(p: DcLossParams, facts: Facts) -> Work:
    size = p.per_class * p.dataset.classes
    compared = p.outer_loops * (class_batches(p.dataset, p.real_batch_size) + size)
    learned = (p.outer_loops - 1) * p.inner_loops * size
    return passes(facts, p.network, p.dataset, round(p.networks * (compared + learned)), 0)


def _tm_work(p: TmLossParams, facts: Facts) -> Work:
    size = p.per_class * p.dataset.classes
    steps = p.experts * len(p.starts) * p.n
    return passes(facts, p.network, p.dataset, steps * min(p.batch_size or size, size), 0)


def _matching_probe() -> dict[str, Any]:
    return {
        "dataset": DATASET,
        "network": NETWORK,
        "per_class": 3,
        "dsa_strategy": "color_scale",
        "precision": "float64",
    }


def _networks_probe() -> dict[str, Any]:
    return _matching_probe() | {"networks": 2, "real_batch_size": 5}


def _dc_probe() -> Probe:
    return Probe(
        DcLossParams(
            **_networks_probe(),
            norms="batch",
            outer_loops=2,
            inner_loops=2,
            learning_rate=0.1,
            batch_size=8,
            distance="cosine-rows",
        ),
        {"images": chosen(per_class=3)},
        variants=DSA_OTHERWISE,
    )


def _tm_probe() -> Probe:
    params = TmLossParams(
        **_matching_probe() | {"network": MATCHED},
        starts=(0, 1),
        t_minus=1,
        t_plus=2,
        n=3,
        m=2,
        experts=2,
        learning_rate=0.05,
        batch_size=5,
    )
    inputs = {"images": chosen(per_class=3), "experts": made_up_experts()}
    late: dict[str, Json] = {"starts": [1, 2], "m": 1}
    others = ({"batch_size": 0}, late, late | {"t_plus_included": False})
    return Probe(params, inputs, variants=(*others, *DSA_OTHERWISE))


STEPS = (
    declare(bn_loss, _bn_probe, _bn_work, inputs=("images", "teacher")),
    declare(
        dm_loss,
        lambda: Probe(
            DmLossParams(**_networks_probe(), norms="initial", means="per-class"),
            {"images": chosen(per_class=3)},
            variants=({"real_batch_size": 0}, *DSA_OTHERWISE),
        ),
        _dm_work,
        inputs=("images",),
    ),
    declare(dc_loss, _dc_probe, _dc_work, inputs=("images",)),
    declare(tm_loss, _tm_probe, _tm_work, inputs=("images", "experts")),
)
