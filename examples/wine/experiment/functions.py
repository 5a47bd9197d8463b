"""Leave-one-out classification of the wines that come with scikit-learn."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from sklearn.datasets import load_wine
from sklearn.discriminant_analysis import (
    LinearDiscriminantAnalysis,
    QuadraticDiscriminantAnalysis,
)
from sklearn.neighbors import KNeighborsClassifier

from experiment.steps import LeaveOneOutParams
from harness.plan.step import Probe, StepContext, StepInput, StepResult

_STRENGTHS = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0)
"""Values of both parameters of RDA that are tried; the report does not give its own."""


def leave_one_out(
    params: LeaveOneOutParams, inputs: Mapping[str, StepInput], context: StepContext
) -> StepResult:
    """`correct`: the share of wines that are classified rightly by all the others."""
    wines = load_wine()
    data, labels = wines.data, wines.target
    hits: list[np.ndarray] = []
    for at in range(len(labels)):
        kept = np.arange(len(labels)) != at
        whole = data if params.scaling == "all" else data[kept]
        scaled = data
        if params.scaling != "none":
            scaled = (data - whole.mean(axis=0)) / whole.std(axis=0, ddof=1)
        guess = _guess(params, scaled[kept], labels[kept], scaled[at])
        hits.append(guess == labels[at])
    # RDA has one guess for each pair of strengths; the best pair counts, as in Friedman (1989).
    return StepResult({"correct": float(np.mean(hits, axis=0).max())})


def _guess(
    params: LeaveOneOutParams, data: np.ndarray, labels: np.ndarray, wine: np.ndarray
) -> np.ndarray:
    """The class of one wine, int (pairs of strengths,) for RDA and (1,) for the others."""
    shares = np.bincount(labels) / len(labels)
    priors = shares if params.priors == "shares" else np.full(len(shares), 1 / len(shares))
    if params.classifier == "rda":
        return _rda(data, labels, wine, priors)
    models = {
        "qda": lambda: QuadraticDiscriminantAnalysis(priors=priors),
        "lda": lambda: LinearDiscriminantAnalysis(priors=priors),
        "nearest": lambda: KNeighborsClassifier(1, metric=params.metric),
    }
    model = models[params.classifier]().fit(data, labels)
    return np.asarray(model.predict(wine[None]))


def _rda(data: np.ndarray, labels: np.ndarray, wine: np.ndarray, priors: np.ndarray) -> np.ndarray:
    """Friedman, Regularized discriminant analysis, JASA 84 (1989), equations 16 to 18.

    Each class's scatter is drawn towards the pooled one, then towards a multiple of the identity.
    """
    groups = [data[labels == label] for label in range(len(priors))]
    scatters = np.stack([(len(g) - 1) * np.cov(g, rowvar=False) for g in groups])
    counts = np.array([len(group) for group in groups])[:, None, None]
    away = wine - np.stack([group.mean(axis=0) for group in groups])
    size, guesses = data.shape[1], []
    for pooling in _STRENGTHS:
        drawn = (1 - pooling) * scatters + pooling * scatters.sum(axis=0)
        drawn = drawn / ((1 - pooling) * counts + pooling * len(labels))
        scale = np.trace(drawn, axis1=1, axis2=2)[:, None, None] / size * np.eye(size)
        for shrinking in _STRENGTHS:
            cov = (1 - shrinking) * drawn + shrinking * scale
            far = (away * np.linalg.solve(cov, away[..., None])[..., 0]).sum(axis=1)
            guesses.append(np.argmin(far + np.linalg.slogdet(cov)[1] - 2 * np.log(priors)))
    return np.array(guesses)


def probe() -> Probe:
    return Probe(LeaveOneOutParams(classifier="lda"), {})
