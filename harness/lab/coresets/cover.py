"""Centres that cover n points, found without computing most of the distances."""

from __future__ import annotations

import numpy as np
import torch

from harness.errors import UserError

BLOCK = 256
"""Coordinates whose squares are summed together: short sums round less than long ones."""
AT_ONCE = 64
"""Chosen rows that the rows which are woken are compared with at once."""
FEW = 16
"""So few sleeping rows are woken together."""
ROUNDING = 1e-9
"""Distances that differ by no more, relatively, are equal."""


class Cover:
    """Rows chosen of `points` (n, d), and the row that is farthest from the nearest of them.

    Products of float32 say how far rows are apart, but for rounding; whatever that leaves open,
    `distances` decides. A chosen row can only bring others nearer. So a row that is nearer than
    others sleeps: it is compared with further ones only when all that are awake have come nearer
    than it was (lazy evaluation, Minoux 1978). The choice is that of `distances` alone. Memory is
    linear in n: no more than that of the points once more.
    """

    def __init__(self, points: np.ndarray, start: int) -> None:
        self.rows = [start]
        self._points = points
        self._rounded, self._norms, self._slack = rounded(points, start)
        self._nearest = self._squares(self._rounded, self._norms, [start])
        self._nearest[start] = -np.inf
        self._seen = np.ones(len(points), int)
        self._floor = middle(self._nearest)
        """Squared distance below which rows sleep."""
        self._awake, self._squares_awake = np.arange(len(points)), self._nearest.copy()
        self._coordinates, self._their_norms = self._rounded, self._norms

    def add(self, row: int) -> None:
        """Choose a row; only those awake are compared with it."""
        self.rows.append(row)
        squares = self._squares(self._coordinates, self._their_norms, [row])
        np.minimum(self._squares_awake, squares, out=self._squares_awake)
        self._squares_awake[self._awake == row] = -np.inf
        self._nearest[row] = -np.inf
        far = self._squares_awake >= self._floor
        if 2 * np.count_nonzero(far) < len(far):
            self._note()
            self._watch(self._awake[far])

    def farthest(self) -> int:
        """The lowest of the rows farthest from all chosen ones; some must be left to choose."""
        while (least := self._squares_awake.max(initial=-np.inf) - 2 * self._slack) < self._floor:
            self._lower_floor()
        could_be = self._awake[self._squares_awake >= least]
        if len(could_be) == 1:
            return int(could_be[0])
        return int(could_be[np.argmax([self.distance(row) for row in could_be])])

    def distance(self, row: int) -> float:
        """From a row to the nearest chosen one."""
        rows = np.array(self.rows)
        squares = self._squares(self._rounded[rows], self._norms[rows], [row])
        near = rows[squares <= squares.min() + 2 * self._slack]
        there, here = self._points[near].astype(np.float64), self._points[row].astype(np.float64)
        return float(distances(there, here).min())

    def _squares(self, points: np.ndarray, norms: np.ndarray, rows: list[int]) -> np.ndarray:
        """Squared distances to the nearest of `rows`, but for rounding."""
        squares: np.ndarray
        if len(rows) == 1:
            squares = norms + self._norms[rows] - 2 * (points @ self._rounded[rows[0]])
        else:
            products = self._norms[rows] - 2 * (points @ self._rounded[rows].T)
            squares = norms + products.min(axis=1)
        return squares

    def _lower_floor(self) -> None:
        """Wake the farther half of those asleep."""
        self._note()
        asleep = np.flatnonzero((self._nearest > -np.inf) & (self._nearest < self._floor))
        self._floor = middle(self._nearest[asleep]) if len(asleep) > FEW else -np.inf
        woken = asleep[self._nearest[asleep] >= self._floor]
        points, norms = self._rounded[woken], self._norms[woken]
        for begin in range(self._seen[woken].min(initial=len(self.rows)), len(self.rows), AT_ONCE):
            squares = self._squares(points, norms, self.rows[begin : begin + AT_ONCE])
            self._nearest[woken] = np.minimum(self._nearest[woken], squares)
        self._seen[woken] = len(self.rows)
        self._watch(np.flatnonzero((self._nearest > -np.inf) & (self._nearest >= self._floor)))

    def _note(self) -> None:
        """Keep what is known of those awake."""
        self._nearest[self._awake] = self._squares_awake
        self._seen[self._awake] = len(self.rows)

    def _watch(self, rows: np.ndarray) -> None:
        """Let these be awake, side by side in memory."""
        self._awake, self._squares_awake = rows, self._nearest[rows]
        self._coordinates, self._their_norms = self._rounded[rows], self._norms[rows]


