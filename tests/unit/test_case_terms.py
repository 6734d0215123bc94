"""Terms of a case-rate contract: each pays the same episode, and none makes money."""

from __future__ import annotations

import copy

import pandas as pd
import pytest

from case_rate_data import SETTINGS, engaged_months, staffing_log, stays_of, survival_of
from ratebook.contracts.case_rates import TERMS
from ratebook.rates.case_rates import derive_case_rates
from ratebook.rates.case_terms import derive_case_terms, measure, severity_tiers
from ratebook.rates.expected import expect


def with_terms(**values) -> dict:
    settings = copy.deepcopy(SETTINGS)
    for name, value in values.items():
        settings["terms"][name]["value"] = value
    return settings


@pytest.fixture(scope="module")
def engaged():
    return engaged_months()


@pytest.fixture(scope="module")
def terms(engaged):
    return derive_case_terms(stays_of(engaged), SETTINGS)


@pytest.fixture(scope="module")
def episode(engaged):
    rates = derive_case_rates(stays_of(engaged), staffing_log(), SETTINGS)
    return rates[rates.basis == "actuarial"].pivot(index="arm", columns="form", values="value_usd")


def part(terms: pd.DataFrame, term: str, containing: str, arm: str = "RSN") -> pd.Series:
    found = terms[(terms.arm == arm) & (terms.term == term) & terms.part.str.contains(containing)]
    assert len(found) == 1
    return found.iloc[0]


@pytest.mark.parametrize("term", TERMS)
def test_the_parts_of_every_term_pay_the_episode(terms, episode, term):
    paid = terms[terms.term == term].groupby("arm").expected_usd.sum()
    assert paid.tolist() == pytest.approx(episode.per_episode[paid.index].tolist())
    rows = terms[(terms.term == term) & terms.value_usd.notna()]
    assert (rows.times_per_client * rows.value_usd).tolist() == pytest.approx(rows.expected_usd.tolist())


def test_tiers_are_neutral_and_say_what_the_level_rate_would_pay(terms, episode):
    for term in ("tier_month", "tier_severity"):
        rows = terms[(terms.term == term) & (terms.arm == "RSN")]
        assert rows.at_level_usd.sum() == pytest.approx(episode.per_episode["RSN"])
    severity = terms[(terms.term == "tier_severity") & (terms.arm == "RSN")]
    assert severity.clients.sum() == part(terms, "withhold", "paid").clients


def test_later_months_cost_the_hybrids_monthly_payment(terms, episode):
    assert part(terms, "tier_month", "later").value_usd == pytest.approx(episode.hybrid["RSN"])


def test_a_tier_that_needs_more_is_paid_more_and_is_told_apart(engaged):
    heavier = engaged.assign(units=engaged.units.where(engaged.n12 < 4, engaged.units * 3))
    found = derive_case_terms(stays_of(heavier), SETTINGS)
    light, heavy = part(found, "tier_severity", "2-3"), part(found, "tier_severity", "4 or more")
    assert heavy.value_usd / light.value_usd == pytest.approx(3, rel=0.15)
    assert pd.isna(light.reason) and pd.isna(heavy.reason)


@pytest.mark.parametrize(
    ("lower", "names"),
    [
        ([2, 4], ["2-3 detoxifications", "4 or more detoxifications"]),
        ([4, 2, 3], ["2 detoxifications", "3 detoxifications", "4 or more detoxifications"]),
        ([2], ["2 or more detoxifications"]),
    ],
)
def test_every_client_is_in_one_tier(lower, names):
    tiers = severity_tiers(pd.Series([0, 1, 2, 3, 4, 5, 30]), lower)
    assert list(tiers) == names
    assert pd.DataFrame(tiers).sum(axis=1).eq(1).all()


def test_asking_for_no_contact_pays_the_level_rate_and_asking_more_pays_fewer_months_more(engaged, episode):
    values = []
    for asked in (0, 1, 3, 5):
        row = part(
            derive_case_terms(stays_of(engaged), with_terms(minimum_contacts=asked)), "minimum_contact", "months"
        )
        values.append((row.value_usd, row.times_per_client, row.at_level_usd))
    assert values[0][0] == pytest.approx(episode.per_month["RSN"])
    assert values[0][2] == pytest.approx(episode.per_episode["RSN"])
    assert values == sorted(values, key=lambda row: row[0])
    assert [row[1] for row in values] == sorted((row[1] for row in values), reverse=True)


def test_contacts_nobody_had_leave_nothing_to_pay_and_say_so(engaged):
    found = derive_case_terms(stays_of(engaged), with_terms(minimum_contacts=99))
    row = part(found, "minimum_contact", "months")
    assert pd.isna(row.value_usd) and row.times_per_client == 0 and "nobody" in row.reason


