"""Limits, identities and recovery of the engagement stage."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engagement_data import COVARIATES, END_REASONS, MODEL_SETTINGS, SETTINGS, nobody, one_arm, one_member, study
from ratebook.contracts import engagement as contracts
from ratebook.engagement.balance import estimate_balance
from ratebook.engagement.curves import curves_by_arm, rmst_rows
from ratebook.engagement.days import expected_days
from ratebook.engagement.design import design_matrix
from ratebook.engagement.estimate import estimate_survival
from ratebook.engagement.frame import engaged_persons, followed_to
from ratebook.engagement.models import fit_models
from ratebook.engagement.resampling import resample
from ratebook.engagement.survival import cumulative_incidence, median_of, risk_table, rmst, survival_of
from ratebook.tables import read_table, write_table

HEADLINE = ("contact", "kaplan_meier")


def estimate(cohort, spells, **changes):
    return estimate_survival(cohort, spells, **{**SETTINGS, **changes})


def row(table, estimand, arm="RSN vs CSP", tau=180, clock="contact", method="kaplan_meier"):
    rows = table[(table.estimand == estimand) & (table.arm == arm) & (table.clock == clock) & (table.method == method)]
    return rows[rows.tau_days.eq(tau).fillna(False).astype(bool)].iloc[0]


@pytest.fixture(scope="module")
def base():
    return study()


@pytest.fixture(scope="module")
def found(base):
    return estimate(*base)


# Curves


def test_a_censoring_on_the_day_of_an_end_was_still_at_risk():
    table = risk_table([5, 5], [1, 0]).total()
    assert table.at_risk.tolist() == [2.0] and survival_of(table).tolist() == [0.5]


def test_who_enters_on_the_day_of_an_end_is_not_at_risk_for_it():
    table = risk_table([5, 9], [1, 1], entry=[0, 5]).total()
    assert table.at_risk.tolist() == [1.0, 1.0]
    table = risk_table([5, 9], [1, 1], entry=[0, 4.9]).total()
    assert table.at_risk.tolist() == [2.0, 1.0]


def test_a_weight_of_two_is_the_person_twice():
    days, cause, weight = np.array([3.0, 5, 5, 8, 9]), np.array([1, 2, 0, 1, 0]), np.array([1, 2, 3, 1, 2])
    once = risk_table(days, cause, causes=2, weight=weight).total()
    twice = risk_table(np.repeat(days, weight), np.repeat(cause, weight), causes=2).total()
    assert survival_of(once) == pytest.approx(survival_of(twice))
    assert cumulative_incidence(once) == pytest.approx(cumulative_incidence(twice))


def test_without_censoring_the_restricted_mean_is_the_mean():
    days = np.random.default_rng(3).integers(1, 100, 50)
    table = risk_table(days, np.ones(50, int)).total()
    assert rmst(table.time, survival_of(table), 60) == pytest.approx(np.minimum(days, 60).mean())


def test_units_summed_by_counts_of_one_are_the_whole():
    rng = np.random.default_rng(4)
    days, cause, unit = rng.integers(1, 50, 80), rng.integers(0, 3, 80), rng.integers(0, 7, 80)
    table = risk_table(days, cause, causes=2, unit=unit, units=7)
    whole = risk_table(days, cause, causes=2).total()
    assert survival_of(table.total(np.ones((1, 7))))[0] == pytest.approx(survival_of(whole))


def test_the_limits_of_a_median_are_where_the_limits_of_the_curve_pass_one_half(base):
    tables = estimate(*base)
    rows = tables.engagement.query("estimand == 'median'").set_index("arm")
    for arm, curve in tables.survival.groupby("arm"):
        row = rows.loc[arm]
        below, above = curve[curve.day < row.lower], curve[curve.day >= row.lower]
        assert row.lower <= row.estimate <= row.upper
        assert (below.lower.dropna() > 0.5).all() and (above.lower.dropna() <= 0.5).all()
        assert (curve.upper[curve.day < row.upper].dropna() > 0.5).all()
        assert (curve.upper[curve.day >= row.upper].dropna() <= 0.5).all()


def test_the_median_is_reached_at_half_and_missing_above():
    assert median_of(np.array([4.0, 8.0]), np.array([0.5, 0.1])) == 4
    assert np.isnan(median_of(np.array([4.0]), np.array([0.51])))
    assert np.isnan(median_of(np.array([]), np.array([])))


def test_expected_days_by_hand():
    """Two observed for three days, one engaged on all of them and one on none; then one of them is lost."""
    observed, engaged, died = np.array([2.0, 2, 1, 0]), np.array([1.0, 1, 1, 0]), np.array([0.0, 0, 0, 0])
    assert expected_days(observed, engaged, died)[:3] == pytest.approx([0.5, 1.0, 2.0])
    assert np.isnan(expected_days(observed, engaged, died)[3])


def test_the_dead_are_engaged_no_more():
    observed, engaged, died = np.array([2.0, 1, 1]), np.array([2.0, 1, 1]), np.array([1.0, 0, 0])
    assert expected_days(observed, engaged, died) == pytest.approx([1.0, 1.5, 2.0])


def last_days(silence):
    """One client of each arm whose last contact came `silence` days before observation ended."""
    cohort, spells = study(persons=2, providers=1, seed=2)
    observed = cohort.first_contact_date + pd.Timedelta(days=99)
    last = observed - pd.Timedelta(days=silence)
    spells = spells.assign(last_date=last, length_days=100 - silence, end_reason="end_of_data")
    return cohort.assign(follow_end_date=observed), spells


@pytest.mark.parametrize(
    ("silence", "days"),
    [
        pytest.param(0, 69, id="still in contact: a last contact after day 69 of 100 could not have shown as one"),
        pytest.param(29, 69, id="in the shadow of the gap"),
        pytest.param(30, 69, id="last contact as the shadow begins"),
    ],
)
def test_a_censored_spell_leaves_the_risk_set_before_ends_turn_invisible(silence, days):
    persons = engaged_persons(*last_days(silence), END_REASONS, 30)
    assert persons.days.tolist() == [days, days]
    assert engaged_persons(*last_days(silence), END_REASONS).days.tolist() == [100 - silence] * 2


def test_who_came_too_late_for_an_end_to_show_counts_for_nothing():
    cohort, spells = last_days(0)
    late = cohort.assign(follow_end_date=cohort.first_contact_date + pd.Timedelta(days=20))
    assert engaged_persons(late, spells.assign(length_days=21), END_REASONS, 30).days.tolist() == [0.5, 0.5]


def leavers(persons, dead):
    """So many persons of one arm: `dead` of them on day 100, of the others every fifth leaves on day 110."""
    place = np.arange(persons)
    day = np.where(place < dead, 100, np.where(place % 5 == 0, 110, 400))
    discharge = pd.Series(pd.Timestamp("2020-01-01"), index=place)
    ids = np.random.default_rng(1).permutation(persons).astype(str)
    frame = pd.DataFrame({"person_id": ids, "arm": "RSN", "discharge_date": discharge})
    return frame.assign(follow_end_date=discharge + pd.to_timedelta(day, unit="D")), pd.Series(place >= dead)


def test_of_the_dead_as_many_would_have_left_as_of_the_living():
    cohort, is_seen = leavers(1100, 100)
    day = (followed_to(cohort, is_seen) - cohort.discharge_date).dt.days
    assert day[is_seen].equals((cohort.follow_end_date - cohort.discharge_date).dt.days[is_seen])
    assert day[~is_seen].value_counts().to_dict() == {400: 80, 110: 20}
    shuffled = cohort.sample(frac=1.0, random_state=2)
    assert followed_to(shuffled, is_seen[shuffled.index]).sort_index().equals(followed_to(cohort, is_seen))


def test_where_nobody_living_was_followed_longer_the_dead_would_have_been_to_the_end():
    cohort, _ = leavers(10, 10)
    later = pd.concat([cohort, cohort[:1].assign(person_id="late", arm="CSP", follow_end_date="2021-02-04")])
    later = later.astype({"follow_end_date": cohort.follow_end_date.dtype}).reset_index(drop=True)
    found = followed_to(later, pd.Series([False] * 10 + [True]))
    assert (found == pd.Timestamp("2021-02-04")).all()


def test_a_death_in_the_shadow_of_the_gap_is_no_end_where_the_dead_would_have_left():
    """Two alike clients: one leaves coverage, one dies on a day after which whoever lived would have left."""
    cohort, spells = last_days(0)
    both = [table.assign(person_id=table.person_id + "x") for table in (cohort, spells)]
    died = cohort.assign(follow_end_reason="death", follow_end_date=cohort.follow_end_date - pd.Timedelta(days=1))
    cohort = pd.concat([died, both[0].assign(follow_end_reason="disenrolled")], ignore_index=True)
    far = cohort[:1].assign(person_id="far", arm="none", follow_end_date=pd.Timestamp("2030-01-01"))
    spells = pd.concat([spells.assign(length_days=99, end_reason="death"), both[1]], ignore_index=True)
    persons = engaged_persons(pd.concat([cohort, far], ignore_index=True), spells, END_REASONS, 30)
    assert persons.role.tolist() == ["censor"] * 4
    assert persons.days.tolist() == [69] * 4


# Tables


def test_every_table_keeps_its_contract_and_its_bytes(base, found, tmp_path):
    again = estimate(*base)
    for name in found._fields:
        contract = getattr(contracts, "".join(part.title() for part in name.split("_")))
        for n, tables in enumerate((found, again)):
            write_table(getattr(tables, name), tmp_path / f"{n}.parquet", contract)
        assert (tmp_path / "0.parquet").read_bytes() == (tmp_path / "1.parquet").read_bytes()


def test_the_order_of_the_rows_changes_nothing(base, found):
    shuffled = estimate(*(part.sample(frac=1, random_state=5) for part in base))
    pd.testing.assert_frame_equal(shuffled.engagement, found.engagement, rtol=1e-9)


def test_every_missing_estimate_or_interval_has_a_reason(found):
    for table in (found.engagement, found.survival, found.cumulative_incidence):
        estimate_column = {"survival", "incidence", "estimate"} & set(table.columns)
        complete = table[[*estimate_column, "lower", "upper"]].notna().all(axis=1)
        assert (complete == table.reason.isna()).all()


def test_an_interval_holds_its_estimate(found):
    rows = found.engagement[found.engagement.lower.notna()]
    assert ((rows.lower <= rows.estimate) & (rows.estimate <= rows.upper)).all()


def test_months_multiply_to_the_curve_and_start_at_one(found):
    for _, months in found.survival_by_month.groupby("arm"):
        assert months.survival_start.iloc[0] == 1
        product = (1 - months.hazard).cumprod().to_numpy()[:-1]
        assert months.survival_start.to_numpy()[1:] == pytest.approx(product)
        inside = months[months.lower.notna()]
        assert len(inside) and inside.survival_start.between(inside.lower, inside.upper).all()
        assert inside.lower.ge(0).all() and inside.upper.le(1).all()


def test_causes_and_the_still_engaged_sum_to_one(found):
    ended = found.cumulative_incidence.groupby(["arm", "day"]).incidence.sum()
    curve = found.survival.set_index(["arm", "day"]).survival.reindex(ended.index)
    assert (ended + curve).dropna().to_numpy() == pytest.approx(1)


def test_the_persons_ended_for_a_reason_are_whole_and_carry_its_incidence(found):
    causes = found.cumulative_incidence.groupby(["arm", "end_reason"])
    assert (causes.cause_persons.nunique() == 1).all()
    assert ((causes.cause_persons.first() > 0) == (causes.incidence.last() > 0)).all()
    per_arm = causes.cause_persons.first().groupby("arm").sum()
    assert (per_arm <= causes.at_risk.first().groupby("arm").first()).all()


def test_the_contrast_is_the_difference_of_the_arms(found):
    table = found.engagement
    for method in ("kaplan_meier", "overlap_weighted", "competing_censored"):
        arms = [row(table, "rmst", arm, method=method).estimate for arm in ("RSN", "CSP")]
        assert row(table, "rmst_difference", method=method).estimate == pytest.approx(arms[0] - arms[1])
        assert row(table, "rmst_ratio", method=method).estimate == pytest.approx(arms[0] / arms[1])


def test_relabelling_the_arms_flips_the_sign(base, found):
    swap = {"RSN": "CSP", "CSP": "RSN"}
    cohort = base[0].assign(arm=base[0].arm.map(swap), site_arm=base[0].site_arm.map(swap))
    other = estimate(cohort, base[1].assign(program=base[1].program.map(swap))).engagement
    for method in ("kaplan_meier", "overlap_weighted"):
        before = row(found.engagement, "rmst_difference", method=method).estimate
        assert row(other, "rmst_difference", method=method).estimate == pytest.approx(-before)


def test_shifting_all_dates_by_a_week_changes_nothing(base, found):
    week = pd.Timedelta(days=7)
    moved = [
        part.assign(**{name: part[name] + week for name in part.columns if name.endswith("_date")}) for part in base
    ]
    pd.testing.assert_frame_equal(estimate(*moved).engagement, found.engagement, rtol=1e-6)


def test_the_measurement_gap_is_what_the_administrative_clock_adds(found):
    """The cohort's enrolment outlasts the last contact by 20 days with RSN and by 5 with CSP."""
    table = found.engagement
    gaps = {arm: row(table, "measurement_gap", arm, tau=365, clock="admin").estimate for arm in ("RSN", "CSP")}
    assert 15 < gaps["RSN"] < 20
    assert 4 < gaps["CSP"] < 6
    difference = row(table, "measurement_gap_difference", tau=365, clock="admin").estimate
    assert difference == pytest.approx(gaps["RSN"] - gaps["CSP"])


