"""Cohorts in which an estimate of engagement has little, or nothing, to stand on."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from conftest import one_row
from engagement_data import (
    CAUSES,
    COVARIATES,
    END_REASONS,
    MODEL_SETTINGS,
    QUICK,
    all_censored,
    estimate,
    nobody,
    one_arm,
    one_member,
    one_provider,
    row,
    study,
)
from ratebook.contracts import engagement as contracts
from ratebook.contracts.episodes import ARMS
from ratebook.engagement.balance import estimate_balance
from ratebook.engagement.curves import curves_by_arm
from ratebook.engagement.frame import engaged_persons
from ratebook.engagement.ipcw import NOT_MODELLED, ipcw_rows
from ratebook.engagement.models import fit_models
from ratebook.engagement.pseudo import pseudo_value_rows
from ratebook.engagement.resampling import resample
from ratebook.tables import read_table, write_table


@pytest.fixture(scope="module")
def base():
    return study()


@pytest.fixture(scope="module")
def few():
    return study(120, providers=4)


@pytest.fixture
def persons(few):
    return engaged_persons(*few, END_REASONS, 30)


def draws_of(persons, reps=40):
    return resample(persons.arm, persons.provider_id, reps, 1)


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


def test_a_horizon_beyond_all_follow_up_is_not_reached_for(base):
    cohort, spells = base
    short = spells.assign(length_days=spells.length_days.clip(upper=100))
    short = short.assign(end_reason=short.end_reason.where(short.length_days < 100, "end_of_data"))
    table = estimate(cohort, short).engagement
    assert row(table, "rmst", "RSN", tau=90).estimate > 0
    assert row(table, "rmst", "RSN", tau=180).reason in (
        "follow-up ends before the horizon", "too few observed to the horizon",
    )  # fmt: skip


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


def test_spells_that_all_last_a_day_have_models_with_reasons(few):
    cohort, spells = few
    single = spells.assign(length_days=1, last_date=spells.first_date, end_reason="disengaged")
    models = fit_models(cohort, single, **QUICK)
    tests = models[models.model.str.startswith("ph_test")]
    assert tests.p_value.isna().all() and tests.reason.str.contains("one day").all()
    families = models[models.model.isin(["aft_weibull", "aft_lognormal", "aft_loglogistic", "aft_generalised_gamma"])]
    assert families.estimate.isna().all() and families.reason.notna().all()


def test_the_e_value_of_one_provider_an_arm_has_no_limit(few):
    cohort, spells = few
    alone = np.where(cohort.arm == ARMS[0], "A", "B")
    models = fit_models(cohort.assign(provider_id=alone), spells.assign(provider_id=alone), **QUICK)
    found = one_row(models, model="e_value")
    assert found.estimate > 1 and pd.isna(found.lower)
    assert "fewer than two providers" in found.reason
