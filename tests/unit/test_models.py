"""Limits, identities and recovery of the models of engagement."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engagement_data import END_REASONS, MODEL_SETTINGS, nobody, one_arm, one_member, study
from ratebook.contracts.engagement import AftCheck, EngagementModels
from ratebook.disclosure import disclose
from ratebook.engagement.aft import fit_aft
from ratebook.engagement.competing import expand_subdistribution
from ratebook.engagement.cox import NO_MAXIMUM, fit_cox, test_proportionality
from ratebook.engagement.frailty import fit_frailty
from ratebook.engagement.models import COMPARED, fit_models, overlay_families
from ratebook.engagement.recurrent import all_spells
from ratebook.engagement.survival import log_rank, risk_table, survival_of, value_at
from ratebook.tables import write_table

OVERLAY = {name: MODEL_SETTINGS[name] for name in ("end_reasons", "spell_gap_days", "horizons_days")}
OF_THE_ARM = (
    "cox_unadjusted",
    "discrete_time",
    "aft_weibull",
    "fine_gray",
    "andersen_gill",
    "pwp_gap_time",
    "frailty",
)


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


def effect(models, model, term=None):
    rows = models[(models.model == model) & ((models.term == term) if term else models.term.notna())]
    return rows.iloc[0]


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
    from ratebook.engagement.survival import cumulative_incidence

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


# The table


@pytest.fixture(scope="module")
def base():
    return study()


@pytest.fixture(scope="module")
def models(base):
    return fit_models(*base, **MODEL_SETTINGS)


def test_every_model_has_its_rows_and_every_row_an_estimate_or_a_reason(models, tmp_path):
    assert set(COMPARED) <= set(models.model)
    assert (models.estimate.notna() | models.reason.notna()).all()
    interval = models[models.estimate.notna() & models.lower.isna()]
    assert interval.reason.notna().all()
    write_table(models, tmp_path / "models.parquet", EngagementModels)


def test_the_order_of_persons_and_spells_changes_nothing(base, models):
    again = fit_models(*(part.sample(frac=1, random_state=4) for part in base), **MODEL_SETTINGS)
    key = ["model", "term"]
    for one, other in ((models, again),):
        one, other = (of.sort_values(key).reset_index(drop=True) for of in (one, other))
        assert (one[key] == other[key]).all(axis=None)
        pd.testing.assert_series_equal(one.estimate, other.estimate, rtol=1e-3, atol=1e-6)


def test_relabelled_arms_flip_every_effect(base, models):
    cohort, spells = base
    swap = {"RSN": "CSP", "CSP": "RSN"}
    flipped = fit_models(
        cohort.assign(arm=cohort.arm.map(swap)), spells.assign(program=spells.program.map(swap)), **MODEL_SETTINGS
    )
    for name in OF_THE_ARM:
        term = "any event" if name == "fine_gray" else "RSN vs CSP"
        one, other = effect(models, name, term), effect(flipped, name, term)
        assert one.estimate == pytest.approx(-other.estimate, abs=2e-3), name
        assert one.std_error == pytest.approx(other.std_error, rel=2e-2), name


def test_all_models_agree_where_engagement_is_exponential(models):
    """180 and 60 days: a hazard ratio of 1/3 and a time ratio of 3, in every model that speaks of one."""
    for name in ("cox_unadjusted", "discrete_time", "andersen_gill", "pwp_gap_time", "frailty"):
        assert effect(models, name, "RSN vs CSP").ratio == pytest.approx(1 / 3, rel=0.25), name
    assert effect(models, "aft_weibull", "RSN vs CSP").ratio == pytest.approx(3, rel=0.25)
    assert effect(models, "aft_weibull", "hazard ratio, exp(-b/sigma)").ratio == pytest.approx(1 / 3, rel=0.25)
    assert effect(models, "crossing").reason == "the curves do not cross"


def test_curves_that_cross_are_said_to_on_the_day(base):
    """RSN clients all leave on day 100, CSP clients on day 50 or 150, half each: the curves cross on day 100."""
    cohort, spells = base
    rsn = (cohort.arm == "RSN").to_numpy()
    length = np.where(rsn, 100, np.where(np.arange(len(cohort)) % 2, 50, 150))
    spells = spells.assign(
        length_days=length,
        last_date=spells.first_date + pd.to_timedelta(length - 1, unit="D"),
        end_reason="disengaged",
    )
    cohort = cohort.assign(follow_end_date=spells.last_date + pd.Timedelta(days=60))
    found = effect(fit_models(cohort, spells, **MODEL_SETTINGS), "crossing")
    assert found.estimate == 100 and found.reason == "the day of a crossing has no interval"


def test_later_spells_count_after_the_first(base):
    cohort, spells = base
    again = spells[spells.end_reason == "disengaged"].head(50)
    start = again.last_date + pd.Timedelta(days=40)
    again = again.assign(spell=2, first_date=start, last_date=start + pd.Timedelta(days=9), length_days=10)
    rows = all_spells(cohort, pd.concat([spells, again]), END_REASONS, 30)
    second = rows[rows.spell == 2]
    first = rows[rows.person_id.isin(second.person_id) & (rows.spell == 1)]
    assert len(second) == 50
    assert (second.start_days.to_numpy() == first.length_days.to_numpy() + 39).all()
    once, twice = (fit_models(cohort, of, **MODEL_SETTINGS) for of in (spells, pd.concat([spells, again])))
    assert effect(twice, "cox_unadjusted").estimate == effect(once, "cox_unadjusted").estimate
    for name in ("andersen_gill", "pwp_gap_time"):
        assert abs(effect(twice, name).estimate - effect(once, name).estimate) > 1e-3


def test_a_rare_way_to_end_hides_the_next_rarest_with_it(base):
    """Ends of the event add up to those of the whole model: one hidden alone would come back by subtraction."""
    cohort, spells = base
    lost = spells.index.isin(spells[spells.end_reason == "disengaged"].index[:5])
    few = spells.assign(end_reason=spells.end_reason.mask(lost, "graduated"))
    shown = disclose(fit_models(cohort, few, **MODEL_SETTINGS), EngagementModels, 11)
    for name in ("cause_specific", "fine_gray"):
        hidden = shown[(shown.model == name) & shown.events.isna()]
        assert set(hidden.term) == {"graduated", "readmitted"} and hidden.ratio.isna().all()


def two_members(base):
    cohort, spells = base
    keep = cohort.person_id.isin([cohort.person_id[cohort.arm == arm].iloc[0] for arm in ("RSN", "CSP")])
    return cohort[keep], spells[keep]


def one_provider(base):
    return base[0].assign(provider_id="O1"), base[1].assign(provider_id="O1")


def all_censored(base):
    return base[0], base[1].assign(end_reason="end_of_data", is_event=False)


def no_event_in_an_arm(base):
    cohort, spells = base
    return cohort, spells.assign(end_reason=spells.end_reason.where(spells.program == "CSP", "end_of_data"))


LIMITS = [lambda base: nobody(), one_arm, one_member, two_members, one_provider, all_censored, no_event_in_an_arm]


@pytest.mark.parametrize("limit", LIMITS)
def test_thin_data_give_every_model_a_row_with_a_reason(base, limit, tmp_path):
    cohort, spells = limit(base)
    models = fit_models(cohort, spells, **MODEL_SETTINGS)
    write_table(models, tmp_path / "models.parquet", EngagementModels)
    assert (models.estimate.notna() | models.reason.notna()).all()
    numbers = models[["estimate", "std_error", "lower", "upper", "ratio", "ratio_lower", "ratio_upper"]].astype(float)
    assert not np.isinf(numbers).any(axis=None)
    assert (models.estimate.isna() | models.lower.notna() | models.reason.notna()).all()
    needed = set(COMPARED) - ({"cause_specific"} if limit is all_censored else set())
    assert needed <= set(models.model)
    overlay = overlay_families(cohort, spells, **OVERLAY)
    write_table(overlay, tmp_path / "overlay.parquet", AftCheck)


def test_the_overlay_starts_at_one_and_follows_the_curve(base):
    overlay = overlay_families(*base, **OVERLAY)
    assert (overlay[overlay.day == 0].model_survival == 1).all()
    weibull = overlay[overlay.model == "weibull"]
    assert (weibull.model_survival - weibull.survival).abs().max() < 0.12
    assert overlay.groupby(["arm", "model"]).model_survival.is_monotonic_decreasing.all()
