"""Error rates of the verdicts on numbers drawn from known truths."""

import pytest

from harness.judge.simulate import Rates, Truth, as_markdown, grid, simulate, table


def average(rates, name):
    return sum(getattr(rate, name) for rate in rates) / len(rates)


def test_false_reproductions_at_the_margin_are_at_most_five_percent():
    """Over spreads from 0.1 to 0.6 points and 3 to 5 runs. Welch's test itself is not exact with
    three runs: single rows reach 5.6 %, plus the error of 2,000 draws (0.5 points).
    """
    rates = table(differences=(1.0,), draws=2000)
    assert average(rates, "reproduced") <= 0.05
    assert max(rate.reproduced for rate in rates) <= 0.056 + 3 * 0.005


def test_false_deviations_of_equal_truths_are_at_most_five_percent():
    wide = [Truth(0.0, std, std, n) for std in (0.6, 1.0, 3.0) for n in (3, 5)]
    rates = [simulate(truth, 2000, seed) for seed, truth in enumerate(wide)]
    assert average(rates, "deviates") <= 0.05
    assert max(rate.deviates for rate in rates) <= 0.05 + 3 * 0.005
    assert average(rates, "deviates") > 0.005, "the truths must be able to mislead"


@pytest.mark.parametrize(
    ("truth", "name", "least"),
    [
        (Truth(0.0, 0.3, 0.3, 3), "reproduced", 0.80),
        (Truth(0.0, 0.3, 0.3, 5), "reproduced", 0.90),
        (Truth(0.5, 0.1, 0.1, 3), "reproduced", 0.95),
        (Truth(1.5, 0.3, 0.3, 3), "deviates", 0.90),
        (Truth(2.0, 0.6, 0.6, 5), "deviates", 0.80),
    ],
)
def test_power(truth, name, least):
    assert getattr(simulate(truth, 1000), name) >= least


def test_rates_are_reproducible_and_shown():
    truth = Truth(1.0, 0.3, 0.3, 3)
    assert simulate(truth, 200) == simulate(truth, 200)
    text = as_markdown([Rates(truth, 200, 0.04, 0.5)])
    assert text.splitlines()[-1] == "| 1 | 0.3 | 0.3 | 3 | 4.0 % | 50.0 % | 46.0 % |"
    assert len(grid((0.0, 1.0))) == 30
