"""Weights and E-values beside exact and published numbers."""

from __future__ import annotations

import numpy as np
import pytest

from ratebook.engagement.e_values import e_value, risk_ratio_of_hazard, risk_ratio_of_mean
from ratebook.engagement.logit import propensity
from ratebook.engagement.weights import (
    effective_size,
    inverse_weight,
    overlap_weight,
    standardised_difference,
    treated_weight,
)

X = np.repeat([0.0, 0, 1, 1], [2, 8, 6, 4])
TREATED = np.repeat([True, False, True, False], [2, 8, 6, 4])


def test_overlap_weights_balance_exactly():
    """GT-11: propensities 0.2 and 0.6, the overlap population has 60% with X in both arms."""
    chance, _ = propensity(X[:, None], TREATED)
    assert chance == pytest.approx(np.where(X > 0, 0.6, 0.2), abs=1e-9)
    weight = overlap_weight(chance, TREATED)
    for arm in (TREATED, ~TREATED):
        assert np.average(X[arm], weights=weight[arm]) == pytest.approx(0.6, abs=1e-9)
    assert standardised_difference(X, TREATED) == pytest.approx((3 / 4 - 1 / 3) / ((3 / 16 + 2 / 9) / 2) ** 0.5)
    assert standardised_difference(X, TREATED, weight) == pytest.approx(0, abs=1e-9)
    assert effective_size(weight[TREATED]) == pytest.approx(16 / 2.24, abs=1e-6)


def test_inverse_weights_give_the_whole_population():
    """GT-11: with 1/e and 1/(1-e) both arms have 50% with X."""
    chance, _ = propensity(X[:, None], TREATED)
    inverse = np.where(TREATED, 1 / chance, 1 / (1 - chance))
    for arm in (TREATED, ~TREATED):
        assert np.average(X[arm], weights=inverse[arm]) == pytest.approx(0.5, abs=1e-9)


@pytest.mark.parametrize(
    ("ratio", "expected"),
    [
        ((10.73, 8.02, 14.36), (20.94777, 15.52336)),
        ((3.9, 1.8, 8.7), (7.263034, 3.0)),
        ((0.80, 0.71, 0.91), (1.809017, 1.428571)),
        pytest.param((1.2, 0.9, 1.6), (1.689898, 1.0), id="a limit beyond 1 needs no confounder"),
    ],
)
def test_e_values(ratio, expected):
    """GT-12, from the vignette of R's EValue; the last row by its formula."""
    assert e_value(*ratio) == pytest.approx(expected, abs=5e-6)


def test_hazard_ratio_of_a_common_outcome():
    """GT-12: HR 0.56 is a risk ratio of 0.670084, E-value 2.349531."""
    ratio = risk_ratio_of_hazard(0.56)
    assert ratio == pytest.approx(0.670084, abs=5e-7)
    assert e_value(ratio, ratio, ratio)[0] == pytest.approx(2.349531, abs=5e-6)


def test_stabilised_inverse_weights_give_the_whole_population_too():
    """GT-11: the share of the arm in the numerator changes no arm's mean."""
    chance, _ = propensity(X[:, None], TREATED)
    weight = inverse_weight(chance, TREATED)
    for arm in (TREATED, ~TREATED):
        assert np.average(X[arm], weights=weight[arm]) == pytest.approx(0.5, abs=1e-9)
    assert weight.sum() == pytest.approx(len(X), abs=1e-6)


def test_weights_to_the_treated_give_the_treated():
    """GT-11: of the 8 treated 6 have X."""
    chance, _ = propensity(X[:, None], TREATED)
    weight = treated_weight(chance, TREATED)
    for arm in (TREATED, ~TREATED):
        assert np.average(X[arm], weights=weight[arm]) == pytest.approx(0.75, abs=1e-9)


def test_a_difference_of_means_as_a_risk_ratio():
    """RR = exp(0.91 d), by its formula: half a standard deviation is 1.576173, E-value 2.529142."""
    ratio = risk_ratio_of_mean(30.0, 60.0)
    assert ratio == pytest.approx(1.576173, abs=5e-7)
    assert e_value(ratio, ratio, ratio)[0] == pytest.approx(2.529142, abs=5e-6)
