"""Case rates: all forms pay the same episode, limits know providers, and staffing rests on the log."""

from __future__ import annotations

import copy

import numpy as np
import pandas as pd
import pytest

from case_rate_data import HORIZON, SETTINGS, engaged_months, staffing_log, stays_of, survival_of
from ratebook.rates.build_up import per_day
from ratebook.rates.case_rates import NO_SURVIVAL, costs, derive_case_rates, price_forms
from ratebook.rates.expected import expect, limits, month_means
from ratebook.rates.staffing import derive_staffing_build

NUMBERS = ["enrolment_usd", "value_usd", "lower", "upper", "client_lower", "client_upper", "expected_months"]


@pytest.fixture(scope="module")
def engaged():
    return engaged_months()


@pytest.fixture(scope="module")
def rates(engaged):
    return derive_case_rates(stays_of(engaged), staffing_log(), SETTINGS)


def changed(**values) -> dict:
    settings = copy.deepcopy(SETTINGS)
    for name, value in values.items():
        settings[name]["value"] = value
    return settings


def test_every_form_pays_the_same_episode(rates):
    for _, rows in rates[rates.basis == "actuarial"].groupby("arm"):
        of = rows.set_index("form")
        months, episode = of.expected_months["per_month"], of.value_usd["per_episode"]
        assert of.value_usd["per_month"] * months == pytest.approx(episode)
        assert of.value_usd["per_day"] * 365 / 12 * months == pytest.approx(episode)
        assert of.enrolment_usd["hybrid"] + of.value_usd["hybrid"] * months == pytest.approx(episode)


def test_a_month_costs_what_those_engaged_at_its_start_are_delivered(engaged):
    stays = stays_of(engaged)["RSN"]
    found = month_means(stays, costs(stays.rows, 12.0)[["cost"]], stays.providers)[0, :, 0]
    wanted = stays.rows.groupby("engaged_month").units.mean() * 12
    assert found.tolist() == pytest.approx(wanted.tolist())


def test_the_hybrid_pays_the_first_months_extra_work_at_enrolment():
    e = pd.DataFrame({"cost": [130.0], "months": [1.9], "first_cost": [100.0], "first_months": [1.0]})
    enrolment, monthly = price_forms(e)["hybrid"]
    assert monthly[0] == pytest.approx(30 / 0.9) and enrolment[0] == pytest.approx(100 - 30 / 0.9)


def test_a_single_month_leaves_nothing_for_enrolment():
    e = pd.DataFrame({"cost": [100.0], "months": [1.0], "first_cost": [100.0], "first_months": [1.0]})
    enrolment, monthly = price_forms(e)["hybrid"]
    assert (enrolment[0], monthly[0]) == (0.0, 100.0)


def test_twice_the_price_of_a_unit_doubles_the_actuarial_rate_and_leaves_staffing(engaged, rates):
    twice = derive_case_rates(stays_of(engaged), staffing_log(), changed(unit_price_usd=24.0))
    actuarial = rates.basis == "actuarial"
    for column in ("value_usd", "lower", "upper", "loaded_usd", "enrolment_usd"):
        assert twice[actuarial][column].tolist() == pytest.approx((2 * rates[actuarial][column]).tolist())
        assert twice[~actuarial][column].tolist() == pytest.approx(rates[~actuarial][column].tolist(), nan_ok=True)


def test_every_client_twice_changes_nothing(engaged, rates):
    """Providers are what is resampled, so that twice the clients in each are no more evidence than once."""
    both = pd.concat([engaged, engaged.assign(person_id="again " + engaged.person_id)])
    twice = derive_case_rates(stays_of(both, survival_of(engaged)), staffing_log(), SETTINGS)
    alike = [name for name in NUMBERS if not name.startswith("client")]
    assert twice[alike].to_numpy(dtype=float) == pytest.approx(rates[alike].to_numpy(dtype=float), nan_ok=True)
    assert (twice.clients == 2 * rates.clients).all()
    actuarial = rates.basis == "actuarial"
    narrower = (twice.client_upper - twice.client_lower) / (rates.client_upper - rates.client_lower)
    assert narrower[actuarial].mean() == pytest.approx(0.5**0.5, abs=0.08)


