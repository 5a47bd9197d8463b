"""A student: a network trained from scratch on a small set, and evaluated on the test split."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import ValidationInfo, field_validator, model_validator

from harness.lab.probing import (
    BY_DSA,
    DATASET,
    NETWORK,
    PLAIN_SGD,
    RECIPE,
    STRATEGY,
    chosen,
    recipes,
    taught,
)
from harness.lab.recipe import Count, DatasetRef, Recipe, RecipeOfData, check_factor, passes
from harness.later import np
from harness.plan.step import (
    Facts,
    Json,
    MemoryInput,
    Probe,
    Share,
    StepContext,
    StepInput,
    StepParams,
    StepResult,
    Work,
    declare,
    dotted,
)


class StudentParams(StepParams):
    dataset: DatasetRef
    network: str
    factor: Count = 1
    """Patches along each side that PatchShuffle exchanges; 1 leaves the images as they are."""
    recipe: RecipeOfData
    per_class: Count
    """Images per class of the input, so that its cost is known before it exists; checked then."""

    @field_validator("recipe")
    @classmethod
    def _only_what_counts(cls, recipe: Recipe, info: ValidationInfo) -> Recipe:
        """One patch stays where it is by any code, so that it is the same work."""
        if info.data.get("factor", 1) > 1:
            return recipe
        return recipe.model_copy(update={"patch_shuffle": "rded"})

    @model_validator(mode="after")
    def _whole_patches(self) -> StudentParams:
        check_factor(self.factor, self.dataset)
        return self


def student(params: StudentParams, inputs: Mapping[str, StepInput], ctx: StepContext) -> StepResult:
    """Train on the images and labels of the input, evaluate after the last epoch.

    The input holds `labels` and either `images` (n x height x width x channels; uint8, or floating
    and normalised already) or `indices` into the training split. Values `accuracy` (fraction, test
    split) and `loss`; arrays `correct`, the test split's correctness packed into bytes by
    `np.packbits`, and `curve`, the mean training loss of each epoch, float32 (epochs run,), float64
    if the recipe's precision is.
    Raises `UserError` if the input does not hold `per_class` images of every class.
    """
    from harness.lab.train.student_training import trained

    return trained(params, inputs["images"], ctx)


def student_stored(
    params: StudentParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> StepResult:
    """As `student`, with one stored soft label an image: `logits` of the second input.

    All kinds of student draw alike, so that their comparisons are paired.
    """
    from harness.lab.train.student_training import stored_objective, trained

    objective = stored_objective(params, inputs, ctx)
    return trained(params, inputs["images"], replace(ctx, step="student"), objective)


def student_online(
    params: StudentParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> StepResult:
    """As `student`, labelled at every step by the teacher, which sees what the student sees."""
    from harness.lab.train.student_training import online_objective, trained

    objective = online_objective(params, inputs, ctx)
    return trained(params, inputs["images"], replace(ctx, step="student"), objective)


def student_together(
    params: StudentParams, shares: Sequence[Share], ctx: StepContext
) -> list[StepResult]:
    """`student` for several seeds and sets at once."""
    from harness.lab.train.student_training import trained_together

    return trained_together(params, shares, ctx, lambda share: None)


def student_stored_together(
    params: StudentParams, shares: Sequence[Share], ctx: StepContext
) -> list[StepResult]:
    """`student_stored` for several seeds and sets at once."""
    from harness.lab.train.student_training import stored_objective, trained_together

    return trained_together(
        params, shares, ctx, lambda s: stored_objective(params, s.inputs, s.context)
    )


def student_online_together(
    params: StudentParams, shares: Sequence[Share], ctx: StepContext
) -> list[StepResult]:
    """`student_online` for several seeds and sets at once."""
    from harness.lab.train.student_training import online_objective, trained_together

    return trained_together(
        params, shares, ctx, lambda s: online_objective(params, s.inputs, s.context)
    )


def _student_work(p: StudentParams, facts: Facts) -> Work:
    trained = p.recipe.run_epochs * p.per_class * p.dataset.classes
    return passes(facts, p.network, p.dataset, trained, p.dataset.test_size, p.recipe.precision)


def _online_work(p: StudentParams, facts: Facts) -> Work:
    """The teacher answers to everything that the student is trained on."""
    shown = p.recipe.run_epochs * p.per_class * p.dataset.classes
    answers = passes(facts, p.recipe.teacher, p.dataset, 0, shown, p.recipe.precision)
    return _student_work(p, facts) + answers


def _together(function: Callable[..., list[StepResult]]) -> Callable[[StudentParams], str]:
    """Small networks alone leave most of a GPU idle; larger ones fill it."""
    return lambda p: dotted(function) if p.network.startswith(("convnet-", "mlp")) else ""


TRAINED_OTHERWISE: tuple[dict[str, Json], ...] = (
    {"ema": 0.9},
    {"warmup_counted": False},
    {"warmup_start": 0.1},
    {"decayed_parameters": "weights"},
    {"scheduler_interval": "epoch"},
    {"cosine_floor": 0.5},
)
"""Changes of the recipe that every kind of student is probed with."""


def probe_student() -> Probe:
    return Probe(
        StudentParams(dataset=DATASET, network=NETWORK, recipe=RECIPE, factor=2, per_class=5),
        {"images": chosen(per_class=5)},
        variants=recipes(
            *TRAINED_OTHERWISE,
            PLAIN_SGD,
            {"nesterov": False},
            {"weight_decay": 0.0},
            {"warmup_epochs": 0},
            {"scheduler": "step", "step_after_epochs": 1, "step_factor": 0.1},
            {"scheduler": "step", "loop": "official", "step_factor": 0.1},
            {"evaluation_epochs": 1},
            {"zca": True},
            BY_DSA,
            BY_DSA | {"dsa_mode": "all"},
            BY_DSA | {"dsa_parameters": "per-batch"},
            {"patch_shuffle": "none"},
        ),
    )


def probe_student_stored() -> Probe:

    recipe = _softened(labels="stored", augmentation="dsa", dsa_strategy="color_scale", kl_t2=True)
    params = StudentParams(dataset=DATASET, network=NETWORK, recipe=recipe, per_class=5)
    row, column = np.indices((20, DATASET.classes))
    logits = MemoryInput(held={"logits": 3 * np.sin(1.3 * row + 2.1 * column)})
    variants = recipes(
        *TRAINED_OTHERWISE,
        {"kl_t2": False},
        {"kl_reduction": "mean"},
        {"weight_decay": 0.0},
        {"warmup_epochs": 0},
        {"evaluation_epochs": 1},
        {"dsa_strategy": STRATEGY},
    )
    return Probe(params, {"images": chosen(per_class=5), "soft_labels": logits}, variants=variants)


def probe_student_online() -> Probe:
    return Probe(
        StudentParams(
            dataset=DATASET,
            network=NETWORK,
            recipe=_softened(
                labels="online", augmentation="rrc-flip-cutmix", cutmix_alpha=1.0, teacher=NETWORK
            ),
            per_class=5,
        ),
        {"images": chosen(per_class=5), "teacher": taught()},
        variants=recipes(
            *TRAINED_OTHERWISE, {"teacher_mode": "train"}, {"label_storage": "per-epoch"}
        ),
    )


def _softened(**fields: Any) -> Recipe:
    """The recipe of the other probes with soft labels and AdamW."""
    soft = {"loss": "kl", "temperature": 4.0, "optimizer": "adamw", "learning_rate": 0.01}
    return Recipe.model_validate(RECIPE.model_dump() | soft | fields)


STEPS = (
    declare(
        student, probe_student, _student_work, inputs=("images",), fused=_together(student_together)
    ),
    declare(
        student_stored,
        probe_student_stored,
        _student_work,
        inputs=("images", "soft_labels"),
        fused=_together(student_stored_together),
    ),
    declare(
        student_online,
        probe_student_online,
        _online_work,
        inputs=("images", "teacher"),
        fused=_together(student_online_together),
    ),
)