def test_clients_of_one_provider_being_alike_widens_the_interval():
    table = estimate(*study(persons=800, frailty=0.8), boot_reps=200).engagement
    headline = row(table, "rmst_difference")
    assert headline.error_unit == "provider"
    assert headline.std_error > 1.5 * headline.naive_std_error


# Where nothing can be said


def test_nobody_gives_empty_curves_and_reasons(tmp_path):
    nothing = estimate(*nobody())
    assert nothing.survival.empty and nothing.survival_by_month.empty and nothing.cumulative_incidence.empty
    assert nothing.engagement.estimate.isna().all() and nothing.engagement.reason.notna().all()
    write_table(nothing.engagement, tmp_path / "engagement.parquet", contracts.Engagement)
    write_table(nothing.survival, tmp_path / "survival.parquet", contracts.Survival)
    models = fit_models(*nobody(), **MODEL_SETTINGS)
    assert models.reason.str.contains("no person in").all()
    write_table(models, tmp_path / "models.parquet", contracts.EngagementModels)
    balance, weights, summary = estimate_balance(*nobody(), END_REASONS, COVARIATES)
    assert weights.empty and balance.reason.notna().all() and summary.reason.notna().all()
    for name, table in {"Balance": balance, "Weights": weights, "WeightSummary": summary}.items():
        write_table(table, tmp_path / f"{name}.parquet", getattr(contracts, name))


