"""Claims about a correlation coefficient, with and without the points that it is of."""

import pytest

from harness.judge.sample import Summary
from tests.judge.claims import claim, outcome


def test_a_correlation_as_printed():
    assert outcome("correlation", value=0.41, low=0.3, high=0.5).outcome == "holds"
    assert outcome("correlation", value=-0.12, low=0.3).outcome == "fails"


def test_the_points_behind_a_correlation_give_its_uncertainty():
    """rho = -0.12 over 158 points: 95 % from -0.27 to 0.04, by tanh(-0.1206 +- 1.96 0.0806)."""
    numbers = {"f:stated:rho": Summary(-0.12, None, 1)}.get
    rho = {"value": "f:stated:rho", "points": 158}
    for low, high, expected in (
        (-0.3, 0.1, "holds"),
        (-0.2, 0.2, "undecided"),
        (0.3, 1.0, "fails"),
    ):
        result = outcome("correlation", numbers, "reported", **rho, low=low, high=high)
        assert result.outcome == expected
    assert result.comparisons[0].interval == pytest.approx((-0.2716, 0.0374), abs=1e-4)
    ours = outcome("correlation", numbers, "reproduced", **rho, low=-0.3, high=0.1)
    assert ours.outcome == "undecided", "ours may be of other points than the paper's"


def test_a_stated_coefficient_has_the_sampling_error_of_its_points():
    """Exact as printed, and still an estimate."""
    stated = {"f:stated:rho": Summary.exact(-0.12)}.get
    fields = {"value": "f:stated:rho", "low": -0.1, "high": 0.1}
    assert outcome("correlation", stated, **fields).outcome == "fails"
    assert outcome("correlation", stated, **fields, points=158).outcome == "undecided"


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (-1, 1, "holds"),
        (-1, None, "holds"),
        (None, 1, "holds"),
        (-1, 0.9, "holds"),
        (-1, 0.6, "undecided"),
        (0.9, 1, "fails"),
        (1, 1, "fails"),
        (1, None, "fails"),
        (-1, -1, "fails"),
        (None, -1, "fails"),
    ],
)
def test_a_correlation_cannot_pass_the_ends_of_all(low, high, expected):
    """0.5 over 20 points: 95 % from 0.05 to 0.78, by tanh(0.5493 +- 1.96 0.2572)."""
    rho = {"value": "f:stated:rho", "low": low, "high": high}
    stated = {"f:stated:rho": Summary.exact(0.5)}
    assert outcome("correlation", stated.get, **rho, points=20).outcome == expected


def test_a_correlation_of_ours_near_an_end_is_not_beyond_it():
    ours = {"f:stated:rho": Summary.estimated(-0.98, 0.03, None)}
    fields = {"value": "f:stated:rho", "low": -1.0, "high": 0.1}
    assert outcome("correlation", ours.get, "reproduced", **fields).outcome == "holds"


def test_a_correlation_of_ours_without_an_error_decides_nothing():
    ours = {"f:stated:rho": Summary.estimated(-1.0, None, None)}
    for low, high in ((-1.0, -0.5), (0.3, 1.0)):
        fields = {"value": "f:stated:rho", "low": low, "high": high}
        assert outcome("correlation", ours.get, "reproduced", **fields).outcome == "undecided"


def test_a_bound_or_a_constant_is_refused():
    for fields in ({"value": 0.1, "low": 1.2}, {"value": 1.2, "low": 0.1}):
        with pytest.raises(ValueError, match=r"lies in \[-1, 1\], found 1.2"):
            claim("correlation", **fields)


def test_a_number_of_ours_decides_nothing():
    numbers = {"f:stated:rho": Summary.exact(1.3)}.get
    result = outcome("correlation", numbers, "reproduced", value="f:stated:rho", low=0.3)
    assert result.outcome == "not run"
    assert "1.3, and a correlation lies in [-1, 1]" in result.why
