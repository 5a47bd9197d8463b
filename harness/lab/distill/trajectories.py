"""Bi-level distillation against the trajectories of experts: training them, TM and DATM."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, model_validator

from harness.lab.distill.matching import (
    MATCHED,
    SECOND_ORDER,
    SynthesisParams,
    synthesis_probe,
    synthesis_work,
)
from harness.lab.probing import BY_DSA, DATASET, PLAIN_SGD, RECIPE, recipes, weights_file
from harness.lab.recipe import Count, TrainedParams, passes
from harness.later import np, torch
from harness.plan.step import (
    Facts,
    Json,
    MemoryInput,
    Neutral,
    Probe,
    StepContext,
    StepInput,
    StepResult,
    Work,
    declare,
)

if TYPE_CHECKING:
    from torch import Generator


class ExpertsParams(TrainedParams):
    count: Count


class TrajectoryParams(SynthesisParams):
    """The parameters that TM and DATM have in common."""

    n: Count
    """Steps on synthetic images."""
    m: Count
    """Epochs of the expert on real ones."""
    t_plus: Count
    """The epochs at which an expert's weights are taken lie below this."""
    learning_rate_rate: float = Field(ge=0)
    """Learning rate of the rate of the steps on synthetic images, which is learned too."""
    first_learning_rate: float = Field(gt=0)
    """Rate of the steps on synthetic images at first."""
    synthetic_batch_size: int = Field(ge=0)
    """0: all synthetic images."""


class TmParams(TrajectoryParams):
    initial_images: Literal["noise", "real"]


class DatmParams(TrajectoryParams):
    initial_images: Literal["real", "correctly-classified"]
    t_minus: int = Field(ge=0)
    """The epochs at which an expert's weights are taken begin here."""
    t_first: Count
    """The bound `t_plus` at the first iteration; from there it grows evenly to `t_plus`."""
    expansion: Count
    """Iterations of that growth."""
    learning_rate_labels: float = Field(ge=0)
    momentum_labels: float = Field(ge=0, lt=1)
    skip_above: float = Field(gt=0)
    """A loss above this changes nothing."""
    judges: Annotated[Literal["any", "in-turn"], Neutral("any")] = "any"
    """Which expert has to be right about a first image: any of them; or the first, and the next
    ones only for a class that runs short (official code)."""
    first_labels: Annotated[Literal["mean-of-right", "first-expert"], Neutral("mean-of-right")] = (
        "mean-of-right"
    )
    """Labels begin as the mean logits of the experts that are right, or as those of one expert."""

    @model_validator(mode="after")
    def _a_window(self) -> DatmParams:
        if not self.t_minus < self.t_first <= self.t_plus:
            raise ValueError("t_minus < t_first <= t_plus does not hold: the window would be empty")
        return self


def experts(params: ExpertsParams, inputs: Mapping[str, StepInput], ctx: StepContext) -> StepResult:
    """Train `count` networks, and keep their weights at the start and after every epoch.

    Each has its own first weights, order and augmentation; as many as pay are trained together.
    Tensors `expert-000` and so on: every parameter by its name, (epochs + 1, ...). Values `count`,
    `epochs`, `zca` where they read whitened images, and the mean `accuracy` at the end (fraction,
    test split); array `accuracies` (count,), float64.
    """

    from harness.lab.data import sets
    from harness.lab.distill.experts import trained
    from harness.lab.train.loop import Examples

    dataset, recipe = sets.load(params.dataset), params.recipe
    train, test = (Examples.of(split, ctx.device) for split in (dataset.train, dataset.test))
    trajectories, accuracies = trained(params, train, test, ctx)
    return StepResult(
        {
            "count": params.count,
            "epochs": recipe.epochs,
            "accuracy": float(np.mean(accuracies)),
            **({"zca": True} if recipe.zca else {}),
        },
        {"accuracies": np.array(accuracies)},
        {f"expert-{number:03d}": weights for number, weights in enumerate(trajectories)},
    )


