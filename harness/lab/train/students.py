"""Students that differ only in their seeds and sets, trained together where there is a GPU.

Each function returns what the one of its name in `student` returns for each member alone, to
rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch

from harness.lab.data import sets
from harness.lab.train.fused import Member, at_once, hand_back, joined, training_together
from harness.lab.train.loop import Examples, Objective
from harness.lab.train.schedule import batch_sizes
from harness.lab.train.steps import StudentParams
from harness.lab.train.student import beginner, curve, judged, labelled, taught
from harness.plan.step import Share, StepContext, StepResult


def student(params: StudentParams, shares: Sequence[Share], ctx: StepContext) -> list[StepResult]:
    return _students(params, shares, ctx, lambda share: None)


def student_stored(
    params: StudentParams, shares: Sequence[Share], ctx: StepContext
) -> list[StepResult]:
    return _students(params, shares, ctx, lambda s: labelled(params, s.inputs, s.context))


def student_online(
    params: StudentParams, shares: Sequence[Share], ctx: StepContext
) -> list[StepResult]:
    return _students(params, shares, ctx, lambda s: taught(params, s.inputs, s.context))


def _students(
    params: StudentParams,
    shares: Sequence[Share],
    ctx: StepContext,
    objective: Callable[[Share], Objective | None],
) -> list[StepResult]:
    """In groups of as many as the device has room for."""
    members = [_begun(params, share, objective(share)) for share in shares]
    split = sets.load(params.dataset).test
    test = Examples.on(ctx.device, split.images, split.labels)
    size = at_once(members[0].classifier, len(members), params.recipe.batch_size)
    groups = [members[start : start + size] for start in range(0, len(members), size)]
    results = []
    for number, group in enumerate(groups):
        curves = _train(params, group, ctx.part(number, len(groups)))
        results += [judged(m.classifier, c, test) for m, c in zip(group, curves, strict=True)]
    return results


def _begun(params: StudentParams, share: Share, objective: Objective | None) -> Member:
    own = replace(share.context, step="student")
    return Member(*beginner(params, share.inputs["images"], own), own, objective)


def _train(params: StudentParams, members: Sequence[Member], ctx: StepContext) -> list[np.ndarray]:
    """The curve of each, whose network is trained then."""
    recipe, examples = params.recipe, len(members[0].examples)
    samples = recipe.run_epochs * examples
    sizes = np.array(batch_sizes(examples, recipe.batch_size, samples))
    whole = joined([member.classifier for member in members])
    kept = torch.empty(len(members), len(sizes), dtype=whole.dtype, device=ctx.device)
    for update in training_together(
        whole, members, recipe, samples, ctx, params.factor, {"losses": kept}
    ):
        kept[:, update.number - 1] = update.loss
    hand_back(whole, [member.classifier for member in members])
    return [curve(losses, sizes, recipe.run_epochs) for losses in kept.cpu().numpy()]
