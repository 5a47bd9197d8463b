"""Looking at a cell after every run, with the same errors as looking once.

Group-sequential tests with error spending (Lan and DeMets, 1983, Biometrika 70:659): each look may
use up a part of the 5 %, and together they use no more. The stated number is drawn once, so the
information about the difference after n runs of ours is 1 / (1/n + 1/m), and differences at
successive looks are correlated as group-sequential theory has it. Spending is Pocock's kind, which
is generous early, since most cells are decided by few runs.

Levels are those of normal statistics, used as levels of the moderated t: `simulated` measures what
comes of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from harness.judge.decision import ALPHA
from harness.judge.moderated import Errors, Floats, moderate, p_inside, p_outside, welch

LOOKS = (2, 3, 5, 8, 12)
FUTILE = 0.02
"""A cell is given up when the chance that the runs left decide it falls below this."""
_NODES = 1601
_REACH = 6.0


def levels(reported_runs: float, looks: Sequence[int], alpha: float = ALPHA) -> dict[int, float]:
    """Number of runs of ours at each look -> the one-sided level to test at then.

    Args:
        reported_runs: of the stated number; infinite for one that is known exactly.
        looks: increasing, at two runs or more; the last is the most that may be run.
    """
    runs = np.array(looks, dtype=np.float64)
    information = 1 / (1 / runs + 1 / reported_runs)
    spent = alpha * np.log1p((np.e - 1) * information / information[-1])
    bounds = _bounds(information, np.diff(spent, prepend=0.0))
    return dict(zip(looks, norm.sf(bounds).tolist(), strict=True))


def _bounds(information: Floats, spending: Floats) -> list[float]:
    """Upper bounds of z that are first crossed with the given chances (Armitage et al., 1969).

    The score z * sqrt(information) is a random walk; its density below all bounds so far is kept
    on a grid.
    """
    scale = np.sqrt(information[-1])
    grid = np.linspace(-_REACH * scale, _REACH * scale, _NODES)
    step = grid[1] - grid[0]
    bounds: list[float] = []
    density = np.zeros(_NODES)
    for i, spend in enumerate(spending):
        if i == 0:
            density = norm.pdf(grid, scale=np.sqrt(information[0]))
        else:
            walk = norm.pdf(
                grid[:, None] - grid[None, :], scale=np.sqrt(np.diff(information)[i - 1])
            )
            density = walk @ density * step
        above = np.cumsum(density[::-1])[::-1] * step - density * step / 2
        bound = float(np.interp(-spend, -above, grid))
        bounds.append(bound / float(np.sqrt(information[i])))
        density = np.where(grid < bound, density, 0.0)
    return bounds


def hopeless(
    gaps: Floats, errors: Errors, now: Floats, last: Floats | float, level: float, margin: float
) -> Floats:
    """Whether the runs that are left decide a cell with a chance below `FUTILE`.

    Args:
        gaps: present differences.
        now, last: squared error per variance now (1/n + 1/m) and when all runs are made.
        level: of the last look.

    The difference to come is normal around the present one; the spread is taken as it is.
    """
    final = errors.squared * last / now
    wander = np.sqrt(np.maximum(errors.squared - final, 1e-300))
    reach = norm.isf(level) * np.sqrt(final)
    inside = norm.cdf((margin - reach - gaps) / wander) - norm.cdf((reach - margin - gaps) / wander)
    outside = norm.sf((margin + reach - gaps) / wander) + norm.cdf(
        (-margin - reach - gaps) / wander
    )
    return np.asarray(np.maximum(inside, 0) + outside < FUTILE)


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Shares over all repetitions and cells, and runs of ours per cell."""

    reproduced: dict[float, float]
    """True difference -> share."""
    deviates: dict[float, float]
    runs: float

    def decided(self, truths: Floats) -> float:
        """Share of the cells that are decided, of a mix of truths."""
        shares = [self.reproduced[t] + self.deviates[t] for t in truths.tolist()]
        return float(np.mean(shares))


def simulated(
    stds: Sequence[float],
    truths: Floats,
    looks: Sequence[int],
    repetitions: int,
    seed: int = 0,
    margin: float = 1.0,
) -> Outcomes:
    """Exhibits whose cells get a run each, wave by wave, until decided or given up.

    Args:
        stds: of a run on either side, one for each cell; the stated numbers are of three runs.
        truths: the mix of differences, dealt to cells at random.
        looks: runs of ours at each look; a single one is the test with a fixed number of runs.
    """
    rng = np.random.default_rng(seed)
    shape, std, reported_runs = (repetitions, len(stds)), np.array(stds), 3.0
    truth = rng.choice(truths, shape)
    stated = rng.normal(0, std / np.sqrt(reported_runs), shape)
    theirs = std**2 * rng.chisquare(reported_runs - 1, shape) / (reported_runs - 1)
    most, level = looks[-1], levels(reported_runs, looks)
    runs = truth[..., None] + std[:, None] * rng.normal(size=(*shape, most))
    state, used = np.zeros(shape, np.int8), np.full(shape, looks[0])
    for n in level:
        used = np.where(state == 0, n, used)
        errors, gaps, scale = _look(runs, used, stated, theirs, reported_runs)
        open_still = state == 0
        inside = p_inside(gaps, -margin, margin, errors) < level[n]
        outside = p_outside(gaps, -margin, margin, errors) < level[n]
        last = 1 / most + 1 / reported_runs
        futile = hopeless(gaps, errors, scale, last, level[most], margin)
        found = np.where(inside, 1, np.where(outside, 2, np.where(futile, 3, 0)))
        state = np.where(open_still, found, state)
    values = sorted(set(truths.tolist()))
    share = {
        code: {t: float(np.mean(state[truth == t] == code)) for t in values} for code in (1, 2)
    }
    return Outcomes(share[1], share[2], float(used.mean()))


def _look(
    runs: Floats, used: Floats, stated: Floats, theirs: Floats, reported_runs: float
) -> tuple[Errors, Floats, Floats]:
    """Errors, differences and scales when each cell has its first `used` runs."""
    made = np.arange(runs.shape[-1]) < used[..., None]
    means = np.sum(runs * made, axis=-1) / used
    squares = np.sum(np.square(runs - means[..., None]) * made, axis=-1) / (used - 1)
    each = np.full(used.shape, reported_runs)
    scale = 1 / used + 1 / each
    own = welch((squares, theirs), (used.astype(np.float64), each))
    return moderate(own, scale), means - stated, scale