def distill_tm(params: TmParams, inputs: Mapping[str, StepInput], ctx: StepContext) -> StepResult:
    """Trajectory matching (MTT, Cazenavette et al. 2022).

    Images move until a few steps on them lead where an expert got by epochs on real ones. At each
    iteration: an expert's weights at an epoch in [0, t_plus); n steps of SGD on augmented synthetic
    batches; the distance to the expert m epochs later. Images and the rate of those steps are
    learned, whitened where the experts read whitened images. The record is that of `synthesised`,
    with the value `learning_rate`. Draws: "first" and "synthesis" of `ctx`.
    """

    from harness.lab.distill.experts import Trajectories
    from harness.lab.distill.losses import first_rate, matching_loss, pixels_and_rate
    from harness.lab.distill.synthesis import (
        Reals,
        class_labels,
        descend,
        first_images,
        fresh,
        step_down,
        synthesised,
    )

    reals, trajectories = Reals.of(params, ctx.device), Trajectories.of(inputs["experts"])
    classifier = fresh(params, ctx.device, seed=0, zca=trajectories.zca)
    images, _ = first_images(params, reals, classifier.shown, ctx)
    learned = torch.nn.ParameterDict({"images": images, "rate": first_rate(params, images)})
    optimizer = torch.optim.SGD(pixels_and_rate(params, learned))
    labels = torch.from_numpy(class_labels(params.dataset, params.per_class)).to(ctx.device)

    def iterate(number: int, drawn: Generator) -> float:
        start, target = trajectories.drawn(0, params.t_plus, params.m, ctx.device, drawn)
        loss = matching_loss(params, classifier, learned, labels, start, target, drawn)
        step_down(loss, optimizer)
        return loss.item()

    losses = descend(learned, optimizer, params.iterations, ctx, iterate)
    images = classifier.scaled(learned["images"])
    return synthesised(params, images, losses, {"learning_rate": learned["rate"].item()})