def one_provider(base):
    cohort, spells = base
    return cohort.assign(provider_id="O1"), spells.assign(provider_id="O1")


def all_censored(base):
    return base[0], base[1].assign(end_reason="end_of_data", is_event=False)


@pytest.mark.parametrize("limit", [one_arm, one_member, one_provider, all_censored])
def test_thin_data_give_an_honest_table(base, limit, tmp_path):
    cohort, spells = limit(base)
    tables = estimate(cohort, spells)
    table = tables.engagement
    assert not np.isinf(table[["estimate", "std_error", "lower", "upper"]].astype(float)).any(axis=None)
    assert (table[["estimate", "lower"]].notna().all(axis=1) == table.reason.isna()).all()
    for name in tables._fields:
        contract = getattr(contracts, "".join(part.title() for part in name.split("_")))
        write_table(getattr(tables, name), tmp_path / f"{name}.parquet", contract)
    models = fit_models(cohort, spells, **MODEL_SETTINGS)
    write_table(models, tmp_path / "models.parquet", contracts.EngagementModels)
    assert (models.estimate.notna() | models.reason.notna()).all()
    balance, weights, _ = estimate_balance(cohort, spells, END_REASONS, COVARIATES)
    write_table(balance, tmp_path / "balance.parquet", contracts.Balance)
    write_table(weights, tmp_path / "weights.parquet", contracts.Weights)
    assert len(read_table(tmp_path / "weights.parquet", contracts.Weights)) in (0, len(spells))


