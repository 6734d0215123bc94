"""Each model of engagement by itself: Cox over the counting process, competing causes, parametric and frailty models."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ratebook.engagement.aft import fit_aft
from ratebook.engagement.competing import expand_subdistribution
from ratebook.engagement.cox import NO_MAXIMUM, fit_cox, test_proportionality
from ratebook.engagement.frailty import fit_frailty
from ratebook.engagement.survival import cumulative_incidence, log_rank, risk_table, survival_of, value_at


def people(persons=200, providers=20, seed=3):
    """Times in whole days, so that ends tie; two covariates; providers in turn."""
    rng = np.random.default_rng(seed)
    x = pd.DataFrame(
        {"arm": np.arange(persons) % providers < providers / 2, "z": rng.standard_normal(persons)}, dtype=float
    )
    time = np.ceil(rng.exponential(40 * np.exp(0.8 * x.arm - 0.4 * x.z)))
    seen = np.ceil(rng.exponential(90, persons))
    return np.minimum(time, seen), time <= seen, x, np.arange(persons) % providers


def same(one, other, tolerance=1e-8):
    assert one.beta == pytest.approx(other.beta, abs=tolerance)
    assert one.robust == pytest.approx(other.robust, rel=1e-6)


# The counting process


def test_a_row_cut_in_two_is_the_row():
    days, event, x, cluster = people()
    cut = days > 10
    start = np.concatenate([np.zeros(len(days)), np.full(cut.sum(), 10.0)])
    stop = np.concatenate([np.minimum(days, 10.0), days[cut]])
    ended = np.concatenate([event & ~cut, event[cut]])
    both = fit_cox(stop, ended, pd.concat([x, x[cut]]), np.concatenate([cluster, cluster[cut]]), entry=start)
    same(both, fit_cox(days, event, x, cluster))


def test_by_breslow_a_weight_of_two_is_the_row_twice():
    days, event, x, cluster = people()
    weight = np.random.default_rng(1).integers(1, 4, len(days))
    twice = [np.repeat(part, weight) for part in (days, event, cluster)]
    doubled = fit_cox(twice[0], twice[1], x.loc[np.repeat(x.index, weight)], twice[2], ties="breslow")
    same(fit_cox(days, event, x, cluster, weight=weight, ties="breslow"), doubled)


def test_the_order_of_the_rows_and_the_names_of_strata_change_nothing():
    days, event, x, cluster = people()
    strata = np.where(np.arange(len(days)) % 3, "b", "a")
    order = np.random.default_rng(2).permutation(len(days))
    base = fit_cox(days, event, x, cluster, strata=strata)
    same(fit_cox(days[order], event[order], x.iloc[order], cluster[order], strata=strata[order]), base)
    same(fit_cox(days, event, x, cluster, strata=np.where(strata == "a", "z", "c")), base)
    same(fit_cox(days, event, x, cluster, strata=np.zeros(len(days))), fit_cox(days, event, x, cluster))


def test_far_strata_do_not_meet():
    """Two strata fitted together: the score is the sum of those of each, so a common effect lies between."""
    days, event, x, cluster = people()
    half = np.arange(len(days)) % 40 < 20
    parts = [fit_cox(days[of], event[of], x[["arm"]][of], cluster[of]).beta[0] for of in (half, ~half)]
    moved = np.where(half, days, days + 10_000)
    both = fit_cox(moved, event, x[["arm"]], cluster, strata=half, entry=np.where(half, 0.0, 10_000.0)).beta[0]
    assert min(parts) < both < max(parts)


def test_log_rank_is_the_score_test_of_untied_ends_and_strata_of_one_change_nothing():
    days, event, x, _ = people()
    days = days + np.arange(len(days)) / 1000
    plain = log_rank(days, event, x.arm)
    one = log_rank(days, event, x.arm, strata=np.full(len(days), "all"))
    assert one.chi2 == pytest.approx(plain.chi2)
    assert log_rank(days, event, 1 - x.arm).chi2 == pytest.approx(plain.chi2)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param({"event": False}, "no event", id="nothing ends"),
        pytest.param({"x": 1.0}, "the covariates do not vary, or repeat each other", id="one arm"),
        pytest.param({"x": "event"}, NO_MAXIMUM, id="only one arm ends"),
    ],
)
def test_what_cannot_be_fitted_says_why(change, reason):
    days, event, x, cluster = people()
    event = event & change.get("event", True)
    column = event.astype(float) if change.get("x") == "event" else change.get("x", x.arm)
    assert fit_cox(days, event, pd.DataFrame({"x": column}, index=x.index), cluster) == reason


def test_a_covariate_that_varies_between_strata_only_is_refused():
    days, event, x, cluster = people()
    assert (
        fit_cox(days, event, x[["arm"]], cluster, strata=x.arm) == "the covariates do not vary, or repeat each other"
    )


def test_one_provider_has_a_coefficient_and_no_clustered_error():
    days, event, x, _ = people()
    fitted = fit_cox(days, event, x, np.zeros(len(days)))
    assert np.isfinite(fitted.beta).all() and np.isnan(fitted.robust).all()


def test_time_at_risk_must_end_after_it_starts():
    days, event, x, cluster = people()
    with pytest.raises(ValueError, match="ends before it starts"):
        fit_cox(days, event, x, cluster, entry=days)


def test_an_effect_that_turns_fails_the_test_of_proportionality_and_a_constant_one_does_not():
    days, event, x, cluster = people(persons=1200)
    beta = fit_cox(days, event, x, cluster).beta
    assert test_proportionality(days, event, x, beta).p_value[-1] > 0.05
    late = event & (days > np.where(x.arm > 0, 20, 0))
    turned = fit_cox(days, late, x, cluster).beta
    assert test_proportionality(days, late, x, turned).p_value[-1] < 0.001


# Competing causes


def test_without_another_cause_the_subdistribution_is_the_distribution():
    days, event, _, _ = people()
    wide = expand_subdistribution(days, event.astype(int), 1)
    assert wide.row.tolist() == list(range(len(days))) and (wide.weight == 1).all()


def test_without_censoring_who_ended_otherwise_stays_at_risk_in_full():
    wide = expand_subdistribution([1, 2, 3, 4], [1, 2, 1, 1], 1)
    assert (wide.weight == 1).all() and wide.stop[wide.row == 1].max() == 4


def test_the_weighted_risk_set_gives_back_the_aalen_johansen_share():
    """Kaplan-Meier on the expanded rows is 1 less the cumulative incidence: what the model is a model of."""

    days, event, _, _ = people()
    cause = np.where(event, 1 + (np.arange(len(days)) % 3 == 0), 0)
    wide = expand_subdistribution(days, cause, 1)
    table = risk_table(wide.stop, wide.event, weight=wide.weight, entry=wide.start).total()
    whole = risk_table(days, cause, causes=2).total()
    share = value_at(whole.time, cumulative_incidence(whole)[0], table.time, 0.0)
    assert 1 - survival_of(table) == pytest.approx(share)


# Parametric and frailty models


def test_weibull_time_ratio_and_hazard_ratio_are_one_effect():
    rng = np.random.default_rng(8)
    arm = pd.DataFrame({"arm": np.repeat([0.0, 1.0], 2000)})
    days = 50 * rng.weibull(1.4, 4000) * np.exp(0.6 * arm.arm)
    fitted = fit_aft(days, np.ones(4000), arm, np.arange(4000), "weibull")
    assert fitted.theta[1] == pytest.approx(0.6, abs=0.06)
    cox = fit_cox(days, np.ones(4000), arm, np.arange(4000)).beta[0]
    assert -fitted.theta[1] / fitted.sigma == pytest.approx(cox, abs=0.02)
    assert cox == pytest.approx(-0.6 * 1.4, abs=0.08)


def test_days_counted_in_weeks_change_no_time_ratio():
    days, event, x, cluster = people()
    for family in ("lognormal", "generalised_gamma"):
        one, other = (fit_aft(of, event, x, cluster, family) for of in (days, days / 7))
        assert one.theta[1:3] == pytest.approx(other.theta[1:3], abs=2e-3)


@pytest.mark.parametrize("variance", [0.0, 0.5])
def test_frailty_finds_how_far_providers_differ(variance):
    rng = np.random.default_rng(5)
    provider = np.repeat(np.arange(60), 30)
    arm = (provider < 30).astype(float)
    shared = rng.gamma(1 / variance, variance, 60) if variance else np.ones(60)
    days = rng.exponential(50 * np.exp(0.7 * arm) / shared[provider])
    fitted = fit_frailty(np.minimum(days, 200), days < 200, arm[:, None], provider, [30, 90])
    assert fitted.lower <= variance <= fitted.upper
    assert (fitted.p_value < 0.001) == (variance > 0)
    assert abs(fitted.beta[0] + 0.7) < 2.5 * np.sqrt(fitted.covariance[0, 0])


def test_frailty_of_alike_providers_is_the_piecewise_model():
    days, event, x, cluster = people()
    fitted = fit_frailty(days, event, x[["arm"]].to_numpy(), cluster, [])
    rates = [event[x.arm == arm].sum() / days[x.arm == arm].sum() for arm in (1, 0)]
    assert fitted.without[0] == pytest.approx(np.log(rates[0] / rates[1]), abs=1e-5)
