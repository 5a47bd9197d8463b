"""What learned labels are: logits, or probabilities, which are converted only when that is said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal, TypeAlias, get_args

import numpy as np

from harness.errors import UserError, nearest
from harness.lab.data.refused import Refused
from harness.lab.imports.imported import Imported

SoftLabels: TypeAlias = Literal["logits", "probabilities"]
FLOOR = 1e-6
"""The least probability that a logarithm is taken of."""
_ROUNDED = 0.01
"""How far a row of probabilities may be from one in sum, where they were kept in half precision."""


def as_logits(path: Path, given: Imported, said: str | None) -> Imported:
    """The set with logits for soft labels, which are what students read.

    Args:
        said: what the soft labels are, of `SoftLabels`; None where nobody says so.

    Raises:
        Refused: they look like probabilities and nobody says what they are, or it is said that
            they are probabilities and they cannot be.
        UserError: there is no such kind.
    """
    kinds = get_args(SoftLabels)
    if said is not None and said not in kinds:
        raise UserError(f"unknown kind of soft labels '{said}'; {nearest(said, kinds)}")
    soft = given.soft_labels
    if soft is None:
        if said is not None:
            raise Refused(path, f"it has no soft labels, so none can be {said}")
        return given
    found = _looks_like(soft)
    if said is None and found:
        raise Refused(path, _mistaken(soft, found))
    if said != "probabilities":
        return given
    if not found:
        raise Refused(path, "its soft labels are no probabilities: each row would sum to 1")
    note = f"soft labels were {found}; kept are their logarithms, of none below {FLOOR:g}"
    logits = np.log(np.maximum(soft, np.float32(FLOOR)))
    return replace(given, soft_labels=logits, notes=(*given.notes, note))


def _looks_like(soft: np.ndarray) -> str:
    """`one-hot` or `probabilities` where every row is a distribution; else nothing."""
    sums = soft.sum(axis=1, dtype=np.float64)
    inside = ((soft >= 0) & (soft <= 1)).all()
    if not len(soft) or not inside or np.abs(sums - 1).max() > _ROUNDED:
        return ""
    return "one-hot" if np.isin(soft, (0, 1)).all() else "probabilities"


def _mistaken(soft: np.ndarray, found: str) -> str:
    """Why probabilities are no logits, in figures of this set."""
    raised = np.exp(soft, dtype=np.float64)
    read = float((raised.max(axis=1) / raised.sum(axis=1)).mean())
    stated = float(soft.max(axis=1).mean())
    return (
        f"its soft labels are {found}: all from 0 to 1, and 1 in sum for each image. Logits are "
        f"expected; read as such, they would give the likeliest class {read:.1%}, where they say "
        f"{stated:.1%}. Say `--soft-labels probabilities` to have their logarithms kept (of none "
        f"below {FLOOR:g}), or `--soft-labels logits` if that is what they are"
    )
