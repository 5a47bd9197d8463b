"""k-centre choices against brute force and their laws."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import UserError
from harness.lab.coresets.centers import probe_select_centers as probe
from harness.lab.coresets.centers import select_centers
from harness.lab.coresets.cover import centres, farthest_first, medoids, norms_of, radius
from harness.lab.coresets.pools import pools
from harness.lab.data import sets
from tests.lab.fixtures import context

GRIDS = st.lists(
    st.tuples(st.integers(-9, 9), st.integers(-9, 9)), min_size=4, max_size=9, unique=True
).map(lambda rows: np.array(rows, float))


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@given(points=GRIDS, count=st.integers(1, 4), start=st.integers(0, 3))
def test_greedy_covers_within_twice_the_smallest_radius(
    points: np.ndarray, count: int, start: int
) -> None:
    best = min(radius(points, np.array(rows)) for rows in combinations(range(len(points)), count))
    rows = farthest_first(points, count, start)
    assert len(set(rows.tolist())) == count
    assert radius(points, rows) <= 2 * best + 1e-9


@given(points=GRIDS, start=st.integers(0, 3))
def test_prefixes_are_choices_and_cover_ever_better(points: np.ndarray, start: int) -> None:
    whole = farthest_first(points, len(points), start)
    radii = []
    for count in range(1, len(points) + 1):
        assert farthest_first(points, count, start).tolist() == whole[:count].tolist()
        radii.append(radius(points, whole[:count]))
    assert radii == sorted(radii, reverse=True)
    assert radii[-1] == 0


@given(seed=st.integers(0, 1000))
def test_the_order_of_the_examples_does_not_matter(seed: int) -> None:
    # Random reals have no ties, so the choice is unique.
    random = np.random.default_rng(seed)
    points, order = random.normal(size=(12, 3)), random.permutation(12)
    rows = farthest_first(points, 5, 3)
    moved = farthest_first(points[order], 5, int(np.flatnonzero(order == 3)[0]))
    assert order[moved].tolist() == rows.tolist()


def test_by_hand_and_ties_go_to_the_lowest_row() -> None:
    line = np.array([[0.0], [1.0], [5.0], [10.0]])
    assert farthest_first(line, 4, 1).tolist() == [1, 3, 2, 0]
    assert farthest_first(np.array([[0.0], [-2.0], [2.0]]), 3, 0).tolist() == [0, 1, 2]
    # The mean of the line is 4.
    assert centres(line, 1, "greedy-from-mean", generator()).tolist() == [2]


def test_copies_of_a_point_are_not_chosen_twice() -> None:
    rows = farthest_first(np.zeros((4, 2)), 4, 2)
    assert sorted(rows.tolist()) == [0, 1, 2, 3]


def plainly(points: np.ndarray, count: int, start: int) -> tuple[list[int], float]:
    """Rows and radius from all distances, as the definition reads."""
    apart = np.stack([np.linalg.norm(points - point, axis=1) for point in points])
    rows = [start]
    while len(rows) < count:
        nearest = apart[rows].min(axis=0)
        nearest[rows] = -1
        rows.append(int(nearest.argmax()))
    return rows, apart[rows].min(axis=0).max()


@given(
    seed=st.integers(0, 10_000),
    levels=st.sampled_from([0, 1, 3]),
    place=st.sampled_from([0.0, 1e6]),
    size=st.sampled_from([1e-30, 1.0, 1e30]),
)
def test_the_choice_is_that_of_all_distances_ties_included(
    seed: int, levels: int, place: float, size: float
) -> None:
    # Coarse coordinates tie, and far ones round.
    random = np.random.default_rng(seed)
    points = random.normal(size=(30, 4)) if not levels else random.integers(0, levels + 1, (30, 4))
    points = (points + place) * size
    rows, largest = plainly(points, 12, 3)
    assert farthest_first(points, 12, 3).tolist() == rows
    assert radius(points, np.array(rows)) == largest


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("made", ["spread", "clustered", "tied", "copied", "offset"])
def test_rows_that_sleep_do_not_change_the_choice(made: str, kind: type) -> None:
    random = np.random.default_rng(1)
    for width in (3, 40):
        points = random.normal(size=(300, width))
        if made == "clustered":
            points += 20 * random.normal(size=(9, width))[random.integers(0, 9, 300)]
        elif made == "tied":
            points = np.round(points)
        elif made == "copied":
            points = points[random.integers(0, 60, 300)]
        elif made == "offset":
            points += 300
        points = points.astype(kind)
        rows, largest = plainly(points.astype(float), 150, 3)
        assert farthest_first(points, 150, 3).tolist() == rows
        assert radius(points, np.array(rows)) == largest


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("width", [1, 30, 700])
def test_squares_err_by_less_than_the_slack(kind: type, width: int) -> None:
    points = np.random.default_rng(width).uniform(0, 1, (40, width))
    held = points.astype(kind)
    norms, slack = norms_of(held)
    squares = norms[:, None] + norms - 2 * (held @ held.T)
    exact = np.square(points[:, None].astype(np.longdouble) - points).sum(axis=2)
    assert 0 < np.abs(squares - exact).max() <= slack


def test_the_random_start_is_uniform_over_the_seed() -> None:
    points = np.arange(4.0)[:, None]
    starts = [centres(points, 1, "greedy", generator(seed))[0] for seed in range(400)]
    assert np.abs(np.bincount(starts, minlength=4) - 100).max() < 35


@pytest.mark.parametrize("further", [0, 1])
def test_of_a_pair_the_lower_row_is_its_medoid_whatever_is_rounded(further: int) -> None:
    """Both are equally near to their mean; a processor's rounding may say that one is not."""
    points = np.array([[0.1, 0.2], [0.7, 0.3], [50.0, 50.0]])
    points[further] = np.nextafter(points[further], -1.0)
    assert sorted(medoids(points, 2, seed=1)) == [0, 2]


