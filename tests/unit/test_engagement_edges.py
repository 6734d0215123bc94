"""Cohorts in which an estimate of engagement has little, or nothing, to stand on."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engagement_data import END_REASONS, MODEL_SETTINGS, SETTINGS, study
from ratebook.contracts.episodes import ARMS
from ratebook.dates import MONTH_DAYS
from ratebook.engagement.curves import curves_by_arm, incidence_rows, month_rows
from ratebook.engagement.estimate import estimate_survival
from ratebook.engagement.frame import engaged_persons
from ratebook.engagement.ipcw import NOT_MODELLED, ipcw_rows
from ratebook.engagement.models import fit_models
from ratebook.engagement.pseudo import pseudo_value_rows
from ratebook.engagement.resampling import resample
from ratebook.engagement.robustness import estimate_robustness, until_readmission
from ratebook.engagement.survival import log_log_interval

CAUSES = ["disengaged", "readmitted"]
QUICK = {**MODEL_SETTINGS, "permutations": 9, "horizons_days": [90]}


@pytest.fixture(scope="module")
def base():
    return study(120, providers=4)


@pytest.fixture
def persons(base):
    return engaged_persons(*base, END_REASONS, 30)


def draws_of(persons, reps=40):
    return resample(persons.arm, persons.provider_id, reps, 1)


def row(table, **cells):
    found = table[np.logical_and.reduce([table[name] == value for name, value in cells.items()])]
    assert len(found) == 1
    return found.iloc[0]


# Resampling


def test_one_member_without_a_navigator_does_not_make_providers_into_persons(base):
    cohort = base[0]
    arm = pd.concat([cohort.arm, pd.Series(["none"])], ignore_index=True)
    provider = pd.concat([cohort.provider_id, pd.Series([None])], ignore_index=True)
    draws = resample(arm, provider, 30, 1)
    assert draws.error_unit == "provider"
    assert (draws.counts[:, draws.unit[-1]] == 1).all(), "alone, it is in every replicate"


def test_persons_without_a_provider_are_not_called_providers(base):
    arm = base[0].arm
    draws = resample(arm, pd.Series([None] * len(arm)), 30, 1)
    assert draws.error_unit == "person"
    some = base[0].provider_id.where(arm == "RSN")
    assert resample(arm, some, 30, 1).error_unit == "person", "one arm has none"


# Curves


def test_months_have_the_limits_that_the_curve_has_on_their_first_day(persons):
    draws = draws_of(persons)
    curves = curves_by_arm(persons, persons.days, draws, CAUSES)
    third = [row for row in month_rows(curves, draws, 3) if row["month"] == 3]
    for found in third:
        quantile = draws.quantile((found["arm"],))
        assert quantile > 2.3, "few providers"
        expected = log_log_interval(found["survival_start"], found["std_error"], quantile)
        assert (found["lower"], found["upper"]) == pytest.approx(tuple(float(limit) for limit in expected))


def test_an_incidence_without_limits_says_why(persons):
    at_once = persons.assign(days=5.0, end_reason="disengaged", role="event")
    draws = draws_of(at_once)
    rows = incidence_rows(curves_by_arm(at_once, at_once.days, draws, CAUSES), draws, CAUSES, 14)
    after = {row["end_reason"]: row["reason"] for row in rows if row["day"] == 14}
    assert after == {
        "disengaged": "everybody has ended for this reason",
        "readmitted": "nobody has ended for this reason",
    }


# Contacts


def test_contacts_are_counted_over_the_days_in_which_they_were_made(base):
    """Weekly contacts are weekly however many of the last days leave the risk set."""
    cohort, spells = base
    spells = spells.assign(contacts=spells.length_days // 7 + 1)
    early = cohort.assign(follow_end_date=spells.last_date.to_numpy() + np.timedelta64(5, "D"))
    unseen = spells.assign(end_reason="end_of_data")
    for members, theirs in ((cohort, spells), (early, unseen)):
        table = estimate_survival(members, theirs, **{**SETTINGS, "boot_reps": 20}).engagement
        found = row(table, estimand="contacts_per_engaged_month", arm="RSN")
        mine = theirs[theirs.program == "RSN"]
        assert found.estimate == pytest.approx(mine.contacts.sum() / (mine.length_days.sum() / MONTH_DAYS))


# Adjustment


def test_covariates_that_tell_the_arms_apart_leave_no_adjusted_mean(persons):
    told = persons.assign(twin=(persons.arm == "RSN").astype(float))
    draws = draws_of(told)
    curves = curves_by_arm(told, told.days, draws, CAUSES)
    rows = pseudo_value_rows(told, draws, curves, ["twin"], [90], 0.1)
    assert {row["reason"] for row in rows} == {"the covariates tell the arms apart"}
    assert np.isnan([row["estimate"] for row in rows]).all()


def test_losses_that_cannot_be_modelled_are_not_said_to_be_weighed(persons):
    lost = np.arange(len(persons)) % 4 == 0
    persons = persons.assign(
        same=1.0,
        end_reason=persons.end_reason.where(~lost, "disenrolled"),
        role=persons.role.where(~lost, "censor"),
    )
    assert (persons[lost].groupby("arm").size() >= 10).all()
    draws = draws_of(persons)
    curves = curves_by_arm(persons, persons.days, draws, CAUSES)
    rows = ipcw_rows(persons, draws, curves, ["same"], END_REASONS, [90], 0.1)
    assert {row["reason"] for row in rows} == {NOT_MODELLED}


# Models


def test_spells_that_all_last_a_day_have_models_with_reasons(base):
    cohort, spells = base
    single = spells.assign(length_days=1, last_date=spells.first_date, end_reason="disengaged")
    models = fit_models(cohort, single, **QUICK)
    tests = models[models.model.str.startswith("ph_test")]
    assert tests.p_value.isna().all() and tests.reason.str.contains("one day").all()
    families = models[models.model.isin(["aft_weibull", "aft_lognormal", "aft_loglogistic", "aft_generalised_gamma"])]
    assert families.estimate.isna().all() and families.reason.notna().all()


def test_the_e_value_judges_the_interval_of_its_hazard_ratio(base):
    models = fit_models(*base, **QUICK)
    ratio = row(models, model="cox_unadjusted", term="RSN vs CSP")
    nearer = ratio.ratio_upper if ratio.ratio < 1 else ratio.ratio_lower
    risk = (1 - 0.5 ** np.sqrt(nearer)) / (1 - 0.5 ** np.sqrt(1 / nearer))
    risk = max(1 / risk, 1.0) if ratio.ratio < 1 else max(risk, 1.0)
    assert row(models, model="e_value").lower == pytest.approx(risk + np.sqrt(risk * (risk - 1)))


def test_the_e_value_of_one_provider_an_arm_has_no_limit(base):
    cohort, spells = base
    alone = np.where(cohort.arm == ARMS[0], "A", "B")
    models = fit_models(cohort.assign(provider_id=alone), spells.assign(provider_id=alone), **QUICK)
    found = row(models, model="e_value")
    assert found.estimate > 1 and pd.isna(found.lower)
    assert "fewer than two providers" in found.reason


# Readmission


def test_spells_that_a_readmission_closes_are_set_beside_those_it_does_not(base):
    """Half of RSN's clients are back in detox on day 20 of their spell; two before they met anybody."""
    cohort, spells = base
    first = cohort.first_contact_date
    is_back = (cohort.arm == "RSN") & (np.arange(len(cohort)) % 2 == 0)
    cohort = cohort.assign(readmission_date=(first + pd.Timedelta(days=20)).where(is_back))
    early = cohort.index[cohort.arm == "CSP"][:2]
    cohort.loc[early, "readmission_date"] = first[early] - pd.Timedelta(days=1)
    persons = engaged_persons(cohort, spells, END_REASONS, 30)
    closed = until_readmission(persons)
    assert len(closed) == len(persons) - 2
    stayed = persons[(persons.readmission_date > persons.first_date) & (persons.days >= 20)].person_id
    mine = closed[closed.person_id.isin(stayed)]
    assert len(mine) and (mine.days == 20).all() and (mine.role == "competing").all()
    others = persons[~persons.person_id.isin(stayed) & persons.person_id.isin(closed.person_id)]
    pd.testing.assert_series_equal(
        closed[~closed.person_id.isin(stayed)].set_index("person_id").days, others.set_index("person_id").days
    )
    by_gap = spells.assign(spell_gap_days=30)
    table = estimate_robustness(
        cohort, by_gap, spell_gap_days=30, end_reasons=END_REASONS, horizons_days=[90], min_observed_share=0.1,
        boot_reps=20, seed=1,
    )  # fmt: skip
    counted, closing = (
        row(table, analysis="readmission", variant=name) for name in ("as spells are counted", "closes the spell")
    )
    assert closing.estimate < counted.estimate
