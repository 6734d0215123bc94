"""The table of the models of engagement: every model has its rows, they agree, and what is missing says why."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from conftest import one_row
from engagement_data import (
    END_REASONS,
    MODEL_SETTINGS,
    QUICK,
    all_censored,
    nobody,
    one_arm,
    one_member,
    one_provider,
    study,
)
from ratebook.contracts.engagement import AftCheck, EngagementModels
from ratebook.disclosure import disclose
from ratebook.engagement.frame import engaged_persons
from ratebook.engagement.models import COMPARED, fit_models, overlay_families
from ratebook.engagement.recurrent import all_spells
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


def effect(models, model, term=None):
    rows = models[(models.model == model) & ((models.term == term) if term else models.term.notna())]
    return rows.iloc[0]


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


def test_one_interval_without_covariates_is_the_ratio_of_rates(base):
    cohort, spells = base
    models = fit_models(cohort, spells, **{**MODEL_SETTINGS, "hazard_cuts_days": []})
    piece = models[models.model == "piecewise_exponential"].iloc[0]
    persons = engaged_persons(cohort, spells, END_REASONS, 30)
    rates = (persons.role == "event").groupby(persons.arm).sum() / persons.days.groupby(persons.arm).sum()
    assert piece.ratio == pytest.approx(rates["RSN"] / rates["CSP"])


def test_the_e_value_judges_the_interval_of_its_hazard_ratio():
    models = fit_models(*study(120, providers=4), **QUICK)
    ratio = one_row(models, model="cox_unadjusted", term="RSN vs CSP")
    nearer = ratio.ratio_upper if ratio.ratio < 1 else ratio.ratio_lower
    risk = (1 - 0.5 ** np.sqrt(nearer)) / (1 - 0.5 ** np.sqrt(1 / nearer))
    risk = max(1 / risk, 1.0) if ratio.ratio < 1 else max(risk, 1.0)
    assert one_row(models, model="e_value").lower == pytest.approx(risk + np.sqrt(risk * (risk - 1)))
