"""Two-part models against the worked example GT-16, statsmodels, and the limits of simulated families."""

from __future__ import annotations

import numpy as np
import pytest

from cost_model_data import SETTINGS, members_of
from ratebook.cost.adjusted import fit_study, replicate_means
from ratebook.cost.glm import GAMMA, LOG_LINK, LOGIT, Regression, fit, robust_covariance
from ratebook.cost.link_tests import Data, choose_family

GT16 = {"rsn": [0, 400, 800, 100, 500], "csp": [0, 100, 200, 300, 0]}


@pytest.mark.parametrize("method", ["unadjusted", "one_part", "two_part", "overlap_weighted", "ols_log_smearing"])
def test_gt16_saturated_models_predict_120_and_360_and_an_effect_of_240(method):
    members = members_of(**GT16)
    means, _ = replicate_means(members, {"cost": fit_study(members, "total_sud", SETTINGS)}, np.ones((1, 4)))
    rsn, csp = means["cost", method][0]
    assert (rsn, csp) == pytest.approx((360, 120), abs=1e-8)
    assert rsn - csp == pytest.approx(240, abs=1e-8)


def _data(seed=11, persons=400):
    rng = np.random.default_rng(seed)
    rows = np.column_stack([np.ones(persons), rng.integers(0, 2, persons), rng.normal(size=(persons, 3))])
    mean = np.exp(rows @ [6.0, 0.4, 0.3, -0.2, 0.1])
    return rows, rng.gamma(2, mean / 2), rng.uniform(0.5, 2, persons), rng.integers(0, 25, persons)


def _statsmodels(rows, outcome, weight, power):
    sm = pytest.importorskip("statsmodels.api")
    log = sm.families.links.Log()
    families = [sm.families.Gaussian, sm.families.Poisson, sm.families.Gamma, sm.families.InverseGaussian]
    family = sm.families.Binomial() if power is None else families[power](log)
    return sm.GLM(outcome, rows, family=family, freq_weights=weight).fit(tol=1e-14, maxiter=300)


@pytest.mark.parametrize(
    "power", [0, 1, 2, 3, None], ids=["gaussian", "poisson", "gamma", "inverse_gaussian", "logit"]
)
def test_coefficients_are_those_of_statsmodels_in_the_sample_and_in_a_replicate(power):
    rows, outcome, weight, unit = _data()
    family = LOGIT if power is None else LOG_LINK[power]
    outcome = (outcome > np.median(outcome)).astype(float) if power is None else outcome
    beta, is_settled = fit(rows, outcome, weight, family)
    assert is_settled
    assert beta == pytest.approx(_statsmodels(rows, outcome, weight, power).params, abs=1e-8)
    counts = np.random.default_rng(5).multinomial(25, np.full(25, 1 / 25), size=40).astype(float)
    weights = counts[:, unit] * weight
    again = Regression.of(rows, outcome, weight, family, unit, 25).refit(counts, weights, at_rest=1e-9)
    for replicate in (0, 39):
        found = _statsmodels(rows, outcome, weights[replicate], power).params
        assert again[replicate] == pytest.approx(found, abs=1e-8)


def test_the_tolerance_of_replicates_moves_no_coefficient_by_two_percent_of_its_spread():
    rows, outcome, weight, unit = _data()
    model = Regression.of(rows, outcome, weight, GAMMA, unit, 25)
    counts = np.random.default_rng(5).multinomial(25, np.full(25, 1 / 25), size=200).astype(float)
    weights = counts[:, unit] * weight
    exact = model.refit(counts, weights, at_rest=1e-9)
    assert np.abs(model.refit(counts, weights) - exact).max() < 0.02 * exact.std(axis=0).max()
    assert model.refit(counts, weights).std(axis=0) == pytest.approx(exact.std(axis=0), rel=2e-3)


def test_the_sandwich_is_that_of_statsmodels():
    sm = pytest.importorskip("statsmodels.api")
    rows, outcome, _, unit = _data()
    ones = np.ones(len(rows))
    beta, _ = fit(rows, outcome, ones, LOG_LINK[1])
    model = sm.GLM(outcome, rows, family=sm.families.Poisson())
    found = model.fit(
        tol=1e-14, cov_type="cluster", cov_kwds={"groups": unit, "use_correction": False}, use_t=False
    ).cov_params()
    assert robust_covariance(rows, outcome, ones, beta, LOG_LINK[1], unit) == pytest.approx(found * 25 / 24, rel=1e-6)


@pytest.mark.parametrize(
    ("power", "name"), [(1, "poisson"), (2, "gamma"), (3, "inverse_gaussian")], ids=["slope 1", "slope 2", "slope 3"]
)
def test_the_park_test_finds_the_power_that_was_simulated(power, name):
    # methods.md, D5: 1.9997 for simulated gamma costs and 0.996 for a Poisson type, of 200,000 members.
    rng = np.random.default_rng(power)
    persons = 60_000
    rows = np.column_stack([np.ones(persons), rng.normal(size=persons)])
    mean = np.exp(rows @ [5.0, 0.5])
    # A gamma variable of variance c · mean^power, whatever the power.
    scale = {1: 30.0, 2: 0.5, 3: 0.002}[power] * mean ** (power - 1)
    outcome = rng.gamma(mean / scale, scale)
    family, check = choose_family(Data(rows, outcome, np.ones(persons), np.arange(persons)))
    assert check.value == pytest.approx(power, abs=0.1)
    assert check.lower < power < check.upper
    assert family.name == name
    assert "within" in check.finding


def test_the_park_test_finds_no_power_where_the_spread_is_constant():
    rng = np.random.default_rng(2)
    rows = np.column_stack([np.ones(20_000), rng.uniform(-1, 1, 20_000)])
    outcome = np.exp(rows @ [6.0, 0.4]) + rng.normal(0, 40, 20_000)
    family, check = choose_family(Data(rows, outcome, np.ones(20_000), np.arange(20_000)))
    assert check.value == pytest.approx(0, abs=0.1)
    assert family.name == "gaussian"