def test_a_maximum_beyond_the_horizon_is_the_level_rate_and_one_month_pays_all(engaged, episode):
    long = part(derive_case_terms(stays_of(engaged), with_terms(maximum_months=99)), "maximum_months", "months")
    assert long.value_usd == pytest.approx(episode.per_month["RSN"])
    short = part(derive_case_terms(stays_of(engaged), with_terms(maximum_months=1)), "maximum_months", "months")
    assert short.value_usd == pytest.approx(episode.per_episode["RSN"])


@pytest.mark.parametrize("unit", ["usd", "units"])
def test_the_charge_is_the_expected_excess(engaged, terms, unit):
    charge, recovery = part(terms, f"stop_loss_{unit}", "^charge$"), part(terms, f"stop_loss_{unit}", "^recovery")
    assert -charge.value_usd == pytest.approx(recovery.expected_usd)
    stays = stays_of(engaged)["RSN"]
    excess = expect(stays, measure(stays.rows, SETTINGS), stays.providers)[f"excess_{unit}"][0]
    assert -charge.value_usd == pytest.approx(SETTINGS["terms"]["stop_loss_share"]["value"] * excess)


def test_without_anyone_lost_the_charge_is_the_mean_excess_of_the_clients():
    engaged = engaged_months(lost_share=0.0)
    engaged = engaged[engaged.person_id.isin(engaged[engaged.is_event].person_id)]
    found = part(derive_case_terms(stays_of(engaged), with_terms(stop_loss_share=1.0)), "stop_loss_usd", "^charge$")
    cost = engaged[engaged.arm == "RSN"].groupby("person_id").units.sum() * 12
    assert -found.value_usd == pytest.approx((cost - SETTINGS["terms"]["stop_loss_usd"]["value"]).clip(lower=0).mean())


def test_units_and_dollars_are_one_limit_in_two_words(engaged):
    found = derive_case_terms(stays_of(engaged), with_terms(stop_loss_usd=1200, stop_loss_units=100))
    usd = found[(found.term == "stop_loss_usd")].set_index(["arm", "part"]).value_usd
    units = found[(found.term == "stop_loss_units")].set_index(["arm", "part"]).value_usd
    assert usd.tolist() == pytest.approx(units[usd.index].tolist())


def test_a_limit_of_nothing_recovers_all_and_one_nobody_passes_recovers_nothing(engaged, episode):
    all_of_it = derive_case_terms(stays_of(engaged), with_terms(stop_loss_usd=0, stop_loss_share=1.0))
    assert -part(all_of_it, "stop_loss_usd", "^charge$").value_usd == pytest.approx(episode.per_episode["RSN"])
    none = derive_case_terms(stays_of(engaged), with_terms(stop_loss_usd=1e9))
    assert part(none, "stop_loss_usd", "^charge$").value_usd == 0
    row = part(none, "stop_loss_usd", "^recovery")
    assert row.clients == 0 and pd.isna(row.value_usd) and row.reason


def test_a_withhold_earned_in_full_changes_no_rate(engaged, episode):
    found = derive_case_terms(stays_of(engaged), with_terms(earned_share=1.0))
    both = part(found, "withhold", "paid").value_usd + part(found, "withhold", "earned").value_usd
    assert both == pytest.approx(episode.per_month["RSN"])
    unearned = derive_case_terms(stays_of(engaged), with_terms(earned_share=0.0, withhold_share=0.2))
    assert part(unearned, "withhold", "paid").value_usd == pytest.approx(episode.per_month["RSN"])


def test_twice_the_price_doubles_every_price(engaged):
    settings = with_terms(stop_loss_usd=2 * SETTINGS["terms"]["stop_loss_usd"]["value"])
    settings["unit_price_usd"]["value"] *= 2
    once, twice = derive_case_terms(stays_of(engaged), SETTINGS), derive_case_terms(stays_of(engaged), settings)
    for column in ("value_usd", "lower", "upper", "expected_usd", "at_level_usd"):
        assert twice[column].tolist() == pytest.approx((2 * once[column]).tolist(), nan_ok=True)


def test_without_survival_nothing_is_priced_and_it_says_so(engaged):
    found = derive_case_terms(stays_of(engaged, survival_of(engaged).iloc[:0]), SETTINGS)
    assert len(found) and found.value_usd.isna().all() and found.reason.str.contains("no survival").all()
    assert derive_case_terms(stays_of(engaged.iloc[:0]), SETTINGS).empty
