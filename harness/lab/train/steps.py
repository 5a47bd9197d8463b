"""Training on everything, on little, and labelling: parameters, inputs and costs.

Neither torch nor numpy is imported here, so that planning stays cheap.
"""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from harness.lab.declare import declare, passes
from harness.lab.recipe import Count, DatasetRef, Recipe, check_factor
from harness.plan.step import Facts, StepParams, Work


class TeacherParams(StepParams):
    dataset: DatasetRef
    network: str
    recipe: Recipe
    pretrained: str = ""
    """Name of torchvision weights such as IMAGENET1K_V1, or `sha256:` and the fingerprint of a file
    of one's own; empty: train on the training split."""

    @model_validator(mode="after")
    def _reads_what_others_give_it(self) -> TeacherParams:
        if self.recipe.zca:
            raise ValueError("the steps that ask a teacher do not whiten: zca must be false for it")
        return self


class SoftLabelsParams(StepParams):
    dataset: DatasetRef
    network: str
    """Of the teacher."""
    per_class: Count
    mode: Literal["eval", "train"]
    """Whether the teacher's norms use running statistics or those of the batch."""


class StudentParams(StepParams):
    dataset: DatasetRef
    network: str
    recipe: Recipe
    factor: Count = 1
    """Of the PatchShuffle augmentation; 1 is none."""
    per_class: Count
    """Images per class of the input, so that its cost is known before it exists; checked then."""

    @model_validator(mode="after")
    def _whole_patches(self) -> StudentParams:
        check_factor(self.factor, self.dataset)
        return self


def _teacher_work(p: TeacherParams, facts: Facts) -> Work:
    trained = 0 if p.pretrained else p.recipe.run_epochs * p.dataset.train_size
    return passes(facts, p.network, p.dataset, trained, p.dataset.test_size, p.recipe.precision)


def _soft_labels_work(p: SoftLabelsParams, facts: Facts) -> Work:
    return passes(facts, p.network, p.dataset, 0, p.per_class * p.dataset.classes)


def _student_work(p: StudentParams, facts: Facts) -> Work:
    trained = p.recipe.run_epochs * p.per_class * p.dataset.classes
    return passes(facts, p.network, p.dataset, trained, p.dataset.test_size, p.recipe.precision)


def _online_work(p: StudentParams, facts: Facts) -> Work:
    """The teacher answers to everything that the student is trained on."""
    taught = p.recipe.run_epochs * p.per_class * p.dataset.classes
    own = _student_work(p, facts)
    answers = passes(facts, p.recipe.teacher, p.dataset, 0, taught, p.recipe.precision)
    return own + answers


def _together(p: StudentParams) -> str:
    """Small networks alone leave most of a GPU idle; larger ones fill it."""
    return "train.students" if p.network.startswith(("convnet-", "mlp")) else ""


STEPS = (
    declare("teacher", "train.teacher", TeacherParams, _teacher_work),
    declare(
        "student",
        "train.student",
        StudentParams,
        _student_work,
        inputs=("images",),
        fused=_together,
    ),
    declare(
        "soft_labels",
        "train.soft",
        SoftLabelsParams,
        _soft_labels_work,
        inputs=("images", "teacher"),
    ),
    declare(
        "student_stored",
        "train.student",
        StudentParams,
        _student_work,
        inputs=("images", "soft_labels"),
        fused=_together,
    ),
    declare(
        "student_online",
        "train.student",
        StudentParams,
        _online_work,
        inputs=("images", "teacher"),
        fused=_together,
    ),
)