def test_one_arm_alone_is_estimated_and_not_compared(base):
    table = estimate(*one_arm(base)).engagement
    assert row(table, "rmst", "RSN").estimate > 0
    assert row(table, "rmst", "CSP").reason == "no person in the arm"
    assert row(table, "rmst_difference").reason == "no person in the arm"


def test_one_provider_an_arm_resamples_persons_and_says_so(base):
    headline = row(estimate(*one_provider(base)).engagement, "rmst_difference")
    assert headline.error_unit == "person"
    assert headline.std_error == pytest.approx(headline.naive_std_error, rel=0.4)


def test_a_horizon_beyond_all_follow_up_is_not_reached_for(base):
    cohort, spells = base
    short = spells.assign(length_days=spells.length_days.clip(upper=100))
    short = short.assign(end_reason=short.end_reason.where(short.length_days < 100, "end_of_data"))
    table = estimate(cohort, short).engagement
    assert row(table, "rmst", "RSN", tau=90).estimate > 0
    assert row(table, "rmst", "RSN", tau=180).reason in (
        "follow-up ends before the horizon", "too few observed to the horizon",
    )  # fmt: skip


# Models and weights


def test_the_adjusted_hazard_ratio_recovers_what_was_drawn():
    """Exponential engagement of 180 and 60 days: a hazard ratio of 1/3, constant in time."""
    models = fit_models(*study(persons=3000, seed=11), **MODEL_SETTINGS)
    adjusted = models[(models.model == "cox_adjusted") & (models.term == "RSN vs CSP")].iloc[0]
    assert adjusted.ratio_lower < 1 / 3 < adjusted.ratio_upper
    pieces = models[models.model == "piecewise_exponential"]
    assert (pieces.lower <= np.log(1 / 3)).all() and (np.log(1 / 3) <= pieces.upper).all()
    assert models[(models.model == "ph_test_unadjusted") & (models.term == "GLOBAL")].p_value.iloc[0] > 0.01
    assert models[models.model == "permutation"].p_value.max() <= 0.02


