"""Weights and E-values beside exact and published numbers."""

from __future__ import annotations

import numpy as np
import pytest

from ratebook.engagement.e_values import e_value, risk_ratio_of_hazard
from ratebook.engagement.weights import effective_size, overlap_weight, propensity, standardised_difference

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
