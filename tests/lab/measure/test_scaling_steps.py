"""Learning curves are students evaluated, and the fits are of what they recorded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from harness.errors import UserError
from harness.lab.coresets.select import RandomParams, select_random
from harness.lab.measure.scaling import curves
from harness.lab.measure.scaling.curves import CurveParams, learning_curve, learning_curve_online
from harness.lab.measure.scaling.fit import Evaluations, printed
from harness.lab.measure.scaling.fitting import (
    FitParams,
    GridFitParams,
    ScalingRecoveryParams,
    SharedFitParams,
    Spaced,
    TrueLaw,
    fit_scaling,
    fit_scaling_grid,
    fit_scaling_shared,
    scaling_recovery,
)
from harness.lab.recipe import Recipe
from harness.lab.train.student import StudentParams, student, student_online
from harness.plan.step import MemoryInput, StepResult
from harness.spec.paper import load_paper
from tests.lab.fixtures import DIGITS, HARD_LABELS, NETWORK, as_input, changed, context

SHORT = changed(HARD_LABELS, epochs=7, batch_size=16)


def subset() -> MemoryInput:
    params = RandomParams(dataset=DIGITS, per_class=5)
    return as_input(select_random(params, {}, context("select_random")))


def curve(recipe: Recipe, **fields) -> StepResult:
    params = CurveParams(dataset=DIGITS, network=NETWORK, recipe=recipe, per_class=5, **fields)
    return learning_curve(params, {"images": subset()}, context("learning_curve"))


def trained(recipe: Recipe) -> StepResult:
    params = StudentParams(dataset=DIGITS, network=NETWORK, recipe=recipe, per_class=5)
    return student(params, {"images": subset()}, context("student"))


def test_looking_does_not_change_the_student() -> None:
    made = curve(SHORT, every=3, points="one-run")
    assert made.arrays["epochs"].tolist() == [3, 6, 7]
    plain = trained(SHORT)
    for name in ("accuracy", "loss"):
        assert made.values[name] == plain.values[name] == made.arrays[name][-1]
    assert (made.values["images"], made.values["train_images"]) == (50, 1347)


def test_separate_runs_are_students_of_their_own_lengths() -> None:
    made = curve(SHORT, every=4, points="separate-runs")
    assert made.arrays["epochs"].tolist() == [4, 7]
    ends = [trained(changed(SHORT, epochs=epochs)).values["accuracy"] for epochs in (4, 7)]
    assert made.arrays["accuracy"].tolist() == ends
    # The rate of one long run has not fallen yet after 4 epochs.
    together = curve(SHORT, every=4, points="one-run").arrays["loss"]
    assert together[0] != made.arrays["loss"][0]
    assert together[1] == made.arrays["loss"][1]


def test_a_taught_curve_ends_where_a_taught_student_ends() -> None:
    made = curves.curve_online_probe()
    watched = learning_curve_online(made.params, made.inputs, context("learning_curve_online"))
    fields = {name: getattr(made.params, name) for name in StudentParams.model_fields}
    plain = student_online(StudentParams(**fields), made.inputs, context("student_online"))
    assert watched.values["loss"] == plain.values["loss"]


def measured(b: float = -0.3, tau: float = 4.0, noise: float = 0.003) -> MemoryInput:
    epochs = np.arange(1, 41)
    errors = printed(Evaluations(50.0 * epochs, 50.0), 2.0, b, tau, 0.1)
    errors = errors + noise * np.random.default_rng(0).standard_normal(40)
    return MemoryInput(
        {"images": 50, "train_images": 100}, {"epochs": epochs, "accuracy": 1 - errors}
    )


def fitted(given: MemoryInput, **fields) -> StepResult:
    params = FitParams(**{"law": "printed", "epoch": "subset", "bootstrap": 20} | fields)
    return fit_scaling(params, {"curve": given}, context("fit_scaling"))


def test_a_measured_curve_gives_its_law_back_with_intervals_around_it() -> None:
    made = fitted(measured(), d=0.1)
    for name, true in (("b", -0.3), ("tau", 4.0), ("delta", 0.5**0.25), ("a", 2.0)):
        assert made.values[f"{name}_low"] < made.values[name] < made.values[f"{name}_high"]
        assert made.values[name] == pytest.approx(true, rel=0.1)
    for name, true in (("b", -0.3), ("tau", 4.0), ("delta", 0.5**0.25)):
        assert made.values[f"{name}_profile_low"] < true < made.values[f"{name}_profile_high"]
    assert made.values["b_identified"]
    assert made.values["tau_identified"]
    residual = made.arrays["fitted"] - made.arrays["errors"]
    assert made.values["sse"] == pytest.approx(residual @ residual)
    assert made.arrays["samples"].tolist() == [50.0 * k for k in range(1, 41)]


def test_the_unit_moves_only_the_factor() -> None:
    plain, scaled = (fitted(measured(), d=0.1, unit=unit).values for unit in (1.0, 100.0))
    assert scaled["tau"] == pytest.approx(plain["tau"], rel=1e-5)
    assert scaled["a"] == pytest.approx(plain["a"] * 100 ** plain["b"], rel=1e-4)


def test_epochs_of_the_full_data_begin_later_and_last_longer() -> None:
    made = fitted(measured(), d=0.1, epoch="full")
    assert made.values["points"] == 39
    assert made.arrays["samples"][0] == 100
    # Twice the pool: about half as many repetitions to the same loss of utility.
    assert made.values["tau"] < fitted(measured(), d=0.1).values["tau"]


def test_a_curve_too_short_to_fit_is_refused() -> None:
    short = MemoryInput(
        {"images": 50, "train_images": 1000},
        {"epochs": np.arange(1, 24), "accuracy": np.linspace(0.1, 0.5, 23)},
    )
    with pytest.raises(UserError, match=r"4 evaluations .* expected 6 or more"):
        fitted(short, epoch="full")


def test_an_official_curve_below_the_given_d_is_refused() -> None:
    below = MemoryInput(
        {"images": 50, "train_images": 100},
        {"epochs": np.arange(1, 21), "accuracy": 1 - 0.08 * np.arange(1.0, 21) ** -0.1},
    )
    with pytest.raises(UserError, match=r"no a fits .* d = 0.1 .* give a smaller d"):
        fitted(below, law="official", d=0.1)
    assert fitted(below, law="official", d=0.01).values["sse"] < 1e-3


def test_the_shared_fit_reports_the_first_curve() -> None:
    params = SharedFitParams(law="printed", epoch="subset", bootstrap=2)
    first, second = measured(noise=0.0), measured(b=-0.2, tau=8.0, noise=0.0)
    for pair, expected in (((first, second), (-0.3, 4.0)), ((second, first), (-0.2, 8.0))):
        inputs = dict(zip(("curve", "beside"), pair, strict=True))
        made = fit_scaling_shared(params, inputs, context("fit_scaling_shared"))
        assert (made.values["b"], made.values["tau"]) == pytest.approx(expected, rel=1e-2)
        assert len(made.arrays["fitted"]) == 40
        assert made.values["points"] == 80


def test_the_grid_answers_with_its_own_nodes() -> None:
    params = GridFitParams(
        law="printed",
        epoch="subset",
        d=0.1,
        a_values=Spaced(low=1, high=3, points=21),
        b_values=Spaced(low=-0.2, high=-0.4, points=21),
        tau_values=Spaced(low=1, high=10, points=20),
    )
    made = fit_scaling_grid(params, {"curve": measured()}, context("fit_scaling_grid"))
    assert made.values["tau"] in [1 + 9 * node / 19 for node in range(20)]
    assert made.values["sse"] >= fitted(measured(), d=0.1).values["sse"]


def test_what_cannot_be_fitted_is_refused_before_any_run() -> None:
    with pytest.raises(ValidationError, match="d must be given for the official form"):
        FitParams(law="official", epoch="subset", bootstrap=20)
    with pytest.raises(ValidationError, match="low, high"):
        FitParams(law="printed", epoch="subset", bootstrap=20, tau_bounds=(9.0, 1.0))
    with pytest.raises(ValidationError):
        SharedFitParams(law="official", d=0.1, epoch="subset", bootstrap=20)


@pytest.mark.slow
@pytest.mark.parametrize(("d", "noise"), [(0.1, 0.01), (None, 0.002)])
def test_intervals_hold_the_truth_about_as_often_as_they_say(d, noise) -> None:
    params = ScalingRecoveryParams(
        truth=TrueLaw(a=1.0, b=-0.3, tau=4.0, d=0.1),
        epochs=40,
        pool=1,
        noise=noise,
        draws=80,
        fit=FitParams(law="printed", epoch="subset", d=d, bootstrap=40),
    )
    made = scaling_recovery(params, {}, context("scaling_recovery")).values
    for name in ("b", "tau"):
        # Of 80 intervals at 95 %, fewer than 70 hold the truth once in 2,000 times.
        assert made[f"{name}_profile_coverage"] >= 70 / 80
        # A percentile interval is a little too narrow: percentiles of only 40 draws.
        assert made[f"{name}_coverage"] >= 0.8
        assert made[f"{name}_identified"] == 1
        assert abs(made[f"{name}_bias"]) < made[f"{name}_spread"]


def test_the_specs_say_how_far_the_search_goes() -> None:
    """Claims rest on it: what the search cannot leave is not shown by its result."""
    paper = load_paper(Path(__file__).parents[3] / "specs")
    bounds = FitParams.model_fields["b_bounds"].default
    least, most = (0.5 ** (1 / tau) for tau in FitParams.model_fields["tau_bounds"].default)
    for panel in ("HL", "SL+KD"):
        searched = {q.name: q.searched for q in paper.exhibit("scaling").readings(panel).values}
        assert searched["b"] == bounds
        low, high = searched["delta"] or (1.0, 0.0)
        assert 0 < low <= least
        assert most <= high < 1