def distill_datm(
    params: DatmParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> StepResult:
    """As `distill_tm`, with learned soft labels and a window of starting epochs (Guo et al. 2024).

    Images begin as real ones that an expert classifies correctly, their labels as the mean logits
    of the experts that do; `judges` and `first_labels` say which experts. The window is
    [t_minus, upper), where `upper` grows from `t_first` to `t_plus` over the first `expansion`
    iterations. An iteration whose loss exceeds `skip_above` changes nothing. The record has, beside
    that of `distill_tm`, the array `soft_labels` (n, classes), logits; `labels` are their largest
    classes.
    """

    from harness.lab.distill.experts import Trajectories
    from harness.lab.distill.losses import (
        expert_logits,
        first_rate,
        matching_loss,
        mean_of_right,
        pixels_and_rate,
    )
    from harness.lab.distill.synthesis import (
        Reals,
        descend,
        first_images,
        fresh,
        step_down,
        synthesised,
    )

    reals, trajectories = Reals.of(params, ctx.device), Trajectories.of(inputs["experts"])
    classifier = fresh(params, ctx.device, seed=0, zca=trajectories.zca)
    logits, right = expert_logits(classifier, reals, trajectories)
    if params.initial_images == "correctly-classified":
        # The number of the first expert that is right.
        turn = right.int().argmax(dim=0).cpu() if params.judges == "in-turn" else None
        reals = reals.among(right.any(dim=0).cpu(), turn)
    images, rows = first_images(params, reals, classifier.shown, ctx)
    one = params.first_labels == "first-expert"
    begun = logits[0, rows] if one else mean_of_right(logits[:, rows], right[:, rows])
    labels = torch.nn.Parameter(begun)
    learned = torch.nn.ParameterDict(
        {"images": images, "rate": first_rate(params, images), "logits": labels}
    )
    rates = {"lr": params.learning_rate_labels, "momentum": params.momentum_labels}
    optimizer = torch.optim.SGD([*pixels_and_rate(params, learned), {"params": [labels], **rates}])

    def iterate(number: int, drawn: Generator) -> float:
        window = (params.t_minus, upper_bound(params, number))
        start, target = trajectories.drawn(*window, params.m, ctx.device, drawn)
        targets = learned["logits"].softmax(dim=1)
        loss = matching_loss(params, classifier, learned, targets, start, target, drawn)
        if loss.item() <= params.skip_above:
            step_down(loss, optimizer)
        return loss.item()

    losses = descend(learned, optimizer, params.iterations, ctx, iterate)
    soft = labels.detach().cpu()
    return synthesised(
        params,
        classifier.scaled(learned["images"]),
        losses,
        {"learning_rate": learned["rate"].item()},
        {"soft_labels": soft.numpy(), "labels": soft.argmax(dim=1).numpy()},
    )


def upper_bound(params: DatmParams, iteration: int) -> int:
    """The end of the window of starting epochs, exclusive."""
    grown = params.t_plus - params.t_first
    return params.t_first + grown * min(iteration, params.expansion) // max(1, params.expansion)


def _experts_work(p: ExpertsParams, facts: Facts) -> Work:
    trained = p.count * p.recipe.epochs * p.dataset.train_size
    scored = p.count * p.dataset.test_size
    return passes(facts, p.network, p.dataset, trained, scored, p.recipe.precision)


def _tm_work(p: TrajectoryParams, facts: Facts) -> Work:
    made = p.per_class * p.dataset.classes
    batch = min(p.synthetic_batch_size or made, made)
    return synthesis_work(p, facts, (p.n * batch, SECOND_ORDER))


def _experts_probe() -> Probe:
    return Probe(
        ExpertsParams(dataset=DATASET, network=MATCHED, recipe=RECIPE, count=2),
        {},
        variants=recipes(
            PLAIN_SGD,
            {"nesterov": False},
            {"weight_decay": 0.0},
            {"warmup_epochs": 0},
            {"scheduler": "constant"},
            {"zca": True},
            BY_DSA,
        ),
    )


def _datm_probe() -> Probe:
    return Probe(
        DatmParams(
            **synthesis_probe()
            | _trajectory_probe()
            | {"initial_images": "correctly-classified", "per_class": 1},
            t_minus=1,
            t_first=2,
            expansion=2,
            learning_rate_labels=0.5,
            momentum_labels=0.9,
            skip_above=10.0,
        ),
        {"experts": made_up_experts()},
        variants=WHOLE_BATCH,
    )


WHOLE_BATCH: tuple[Mapping[str, Json], ...] = ({"synthetic_batch_size": 0},)


def _trajectory_probe() -> dict[str, Any]:
    return {
        "n": 3,
        "m": 1,
        "t_plus": 3,
        "learning_rate_rate": 1e-3,
        "first_learning_rate": 0.05,
        "synthetic_batch_size": 3,
    }


def made_up_experts() -> MemoryInput:
    """Two trajectories of three epochs for probes: from one random network straight to another."""

    from harness.lab.models.networks import build

    files = {}
    for number in range(2):
        ends = (build(MATCHED, DATASET, seed) for seed in (number, number + 2))
        start, end = (dict(net.double().named_parameters()) for net in ends)
        share = np.linspace(0, 1, 4).tolist()
        path = {
            name: np.stack([(weight + t * (end[name] - weight)).detach().numpy() for t in share])
            for name, weight in start.items()
        }
        name = f"expert-{number:03d}"
        files[name] = weights_file(name, path)
    return MemoryInput({"count": 2, "epochs": 3}, files=files)


STEPS = (
    declare(experts, _experts_probe, _experts_work),
    declare(
        distill_tm,
        lambda: Probe(
            TmParams(**synthesis_probe() | _trajectory_probe()),
            {"experts": made_up_experts()},
            variants=WHOLE_BATCH,
        ),
        _tm_work,
        inputs=("experts",),
    ),
    declare(distill_datm, _datm_probe, _tm_work, inputs=("experts",)),
)