def test_one_interval_without_covariates_is_the_ratio_of_rates(base):
    cohort, spells = base
    models = fit_models(cohort, spells, **{**MODEL_SETTINGS, "hazard_cuts_days": []})
    piece = models[models.model == "piecewise_exponential"].iloc[0]
    persons = engaged_persons(cohort, spells, END_REASONS, 30)
    rates = (persons.role == "event").groupby(persons.arm).sum() / persons.days.groupby(persons.arm).sum()
    assert piece.ratio == pytest.approx(rates["RSN"] / rates["CSP"])


def test_overlap_weights_balance_what_the_model_holds(base):
    balance, weights, _ = estimate_balance(*base, END_REASONS, COVARIATES)
    linear = balance[balance.level.isin(["log", "yes", "male", "west"]) | (balance.covariate == "age_years")]
    assert linear[linear.level != "squared"].smd_after.abs().max() < 1e-6
    assert balance.smd_before.abs().max() > 0.15
    assert weights.overlap.to_numpy() == pytest.approx(
        np.where(weights.arm == "RSN", 1 - weights.propensity, weights.propensity)
    )


def test_a_missing_covariate_is_marked_and_a_constant_one_left_out(base):
    cohort = base[0].assign(age_years=base[0].age_years.where(base[0].sex == "male"), los_days=5)
    matrix = design_matrix(cohort, ["age_years", "los_days", "dx_class"])
    assert "age_years: missing" in matrix and "los_days" not in matrix
    assert np.isfinite(matrix.to_numpy()).all()


