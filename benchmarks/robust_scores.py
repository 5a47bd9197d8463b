"""DD-Ranking's scores: how much of a set's accuracy comes from its images (Li et al. 2025).

Accuracies are fractions. The official code (NUS-HPC-AI-Lab/DD-Ranking) reports percent, and the
formulas, fed with those, leave [0, 1]: a gain of 10 and a loss of 5 points would score 5.03.
"""

from __future__ import annotations

import math

from harness.errors import UserError


def label_robust_score(
    full_hard: float, set_hard: float, set_any: float, random_any: float, weight: float = 0.5
) -> float:
    """LRS in [0, 1]: of `weight` x IOR - (1 - `weight`) x HLR, see `squeezed`.

    Args:
        full_hard: accuracy of students of the whole training split, on its labels.
        set_hard: of students of the set, on hard labels.
        set_any: of students of the set, on the labels that it comes with.
        random_any: of students of as many random images, on labels made likewise.

    HLR, the hard-label recovery, is `full_hard` - `set_hard`; IOR, the improvement over random, is
    `set_any` - `random_any`. Raises `UserError` if an accuracy is no fraction.
    """
    _require_fractions(full_hard, set_hard, set_any, random_any)
    return squeezed(weight * (set_any - random_any) - (1 - weight) * (full_hard - set_hard))


def augmentation_robust_score(
    set_augmented: float,
    random_augmented: float,
    set_plain: float,
    random_plain: float,
    weight: float = 0.5,
) -> float:
    """ARS in [0, 1]: of the improvement over random images with augmentation and without it.

    With weights `weight` and 1 - `weight`, see `squeezed`. Raises `UserError` if an accuracy is no
    fraction.
    """
    _require_fractions(set_augmented, random_augmented, set_plain, random_plain)
    augmented, plain = set_augmented - random_augmented, set_plain - random_plain
    return squeezed(weight * augmented + (1 - weight) * plain)


def squeezed(advantage: float) -> float:
    """(e^x - e^-1) / (e - e^-1): 0 for the worst advantage, -1, and 1 for the best, 1."""
    return (math.exp(advantage) - math.exp(-1)) / (math.e - math.exp(-1))


def _require_fractions(*accuracies: float) -> None:
    for accuracy in accuracies:
        if not 0 <= accuracy <= 1:
            raise UserError(
                f"an accuracy of {accuracy:g} is no fraction: DD-Ranking's scores need accuracies "
                "between 0 and 1; divide percent by 100"
            )