def test_medoids_are_one_of_each_separated_cluster_large_ones_first() -> None:
    random = np.random.default_rng(0)
    middles = np.array([[0.0, 0], [50, 0], [0, 50]])
    members = np.repeat([0, 1, 2], [5, 9, 7])
    points = middles[members] + random.normal(size=(21, 2))
    rows = medoids(points, 3, seed=1)
    assert members[rows].tolist() == [1, 2, 0]
    for row in rows:
        own = points[members == members[row]]
        assert np.linalg.norm(own - own.mean(0), axis=1).min() == pytest.approx(
            np.linalg.norm(points[row] - own.mean(0))
        )


def test_too_many_centres_are_refused() -> None:
    with pytest.raises(UserError, match="5 centres are asked for among 4"):
        centres(np.zeros((4, 1)), 5, "greedy", generator())


@pytest.mark.parametrize("kcenter", ["greedy", "greedy-from-mean", "k-means"])
@pytest.mark.parametrize("balanced", [True, False])
def test_the_step_chooses_distinct_examples_of_every_class(kcenter: str, balanced: bool) -> None:
    given_ = probe()
    params = given_.params.model_copy(update={"kcenter": kcenter, "balanced": balanced})
    made = select_centers(params, given_.inputs, context("select_centers"))
    indices, labels = made.arrays["indices"], made.arrays["labels"]
    assert len(set(indices.tolist())) == 12
    assert np.array_equal(sets.load(params.dataset).train.labels[indices], labels)
    if balanced:
        assert labels.tolist() == np.repeat(range(4), 3).tolist()


def test_by_the_cosine_features_are_chosen_by_their_directions_alone() -> None:
    given_ = probe()
    update = {"kcenter": "greedy-from-mean", "metric": "cosine"}
    params = given_.params.model_copy(update=update)
    chosen = {}
    for metric in ("cosine", "euclidean"):
        asked = params.model_copy(update={"metric": metric})
        made = select_centers(asked, given_.inputs, context("select_centers"))
        chosen[metric] = made.arrays["indices"].tolist()
    expected: list[int] = []
    for pool in pools(params, True, given_.inputs, context("select_centers")):
        directions = pool.features / np.linalg.norm(pool.features, axis=1, keepdims=True)
        apart = np.linalg.norm(directions - directions.mean(axis=0), axis=1)
        expected += pool.rows[plainly(directions, 3, int(apart.argmin()))[0]].tolist()
    assert chosen["cosine"] == expected != chosen["euclidean"]
