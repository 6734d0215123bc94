"""The difference under other choices: what must stay, what must turn, and what says why it is missing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from conftest import one_row
from engagement_data import END_REASONS, nobody, study
from ratebook.contracts.episodes import SpellsByGap
from ratebook.contracts.robustness import EngagementSensitivity
from ratebook.engagement.frame import engaged_persons
from ratebook.engagement.resampling import resample
from ratebook.engagement.robustness import estimate_robustness, until_readmission
from ratebook.engagement.survival import risk_table, rmst, survival_of
from ratebook.engagement.tipping import restricted_mean_if, unseen_of
from ratebook.tables import empty_frame

CHOICES = {
    "spell_gap_days": 30,
    "end_reasons": END_REASONS,
    "horizons_days": [90, 180],
    "min_observed_share": 0.1,
    "boot_reps": 80,
    "seed": 1,
}


def by_gap(spells, gaps=(30,)):
    return pd.concat([spells.assign(spell_gap_days=gap) for gap in gaps], ignore_index=True)


def robustness(cohort, spells, gaps=(30,), **choices):
    return estimate_robustness(cohort, by_gap(spells, gaps), **{**CHOICES, **choices})


@pytest.fixture(scope="module")
def found():
    return robustness(*study(persons=900, providers=10, frailty=0.2), gaps=(30, 45)).set_index(["analysis", "variant"])


def arm(days, ended, tau=100, seed=3):
    days = np.asarray(days, float)
    draws = resample(pd.Series(["RSN"] * len(days)), pd.Series(np.arange(len(days)) % 5), 20, seed)
    return unseen_of(days, ended, np.ones(len(days), bool), draws, tau), draws


@pytest.fixture
def censored():
    rng = np.random.default_rng(2)
    ends, lost = np.ceil(rng.exponential(60, 300)), np.ceil(rng.exponential(90, 300))
    return np.minimum(ends, lost), ends <= lost


def test_a_factor_of_one_is_kaplan_meier_in_the_sample_and_in_every_replicate(censored):
    days, ended = censored
    unseen, draws = arm(days, ended)
    table = risk_table(days, ended, unit=draws.unit, units=draws.counts.shape[1])
    expected = [float(rmst(table.time, survival_of(table.total()), 100))]
    expected += list(rmst(table.time, survival_of(table.total(draws.counts)), 100))
    assert restricted_mean_if(unseen, 1.0) == pytest.approx(expected, abs=1e-9)


def test_the_faster_the_censored_end_the_shorter_the_mean(censored):
    unseen, _ = arm(*censored)
    means = [restricted_mean_if(unseen, factor)[0] for factor in (0.0, 0.5, 1.0, 2.0, 64.0)]
    assert (np.diff(means) < 0).all()
    days, ended = censored
    assert means[0] == pytest.approx(np.where(ended, np.minimum(days, 100), 100).mean())


def test_without_censoring_no_factor_matters():
    unseen, _ = arm([10, 20, 30, 40, 500], np.ones(5, bool))
    assert restricted_mean_if(unseen, 3.0)[0] == pytest.approx((10 + 20 + 30 + 40 + 100) / 5)


def test_every_choice_in_force_is_the_headline(found):
    bases = found[found.is_base]
    assert len(bases) == 4 + 3
    assert bases.estimate.to_numpy() == pytest.approx(bases.estimate.iloc[0], abs=1e-8)
    assert bases.lower.to_numpy() == pytest.approx(bases.lower.iloc[0], abs=1e-8)


def test_a_censored_of_the_longer_arm_who_ends_faster_takes_from_the_difference(found):
    at = found.loc["informative censoring"].estimate
    longer = [at[f"hazard × {factor} in RSN"] for factor in ("0.5", "1", "1.5", "2", "3")]
    other = [at[f"hazard × {factor} in CSP"] for factor in ("0.5", "1", "1.5", "2", "3")]
    assert (np.diff(longer) < 0).all()
    assert (np.diff(other) > 0).all()


def test_the_tipping_point_is_where_the_estimate_or_its_limit_is_zero():
    found = robustness(*study(persons=700, providers=10, mean_days=(75.0, 60.0), censor_days=60.0))
    tipping = found[found.analysis == "tipping point"].set_index("variant")
    gone = tipping.loc["the difference is gone, hazard × in RSN"]
    assert gone.hazard_factor > 1
    assert gone.estimate == pytest.approx(0, abs=1e-4)
    reaches = tipping.loc["its interval reaches 0, hazard × in RSN"]
    assert reaches.lower == pytest.approx(0, abs=1e-4) or reaches.reason == "the interval holds 0 already"


def test_a_large_difference_stands_whatever_the_censored_do(found):
    row = found.loc[("tipping point", "the difference is gone, hazard × in RSN")]
    assert row.reason.startswith("not even if")
    assert row.estimate > 0


def test_one_provider_is_not_behind_it_all(found):
    left_out = found.loc["a provider left out"]
    assert left_out.estimate.is_monotonic_increasing
    assert set(left_out.opposite_providers) == {0}
    assert left_out.persons.nunique() == 1


def test_the_provider_that_is_behind_it_all_is_seen():
    cohort, spells = study(persons=900, providers=6, mean_days=(60.0, 60.0), seed=5)
    one = cohort.person_id[cohort.provider_id == "O00"]
    many = spells.person_id.isin(one)
    length = spells.length_days.where(~many, 200)
    spells = spells.assign(length_days=length, last_date=spells.first_date + pd.to_timedelta(length - 1, unit="D"))
    cohort = cohort.assign(follow_end_date=cohort.follow_end_date.max() + pd.Timedelta(days=400))
    found = robustness(cohort, spells).set_index(["analysis", "variant"])
    left_out = found.loc["a provider left out"].estimate
    assert left_out["smallest estimate"] < 0.5 * found[found.is_base].estimate.iloc[0]


def test_what_was_so_before_the_first_contact_is_compared_in_its_own_unit(found):
    controls = found.loc["negative control"]
    assert controls.unit.to_dict() == {"los_days": "days", "sud_cost_before_usd": "usd", "is_prior_program": "share"}
    cost = controls.loc["sud_cost_before_usd"]
    assert cost.lower < 0 < cost.upper
    assert controls.loc["los_days"].reason == "no variation to estimate an error from: no interval"


def test_sites_before_the_case_rate_began_are_a_placebo():
    cohort, spells = study(persons=1500, providers=10, mean_days=(60.0, 60.0), seed=11)
    early = cohort.index % 2 == 0
    back = pd.to_timedelta(np.where(early, 800, 0), unit="D")
    cohort = cohort.assign(**{name: cohort[name] - back for name in ("discharge_date", "first_contact_date")})
    cohort = cohort.assign(arm=np.where(early, "CSP", cohort.arm), follow_end_date=cohort.follow_end_date - back)
    spells = spells.assign(**{name: spells[name] - back for name in ("first_date", "last_date")}, program=cohort.arm)
    placebo = robustness(cohort, spells).set_index("analysis").loc["placebo arm"]
    assert placebo.lower < 0 < placebo.upper
    assert placebo.persons > 100


def test_no_placebo_without_a_time_before(found):
    row = found.loc["placebo arm"].iloc[0]
    assert np.isnan(row.estimate)
    assert "before the case rate began" in row.reason


def test_the_arms_relabelled_turn_every_sign():
    cohort, spells = study(persons=500, providers=8)
    other = {"RSN": "CSP", "CSP": "RSN"}
    turned = cohort.assign(arm=cohort.arm.map(other)), spells.assign(program=spells.program.map(other))
    one, two = (
        robustness(*tables).set_index(["analysis", "variant"]).estimate for tables in ((cohort, spells), turned)
    )
    same = [key for key in one.index if key[0] in ("gap rule", "single-contact spells", "disenrolment")]
    assert two[same].to_numpy() == pytest.approx(-one[same].to_numpy())


def test_the_order_of_the_rows_does_not_matter():
    cohort, spells = study(persons=300, providers=6)
    shuffled = cohort.sample(frac=1, random_state=1), spells.sample(frac=1, random_state=2)
    pd.testing.assert_frame_equal(robustness(cohort, spells), robustness(*shuffled))


@pytest.mark.parametrize("only", ["RSN", "CSP"])
def test_an_arm_nobody_is_in_leaves_reasons(only):
    cohort, spells = study(persons=120, providers=4)
    found = robustness(cohort[cohort.arm == only], spells)
    assert found.estimate.isna().all()
    assert found.reason.notna().all()


@pytest.mark.parametrize("persons", [1, 2, 5])
def test_a_handful_of_persons_breaks_nothing(persons):
    found = robustness(*study(persons=persons, providers=1, seed=2))
    assert (found.reason.notna() | found.lower.notna()).all()


def test_all_censored_breaks_nothing():
    cohort, spells = study(persons=100, providers=4)
    found = robustness(cohort, spells.assign(end_reason="end_of_data"))
    assert (found.reason.notna() | found.lower.notna()).all()


def test_nobody_gives_an_empty_table():
    cohort, _ = nobody()
    found = estimate_robustness(cohort, empty_frame(SpellsByGap), **CHOICES)
    assert found.empty
    assert list(found.columns) == list(EngagementSensitivity.types())


def test_spells_that_a_readmission_closes_are_set_beside_those_it_does_not():
    """Half of RSN's clients are back in detox on day 20 of their spell; two before they met anybody."""
    cohort, spells = study(120, providers=4)
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
        one_row(table, analysis="readmission", variant=name) for name in ("as spells are counted", "closes the spell")
    )
    assert closing.estimate < counted.estimate
