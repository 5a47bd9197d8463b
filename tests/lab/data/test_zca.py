"""ZCA whitening against its closed form, scikit-learn's PCA, and the networks that read it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from torch import Tensor

from harness.lab.data import sets, zca
from harness.lab.models.classifier import Classifier
from harness.lab.recipe import DatasetRef
from harness.lab.train.augment import views
from harness.lab.train.loop import scale_of
from harness.lab.train.student import StudentParams
from harness.lab.train.student import probe_student as student
from harness.lab.train.student import student as train_student
from harness.lab.train.teacher import TeacherParams
from tests.lab.fixtures import DIGITS, HARD_LABELS, NETWORK, changed, context, held


def images(count: int = 400, side: int = 4, channels: int = 3) -> np.ndarray:
    """Neighbouring pixels alike, as in pictures; more images than pixels."""
    noise = np.random.default_rng(0).normal(size=(count, side, side, channels))
    smooth = noise.cumsum(axis=1).cumsum(axis=2)
    spread = (smooth - smooth.min()) / np.ptp(smooth)
    return np.rint(255 * spread).astype(np.uint8)


def planes(given: np.ndarray) -> Tensor:
    return torch.from_numpy(given.transpose(0, 3, 1, 2).copy()).double() / 255


def test_whitened_pixels_are_uncorrelated_and_of_one_variance(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(zca, "EPSILON", 0.0)
    given = images()
    white = zca.fitted(given).whitened(planes(given)).flatten(1).numpy()
    np.testing.assert_allclose(white.mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(np.cov(white.T), np.eye(48), atol=1e-8)
    # PCA whitens too, in the axes of the components; turned back, they are the same.
    pca = PCA(whiten=True).fit(planes(given).flatten(1).numpy())
    turned = pca.transform(planes(given).flatten(1).numpy()) @ pca.components_
    np.testing.assert_allclose(white, turned, atol=1e-7)


def test_with_the_official_epsilon_each_variance_shrinks_by_its_own_share() -> None:
    given = images()
    rows = planes(given).flatten(1).numpy()
    white = zca.fitted(given).whitened(planes(given)).flatten(1).numpy()
    variances, axes = np.linalg.eigh(np.cov(rows.T))
    np.testing.assert_allclose(
        np.cov((white @ axes).T), np.diag(variances / (variances + 0.1)), atol=1e-12
    )


def test_the_fit_does_not_depend_on_how_many_images_are_read_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = zca.fitted(images())
    monkeypatch.setattr(zca, "AT_ONCE", 7)
    torch.testing.assert_close(zca.fitted(images()).forward, whole.forward)


def test_whitening_has_an_inverse() -> None:
    found = zca.fitted(images())
    pixels = planes(images(20))
    torch.testing.assert_close(found.pixels(found.whitened(pixels)), pixels)


def test_a_network_that_whitens_reads_the_same_of_pixels_and_of_normalised_images() -> None:
    """The fit is of the training split, whatever is read."""
    classifier = Classifier.fresh(NETWORK, DIGITS, "cpu", "float64", seed=0, zca=True)
    digits = sets.load(DIGITS)
    test = torch.from_numpy(digits.test.images[:9].transpose(0, 3, 1, 2).copy())
    expected = zca.fitted(digits.train.images).whitened(planes(digits.test.images[:9]))
    torch.testing.assert_close(classifier.shown(test), expected)
    normalised = (planes(digits.test.images[:9]) - DIGITS.mean[0]) / DIGITS.std[0]
    torch.testing.assert_close(classifier.shown(normalised), expected)
    other = DatasetRef.model_validate(DIGITS.model_dump() | {"mean": (0.5,), "std": (0.25,)})
    scaled = (planes(digits.test.images[:9]) - 0.5) / 0.25
    torch.testing.assert_close(classifier.rescaled(scaled, other), expected)
    stated = scale_of(held(), DIGITS)
    torch.testing.assert_close(classifier.rescaled(normalised, stated), expected)
    classifier.network.eval()
    answers = torch.cat(list(classifier.predict(test)))
    torch.testing.assert_close(answers, classifier.network(expected))


def test_views_of_pixels_and_of_normalised_images_are_cut_alike_and_then_whitened() -> None:
    classifier = Classifier.fresh(NETWORK, DIGITS, "cpu", "float64", seed=0, zca=True)
    pixels = torch.from_numpy(sets.load(DIGITS).train.images[:8].transpose(0, 3, 1, 2).copy())
    normalised = (pixels.double() / 255 - DIGITS.mean[0]) / DIGITS.std[0]
    first, second = (
        views(classifier, given, HARD_LABELS, 1, torch.Generator().manual_seed(3))
        for given in (pixels, normalised)
    )
    torch.testing.assert_close(first, second)


def test_a_student_that_whitens_learns_something_else_and_learns() -> None:
    recipe = changed(HARD_LABELS, epochs=20, learning_rate=0.1)
    train = sets.load(DIGITS).train
    rows = np.concatenate([np.flatnonzero(train.labels == c)[:10] for c in range(10)])
    given = held(indices=rows, labels=train.labels[rows])
    plain, white = (
        train_student(
            StudentParams(
                dataset=DIGITS, network=NETWORK, recipe=changed(recipe, zca=on), per_class=10
            ),
            {"images": given},
            context("student"),
        )
        for on in (False, True)
    )
    assert plain.values["loss"] != white.values["loss"]
    assert white.values["accuracy"] > 0.5


def test_what_cannot_whiten_is_refused() -> None:
    params = student().params
    assert isinstance(params, StudentParams)
    white = changed(params.recipe, zca=True)
    with pytest.raises(ValueError, match="zca must be false"):
        TeacherParams(dataset=DIGITS, network=NETWORK, recipe=white)
    with pytest.raises(ValueError, match="no teacher can read the student's view"):
        changed(white, loss="kl", labels="online", teacher=NETWORK)
