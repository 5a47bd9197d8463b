"""The fit of the authors' code, as a reference: every combination of a grid, and the least error.

Goyal et al. search 100 values each of a, b and tau, with d given, since scipy's optimisers were
unstable for them. Their code stops after 100,000 combinations in random order; this one looks at
all of them, so its error is never above theirs.
"""

from __future__ import annotations

import numpy as np

from harness.lab.measure.scaling.fit import Fit
from harness.lab.measure.scaling.law import LAWS, Looks


def grid_fit(
    law: str,
    looks: Looks,
    errors: np.ndarray,
    values: tuple[np.ndarray, np.ndarray, np.ndarray],
    d: float,
) -> Fit:
    """The combination of a, b and tau with the least sum of squared errors, the first of equals.

    Args:
        values: of a, of b and of tau.
    """
    a_values, b_values, tau_values = values
    best, least = (0.0, 0.0, 0.0), np.inf
    for a in a_values:
        predicted = LAWS[law](looks, a, b_values[:, None], tau_values, d)
        sse = ((predicted - errors) ** 2).sum(axis=-1)
        row, column = np.unravel_index(sse.argmin(), sse.shape)
        if sse[row, column] < least:
            best, least = (a, b_values[row], tau_values[column]), sse[row, column]
    a, b, tau = (float(x) for x in best)
    predicted = LAWS[law](looks, a, b, tau, d)
    return Fit(np.array([b]), np.array([tau]), a, d, float(least), predicted)