def test_the_order_of_rows_changes_nothing(engaged, rates):
    mixed = engaged.sample(frac=1, random_state=5)
    pd.testing.assert_frame_equal(derive_case_rates(stays_of(mixed), staffing_log(), SETTINGS), rates)


def test_limits_know_that_clients_of_a_provider_are_alike(engaged, rates):
    """Where providers differ in what they deliver, resampled clients say too little; where they do not, about the same."""
    by_provider = engaged.provider_id.str[-1].astype(int)
    apart = engaged.assign(units=engaged.units * (0.5 + by_provider / 7))
    found = derive_case_rates(stays_of(apart), staffing_log(), SETTINGS)
    monthly = found[(found.basis == "actuarial") & (found.form == "per_month")]
    assert ((monthly.upper - monthly.lower) > 2 * (monthly.client_upper - monthly.client_lower)).all()
    assert (monthly.error_unit == "provider").all() and (monthly.error_units == 8).all()
    assert ((rates.lower <= rates.value_usd) & (rates.value_usd <= rates.upper))[rates.lower.notna()].all()


def test_without_survival_the_actuarial_basis_is_missing_and_says_so(engaged):
    none = pd.DataFrame({"arm": [], "month": [], "survival_start": []})
    found = derive_case_rates(stays_of(engaged, none), staffing_log(), SETTINGS)
    actuarial = found[found.basis == "actuarial"]
    assert actuarial.value_usd.isna().all() and (actuarial.reason == NO_SURVIVAL).all()
    assumed = found[found.basis == "staffing"].set_index("form").value_usd.astype(float)
    assert assumed["per_month"].tolist() == pytest.approx([277.7778] * 2, abs=5e-5)
    assert assumed["per_episode"].isna().all()
    assert found[found.basis == "staffing_observed"].reason.notna().all()


def test_one_client_has_a_rate_and_no_limits(engaged):
    one = engaged[engaged.person_id == engaged.person_id.iloc[0]].assign(is_event=False, is_last=False)
    found = derive_case_rates(stays_of(one, survival_of(engaged)), staffing_log(), SETTINGS)
    actuarial = found[found.basis == "actuarial"]
    assert actuarial.value_usd.notna().all() and actuarial.lower.isna().all() and actuarial.reason.notna().all()


def test_nobody_engaged_gives_no_rate(engaged):
    assert derive_case_rates(stays_of(engaged.iloc[:0]), staffing_log(), SETTINGS).empty


@pytest.mark.parametrize(
    ("ratio", "is_equivalent"), [(1.0, True), (0.49, False), (0.51, True), (1.99, True), (2.01, False)]
)
def test_the_implied_price_is_flagged_beyond_half_and_double(engaged, ratio, is_equivalent):
    settings = changed(load_share=0.0)
    found = derive_case_rates(stays_of(engaged), staffing_log(), settings)
    monthly = found[(found.basis == "staffing") & (found.form == "per_month")].iloc[0]
    settings = {**settings, "staffing": scaled_staffing(settings, ratio * 12 * monthly.units_per_month)}
    again = derive_case_rates(stays_of(engaged), staffing_log(), settings)
    staff = again[(again.basis == "staffing") & (again.form == "per_month") & (again.arm == monthly.arm)].iloc[0]
    assert staff.implied_unit_price_usd == pytest.approx(12 * ratio)
    assert staff.is_unit_equivalent == is_equivalent


def scaled_staffing(settings: dict, monthly_usd: float) -> dict:
    """Give a worker's year that comes to so much a client month."""
    found = copy.deepcopy(settings["staffing"])
    for name in ("salary", "overhead", "supervision", "travel"):
        found[name]["value"] *= monthly_usd / (75_000 / (12 * 25 * 0.9))
    return found


