"""Tables of the findings are what their commands make of the kept numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import f_oneway

from benchmarks import cifar_pipelines, crop_students, crops, dd_ranking, pipelines, reproductions
from harness.errors import UserError
from harness.lab.data.prepared import Split
from tests.docs.console import ROOT

PAGE = (ROOT / "docs" / "findings.md").read_text(encoding="utf-8")
SAMPLE = ROOT.parent / "shared" / "data" / "imagenet1k_sample"


@pytest.mark.parametrize(
    "file",
    [
        cifar_pipelines.TABLE,
        crops.FILE,
        crop_students.TABLE,
        dd_ranking.TABLE,
        pipelines.TABLE,
        reproductions.TABLE,
        reproductions.BESIDE,
    ],
)
def test_the_page_quotes_the_whole_table(file: Path) -> None:
    assert file.read_text(encoding="utf-8") in PAGE


def test_the_commands_print_what_is_published() -> None:
    for each in (cifar_pipelines, crop_students, dd_ranking, pipelines):
        kept = each.kept(each.CSV) if each is cifar_pipelines else each.kept()
        assert each.table(kept) + "\n" == each.TABLE.read_text(encoding="utf-8")


def test_what_others_found_is_pooled_with_what_is_published_here() -> None:
    assert reproductions.table() + "\n" == reproductions.TABLE.read_text(encoding="utf-8")
    assert reproductions.beside() + "\n" == reproductions.BESIDE.read_text(encoding="utf-8")


def test_laboratories_are_pooled_as_by_hand() -> None:
    """Of equal n the mean is plain, and the interval is that of Student over the means."""
    one = [reproductions.Runs.of({"runs": [at - 0.1, at, at + 0.1]}) for at in (8.0, 9.0, 10.0)]
    pooled = reproductions.Pooled.of(one)
    assert pooled.mean == pytest.approx(9)
    assert pooled.high - pooled.mean == pytest.approx(4.302653 / 3**0.5)
    assert pooled.tau**2 == pytest.approx(1 - 0.1**2 / 3, rel=1e-4)
    assert pooled.p < 0.001


def test_attempts_of_one_laboratory_count_once_with_their_mean() -> None:
    """Means 8 and 10, deviations of 0.1: nine in the middle, with 4 degrees of freedom within."""
    tried = [reproductions.Runs.of({"runs": [at - 0.1, at, at + 0.1]}) for at in (8.0, 10.0)]
    one = reproductions.Runs.joined(tried)
    assert one == pytest.approx((9.0, 6, 4 * 0.1**2, 2))
    assert reproductions.Pooled.of([one, tried[0]]).mean == pytest.approx(8.5, abs=0.01)


def test_a_standard_deviation_divided_by_n_is_that_of_the_runs() -> None:
    told = {"mean": 2.0, "std": (2 / 3) ** 0.5, "n": 3}
    assert reproductions.Runs.of(told) == pytest.approx(reproductions.Runs.of({"runs": [1, 2, 3]}))


def test_the_parts_of_a_variance_by_hand() -> None:
    """Students 2 apart, pipelines 4 apart: 2 within, 8 between means, of which 1 are students'."""
    spread = pipelines.Spread.of(np.array([[1.0, 3.0], [5.0, 7.0]]))
    assert spread.mean == 4
    assert spread.students**2 == pytest.approx(2)
    assert spread.pipelines**2 == pytest.approx(8 - 2 / 2)
    assert spread.p == pytest.approx(f_oneway([1, 3], [5, 7]).pvalue)


def test_pipelines_that_differ_by_less_than_their_students_have_no_spread_of_their_own() -> None:
    assert pipelines.Spread.of(np.array([[0.0, 4.0], [1.0, 3.0]])).pipelines == 0


def test_what_lies_between_pipelines_is_below_its_limit_as_often_as_is_said() -> None:
    random = np.random.default_rng(0)
    limits = [
        pipelines.Spread.of(random.normal(size=(3, 1)) + random.normal(size=(3, 3))).most
        for _ in range(2_000)
    ]
    assert np.mean(np.array(limits) > 1) == pytest.approx(0.95, abs=0.02)


def test_pairs_of_students_by_hand() -> None:
    """Differences 1, 2, 3: mean 2, of which the error is 1 / sqrt(3), with 2 degrees of freedom."""
    effect = crop_students.Effect.of(np.array([[1.0, 0.0], [4.0, 2.0], [3.0, 0.0]]))
    half = 4.302653 / 3**0.5
    assert effect == pytest.approx((2, 2 - half, 2 + half))


def test_both_students_of_a_pair_see_the_same_part_of_an_image() -> None:
    """Of a picture whose shades are its columns, with 4 levels from one to the next.

    What both show is less than a kept pixel apart, which is 64 / 44 columns.
    """
    shades = np.broadcast_to(np.arange(64, dtype=np.uint8) * 4, (64, 64))
    image = np.repeat(shades[None, :, :, None], 3, axis=3)
    pictures = crop_students.Pictures.of(Split(image, np.array([20]), ""))
    assert pictures.labels.tolist() == [1]
    views = crop_students.test_views(pictures)
    assert all(view.shape == (1, 3, 38, 38) for view in views.values())
    assert (views["files"] - views["kept images"]).abs().max() < 4 * 64 / 44


def test_percent_becomes_a_fraction_once_before_a_set_is_scored() -> None:
    found = dict(dd_ranking.kept())
    lrs, ars = dd_ranking.scores(found, "DM")
    assert 0 < lrs < 1
    assert 0 < ars < 1
    with pytest.raises(UserError, match="is no fraction"):
        dd_ranking.scores({key: 100 * value for key, value in found.items()}, "DM")


@pytest.mark.realdata
@pytest.mark.skipif(not SAMPLE.is_dir(), reason="no sample of ImageNet beside the project")
def test_crops_differ_by_what_is_published() -> None:
    made = crops.table(crops.contents_of(SAMPLE))
    assert made + "\n" == crops.FILE.read_text(encoding="utf-8")