def test_resampling_counts_each_provider_once_on_average():
    arm = pd.Series(np.repeat(["RSN", "CSP"], 30))
    cluster = pd.Series(np.repeat(range(12), 5)).astype(str)
    draws = resample(arm, cluster, 4000, 1)
    assert draws.sizes == {"RSN": 6, "CSP": 6}
    assert draws.counts.mean(0) == pytest.approx(np.ones(12), abs=0.06)
    assert draws.counts.sum(1) == pytest.approx(12)


def test_unequal_providers_are_resampled_to_the_error_of_their_arms_mean():
    """Of persons all alike, variance 1, the arm's mean has variance 1 / persons, however unequal their providers."""
    rng = np.random.default_rng(5)
    for size in ([30] * 8, [200, 90, 60, 20, 10, 10, 5, 5]):
        size = np.array(size)
        cluster = pd.Series(np.repeat(np.arange(len(size)), size).astype(str))
        draws = resample(pd.Series(["RSN"] * size.sum()), cluster, 4000, 1)
        assert (draws.counts >= 0).all()
        mean = rng.standard_normal((3000, len(size))) / np.sqrt(size)
        share = size / size.sum()
        apart = share * (mean - (mean @ share)[:, None])
        # Linear in the counts, as every estimate is to first order.
        variance = ((draws.counts - 1) @ apart.T).var(0).mean()
        assert variance == pytest.approx(1 / size.sum(), rel=0.05)


# Recovery


def test_restricted_means_recover_the_truth_and_intervals_cover_it():
    """Exponential engagement in whole days, providers unlike each other, ends seen after 30 days of silence.

    The mean of min(T, 180) is a geometric sum; the frailty of a provider is normal with spread 0.2 and its
    effect on the mean is integrated numerically. Censoring at the last contact would be several days too long.
    """
    truth = {arm: _mean_days(mean, 0.2, 180) for arm, mean in (("RSN", 180), ("CSP", 60))}
    planted = truth["RSN"] - truth["CSP"]
    estimates, covered, naive, late = [], [], [], []
    for seed in range(100):
        cohort, spells = study(persons=400, providers=20, frailty=0.2, censor_days=400.0, seed=seed)
        persons = engaged_persons(cohort, spells, END_REASONS, 30)
        draws = resample(persons.arm, persons.provider_id, 60, seed)
        headline = row(_means(persons, persons.days, draws), "rmst_difference")
        estimates.append(headline.estimate)
        covered.append(headline.lower <= planted <= headline.upper)
        naive.append(abs(headline.estimate - planted) <= 1.96 * headline.naive_std_error)
        late.append(row(_means(persons, persons.length_days, draws), "rmst", "CSP").estimate)
    assert np.mean(estimates) == pytest.approx(planted, rel=0.03)
    assert 0.89 <= np.mean(covered) <= 0.99
    assert np.mean(naive) < np.mean(covered)
    assert np.mean(late) > 1.03 * truth["CSP"]


def _means(persons, days, draws):
    curves = curves_by_arm(persons, days, draws, ["disengaged", "readmitted"])
    return pd.DataFrame(rmst_rows(curves, draws, *HEADLINE, [180], 0.1))


def _mean_days(mean, frailty, tau):
    """Integrate the mean of min(T, tau) over the providers, T in whole days."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(21)
    scale = mean * np.exp(frailty * nodes)
    return np.average((1 - np.exp(-tau / scale)) / (1 - np.exp(-1 / scale)), weights=weights)