def test_a_month_cut_off_by_the_end_of_the_data_does_not_pull_the_rate_down():
    """Everyone is delivered a unit a day; a third are lost in mid-month. The rate stays 30.4375 units a month."""
    draw = np.random.default_rng(1)
    rows = []
    for client in range(900):
        stay, lost = int(draw.geometric(0.2)), int(draw.geometric(0.1))
        last, is_event = min(stay, lost), stay <= lost
        for month in range(1, min(last, HORIZON) + 1):
            is_cut = month == last and not is_event
            rows.append(
                (
                    f"p{client:04d}",
                    month,
                    is_event and month == last,
                    month == last,
                    30.4375 * (0.5 if is_cut else 1.0),
                )
            )
    engaged = pd.DataFrame(rows, columns=["person_id", "engaged_month", "is_event", "is_last", "units"])
    engaged = engaged.assign(
        arm="RSN", provider_id=engaged.person_id.str[-1], n12=2, contacts=1, minutes=60, paid_usd=0.0
    )
    found = derive_case_rates(stays_of(engaged), staffing_log(), SETTINGS)
    monthly = found[(found.basis == "actuarial") & (found.form == "per_month")].iloc[0]
    assert monthly.value_usd == pytest.approx(30.4375 * 12)
    assert engaged.units.mean() < 0.97 * 30.4375


class TestStaffing:
    def test_the_assumed_caseload_gives_the_golden_rate_per_month_and_day(self, rates):
        assumed = rates[rates.basis == "staffing"].set_index(["arm", "form"]).value_usd
        assert assumed["RSN", "per_month"] == pytest.approx(277.7778, abs=5e-5)
        assert assumed["RSN", "per_day"] == pytest.approx(9.1324, abs=5e-5)

    def test_the_observed_rate_is_a_workers_minutes_over_those_a_client_month_takes(self, engaged, rates):
        stays = stays_of(engaged)["RSN"]
        columns = pd.DataFrame({"minutes": stays.rows.minutes.astype(float), "months": 1.0})
        e = expect(stays, columns, stays.providers)
        taken = 1.5 * e.minutes[0] / e.months[0]
        wanted = 75_000 / (12 * SETTINGS["worked_minutes"]["value"] / taken * 0.9)
        observed = rates[(rates.basis == "staffing_observed") & (rates.arm == "RSN")].set_index("form")
        assert observed.value_usd["per_month"] == pytest.approx(wanted)
        assert observed.value_usd["per_day"] == pytest.approx(per_day(wanted))
        assert observed.value_usd["per_episode"] == pytest.approx(wanted * e.months[0])
        assert observed.lower.notna().all() and observed.reason.isna().all()

    def test_twice_the_training_halves_the_caseload(self, engaged, rates):
        twice = derive_case_rates(stays_of(engaged), staffing_log(3.0), SETTINGS)
        observed = rates.basis == "staffing_observed"
        assert twice[observed].value_usd.tolist() == pytest.approx((2 * rates[observed].value_usd).tolist())

    def test_no_log_gives_no_observed_caseload_and_says_so(self, engaged):
        found = derive_case_rates(stays_of(engaged), staffing_log().iloc[:0], SETTINGS)
        observed = found[found.basis == "staffing_observed"]
        assert observed.value_usd.isna().all() and observed.reason.str.contains("no minutes").all()

    def test_the_steps_add_up_to_the_loaded_rate(self, engaged, rates):
        build = derive_staffing_build(stays_of(engaged), staffing_log(), SETTINGS)
        total = build.groupby(["arm", "basis"]).client_month_usd.sum()
        monthly = rates[rates.form == "per_month"].set_index(["arm", "basis"]).loaded_usd
        assert total.tolist() == pytest.approx(monthly[total.index].tolist())
        assert len(total) == 4


class TestLimits:
    def units(self, size=5):
        stays = stays_of(engaged_months(clients=20, providers=size))
        return stays["RSN"].providers

    def test_a_price_keeps_its_sign_and_a_difference_need_not(self):
        draws = np.array([1.0, 0.2, 5.0, 1.0, 0.5])
        units = self.units()
        low, high = limits(draws, units)
        assert 0 < low < 1 < high and low * high == pytest.approx(1.0)
        low, high = limits(draws, units, is_price=False)
        assert low < 0 and low + high == pytest.approx(2.0)
        assert limits(-draws, units) == pytest.approx(tuple(-end for end in limits(draws, units))[::-1])

    def test_one_unit_or_one_replicate_has_no_limits(self):
        assert limits(np.array([1.0, 1.1, 0.9]), self.units()._replace(size=1)) == (None, None)
        assert limits(np.array([1.0, 1.1]), self.units()) == (None, None)
        assert limits(np.array([np.nan, 1.1, 0.9]), self.units()) == (None, None)