def middle(numbers: np.ndarray) -> float:
    """One that at least half of the numbers reach."""
    half = len(numbers) // 2
    found: float = np.partition(numbers, half)[half]
    return found


def rounded(points: np.ndarray, start: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Points in float32, their squared norms, and how much a squared distance errs at most.

    In float64 where float32 leaves too much open: where numbers are very large or small, or points
    are far from the origin beside their distances.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        made = points.astype(np.float32, copy=False)
        norms, slack = norms_of(made)
        apart = (norms + norms[start] - 2 * (made @ made[start])).max()
    if norms.max() > 1e-30 and slack < 1e-3 * apart:
        return made, norms, slack
    made = points.astype(np.float64, copy=False)
    return made, *norms_of(made)


def norms_of(points: np.ndarray) -> tuple[np.ndarray, float]:
    """Squared norms (n,), and a bound of the error of |x|^2 + |c|^2 - 2 x.c.

    A sum of k rounded products errs by less than k/2 eps times the product of the norms, in any
    order. Here these are d for the product, twice, the block and the blocks for the norms, twice,
    some more for the sums and for rounding the points, and those of `distances` in float64.
    """
    width = points.shape[1]
    starts = range(0, width, BLOCK)
    blocks = [points[:, begin : begin + BLOCK] for begin in starts]
    norms = np.sum([np.vecdot(block, block) for block in blocks], axis=0)
    eps, exact = np.finfo(points.dtype).eps, np.finfo(np.float64).eps
    sums = eps * (width + min(width, BLOCK) + len(blocks) + 8) + exact * 2 * (width + 4)
    return norms, float(1.01 * sums * norms.max())


def distances(points: np.ndarray, point: np.ndarray) -> np.ndarray:
    """Euclidean distances (n,) of points (n, d) from one point (d,)."""
    apart: np.ndarray = np.linalg.norm(points - point, axis=1)
    return apart


def centres(points: np.ndarray, count: int, method: str, generator: torch.Generator) -> np.ndarray:
    """Rows (count,) of `points` (n, d) in the order chosen. Raises `UserError` if n < count."""
    if count > len(points):
        raise UserError(
            f"select_centers: {count} centres are asked for among {len(points)} examples; ask for "
            "fewer"
        )
    if method == "k-means":
        return medoids(points, count, int(torch.randint(2**31, (), generator=generator)))
    if method == "greedy":
        start = int(torch.randint(len(points), (), generator=generator))
    else:
        start = int(distances(points, points.mean(axis=0)).argmin())
    return farthest_first(points, count, start)


def farthest_first(points: np.ndarray, count: int, start: int) -> np.ndarray:
    """Greedy k-centre: again and again the row farthest from all that are chosen (Gonzalez 1985).

    Ties go to the lowest row. The covering radius is at most twice the smallest possible.
    """
    cover = Cover(points, start)
    while len(cover.rows) < count:
        # A copy of a row that is chosen may come again, the row itself must not.
        cover.add(cover.farthest())
    return np.array(cover.rows)


def medoids(points: np.ndarray, count: int, seed: int) -> np.ndarray:
    """The row nearest to the mean of each k-means cluster; large clusters first.

    Ties go to the lowest row, whatever a processor's rounding says: both rows of a pair are equally
    near to their mean.
    """
    from sklearn.cluster import KMeans

    found = KMeans(count, n_init=1, random_state=seed).fit(points)
    sizes = np.bincount(found.labels_, minlength=count)
    rows = []
    for cluster in np.argsort(-sizes, kind="stable"):
        members = np.flatnonzero(found.labels_ == cluster)
        apart = distances(points[members], found.cluster_centers_[cluster])
        rows.append(members[apart <= apart.min() * (1 + ROUNDING)][0])
    return np.array(rows)


def radius(points: np.ndarray, rows: np.ndarray) -> float:
    """The largest distance of a point to the nearest of the chosen rows."""
    if len(rows) == len(points):
        return 0.0
    cover = Cover(points, int(rows[0]))
    for row in rows[1:]:
        cover.add(int(row))
    return cover.distance(cover.farthest())
