"""The worked rate build-up, the case rate and the risk corridor of methods.md E, whose numbers were computed apart."""

from __future__ import annotations

import copy

import numpy as np
import pandas as pd
import pytest
import yaml

from conftest import ROOT
from ratebook.contracts.risk_sharing import Pooling
from ratebook.rates import build_up
from ratebook.rates.case_rates import derive_case_rates
from ratebook.rates.case_terms import derive_case_terms
from ratebook.rates.derive import derive_plan_rates, derive_rate_build, derive_rates
from ratebook.rates.expected import read_stays
from ratebook.tables import empty_frame

CASE_RATE = yaml.safe_load((ROOT / "config.yaml").read_text())["rates"]["case_rate"]

BUILD = [
    # category, paid, completion, utilisation, unit cost, program, managed care, projected PMPM
    ("wm", 4_800_000, 0.980, 0.010, 0.030, 1.020, 0.970, 227.3273),
    ("residential", 2_640_000, 0.975, 0.020, 0.025, 1.000, 1.000, 128.9318),
    ("outpatient", 1_440_000, 0.965, 0.030, 0.020, 1.010, 1.020, 74.2776),
    ("medication", 1_920_000, 0.998, 0.040, 0.035, 1.000, 1.000, 99.9725),
    ("recovery_support", 480_000, 0.950, 0.060, 0.015, 1.250, 1.050, 34.4129),
    ("ed_other", 1_200_000, 0.970, 0.015, 0.030, 1.000, 0.950, 55.9541),
]
CORRIDOR = [
    {"upto_share": 0.03, "state_share": 0.0},
    {"upto_share": 0.06, "state_share": 0.5},
    {"upto_share": None, "state_share": 0.9},
]


def assumption(value):
    return {"value": value, "unit": "test", "source": "methods.md E10"}


@pytest.fixture(scope="module")
def worked():
    """GT-23: calendar 2022 to calendar 2025, 24,000 member months, fully credible at 36,000."""
    settings = {
        "base_start": "2022-01-01",
        "base_end": "2022-12-31",
        "rating_start": "2025-01-01",
        "rating_end": "2025-12-31",
        "program_changes": {
            row[0]: assumption({"share": 1.0, "change": row[5] - 1, "months_in_effect": 12}) for row in BUILD
        },
        "managed_care": {row[0]: assumption(row[6]) for row in BUILD},
        "missing": {},
        "base_changes": {},
        "smoothing": {"penalty_share": assumption(0.1)},
        "cell_columns": ["age_band"],
        "age_bands": [21, 65],
        "base_is_net_of_tpl": False,
        "tpl_share": assumption(0.01),
        "manual_pmpm_usd": assumption({"A": 640.0}),
        "loads": {
            "admin_share": assumption(0.075),
            "margin_share": assumption(0.015),
            "tax_share": assumption(0.02),
            "fixed_pmpm_usd": assumption({"A": 12.0}),
        },
        "min_mlr": 0.85,
        "withhold": {"withheld_share": assumption(0.02), "earned_share": assumption(0.70)},
        "risk_scores": assumption({"A": 1.05, "B": 0.97}),
    }
    share = {"A": 14 / 24, "B": 10 / 24}
    experience = pd.DataFrame(
        [
            ("adult", "A", plan, row[0], pd.Timestamp(2022, month, 1), 1, 2000 * part, row[1] / 12 * part, 100 * part)
            for row in BUILD
            for month in range(1, 13)
            for plan, part in share.items()
        ],
        columns=["cell", "pool", "plan", "category", "service_month", "members", "member_months", "paid_usd", "units"],
    )
    moments = pd.DataFrame(
        {
            "cell": ["adult"],
            "members": [2000],
            "member_months": [24000.0],
            "paid_usd": [12_480_000.0],
            "months_squared": [2000 * 144.0],
            "paid_squared": [2000 * 6240.0**2 * 2],
            "paid_months": [12_480_000 * 12.0],
        }
    )
    completion = pd.DataFrame(
        {
            "category": [row[0] for row in BUILD],
            "completion_factor": [row[2] for row in BUILD],
            "ultimate_usd": [row[1] / row[2] for row in BUILD],
            "std_error_usd": 0.0,
            "method": "chainladder",
            "reason": None,
        }
    )
    trend = pd.DataFrame(
        [
            (row[0], name, value, 0.0, "assumption")
            for row in BUILD
            for name, value in (
                ("utilisation", row[3]),
                ("unit_cost", row[4]),
                ("pmpm", (1 + row[3]) * (1 + row[4]) - 1),
            )
        ],
        columns=["category", "component", "annual_trend", "std_error", "source"],
    )
    credibility = pd.DataFrame(
        {
            "cell": ["adult"],
            "credibility_z": [np.sqrt(24000 / 36000)],
            "std_error_usd": [10.0],
            "paid_pmpm_usd": [520.0],
        }
    )
    build = derive_rate_build(experience, moments, completion, trend, empty_frame(Pooling), settings)
    places = pd.DataFrame({"cell": ["adult"], "pool": ["A"], "plan": ["A"]})
    rates = derive_rates(build, credibility, completion, trend, places, settings)
    return build, rates.iloc[0], derive_plan_rates(experience, rates, settings).set_index("plan")


def test_every_category_of_the_worked_build_up(worked):
    build, _, _ = worked
    found = build.set_index("category").projected_pmpm_usd
    for row in BUILD:
        assert found[row[0]] == pytest.approx(row[7], abs=5e-5)
    assert build.paid_pmpm_usd.sum() == pytest.approx(520.0)
    assert build.completed_pmpm_usd.sum() == pytest.approx(531.8377, abs=5e-5)
    assert found.sum() == pytest.approx(620.8762, abs=5e-5)


def test_the_worked_rate(worked):
    _, rate, _ = worked
    assert rate.tpl_pmpm_usd == pytest.approx(614.6674, abs=5e-5)
    assert rate.credibility_z == pytest.approx(0.816497, abs=5e-7)
    assert rate.blended_pmpm_usd == pytest.approx(619.3160, abs=5e-5)
    assert rate.rate_usd == 709.34
    assert rate.admin_usd == pytest.approx(53.2008, abs=5e-5)
    assert rate.margin_usd == pytest.approx(10.6402, abs=5e-5)
    assert rate.tax_usd == pytest.approx(14.1869, abs=5e-5)
    assert rate.projected_mlr == pytest.approx(0.908168, abs=5e-7)
    assert rate.is_mlr_met


def test_the_worked_ranges_and_the_withhold(worked):
    _, rate, _ = worked
    assert rate.range_upper_usd == pytest.approx(744.81, abs=0.005)
    assert (rate.band_low_usd, rate.band_high_usd) == pytest.approx((698.70, 719.98), abs=0.005)
    assert rate.withhold_usd == pytest.approx(14.1868, abs=5e-5)
    assert rate.rate_after_withhold_usd == pytest.approx(705.08, abs=0.01)
    assert rate.is_withhold_sound


def test_the_worked_risk_adjustment_moves_money_and_makes_none(worked):
    _, rate, plans = worked
    assert plans.normalised_score[["A", "B"]].tolist() == pytest.approx([1.032787, 0.954098], abs=5e-7)
    assert plans.plan_rate_usd[["A", "B"]].tolist() == pytest.approx([732.5970, 676.7801], abs=5e-5)
    paid = (plans.member_months * plans.plan_rate_usd).sum()
    assert paid == pytest.approx(17_024_160, abs=0.01)
    assert paid == pytest.approx(24000 * rate.rate_usd)


def test_the_mistakes_the_worked_example_names(worked):
    """Loads of 11% on top of the cost give 700.76, which falls short; a tax on everything is another formula."""
    _, rate, _ = worked
    loads = rate.admin_usd + rate.margin_usd + rate.tax_usd
    assert rate.rate_usd - loads == pytest.approx(631.3160, abs=0.005)
    assert loads / rate.rate_usd == pytest.approx(0.11, abs=1e-5)
    divided = build_up.load_rate(619.3160, 12.0, 0.075, 0.015, 0.02)
    assert divided == pytest.approx(709.3439, abs=1e-4)
    assert divided - 700.76 == pytest.approx(divided * 0.11**2, abs=0.005)
    sequential = build_up.load_rate(619.3160, 12.0, 0.075, 0.015, 0.02, tax_on_everything=True)
    assert sequential == pytest.approx(707.91, abs=0.005)


class TestCaseRate:
    """GT-22: six months of engagement, and a worker's year."""

    SURVIVAL = np.array([1, 0.8, 0.65, 0.5, 0.4, 0.3])
    COST = np.array([420.0, 300, 240, 200, 180, 160])

    def test_episode_months_and_level_payment(self):
        episode, months = build_up.episode_cost(self.SURVIVAL, self.COST)
        assert episode == pytest.approx(1036.00)
        assert months == pytest.approx(3.65)
        assert episode / months == pytest.approx(283.8356, abs=5e-5)

    def test_ten_percent_load(self):
        episode, months = build_up.episode_cost(self.SURVIVAL, self.COST)
        assert build_up.load_rate(episode, 0, 0.1, 0, 0) == pytest.approx(1151.11, abs=0.005)
        assert build_up.load_rate(episode / months, 0, 0.1, 0, 0) == pytest.approx(315.3729, abs=5e-5)

    def test_twenty_clients_who_stay_so_long_have_these_rates(self):
        """The same from clients' months: 20, 16, 13, 10, 8 and 6 of them engaged, costs as units at a dollar."""
        engaged = pd.DataFrame(
            [
                {"person_id": f"p{n:02d}", "arm": "RSN", "engaged_month": m + 1, "provider_id": f"{n % 4}", "n12": 2,
                 "is_event": n >= round(20 * next_month), "is_last": n >= round(20 * next_month), "contacts": 2,
                 "minutes": 60, "units": self.COST[m], "paid_usd": 0.0}
                for m, next_month in enumerate([*self.SURVIVAL[1:], 0.0])
                for n in range(round(20 * self.SURVIVAL[m]))
            ]
        )  # fmt: skip
        survival = pd.DataFrame({"arm": "RSN", "month": range(1, 7), "survival_start": self.SURVIVAL})
        settings = copy.deepcopy(CASE_RATE)
        settings["unit_price_usd"]["value"] = 1.0
        arms = read_stays(engaged, survival, 12, 50, seed=1)
        staffing = pd.DataFrame(columns=["program", "time_per_client_time"])
        found = derive_case_rates(arms, staffing, settings)
        actuarial = found[found.basis == "actuarial"].set_index("form")
        assert actuarial.value_usd["per_episode"] == pytest.approx(1036.00)
        assert actuarial.expected_months["per_episode"] == pytest.approx(3.65)
        assert actuarial.value_usd["per_month"] == pytest.approx(283.8356, abs=5e-5)
        assert actuarial.loaded_usd["per_episode"] == pytest.approx(1151.11, abs=0.005)
        assert actuarial.loaded_usd["per_month"] == pytest.approx(315.3729, abs=5e-5)
        tiers = derive_case_terms(arms, settings).query("term == 'tier_month'").set_index("part").value_usd
        assert tiers["month 1"] == pytest.approx(420)
        assert tiers["each later month"] == pytest.approx((1036 - 420) / 2.65)

    def test_staffing_build_up(self):
        monthly = build_up.staffing_rate(48_000, 0.25, 9_000, 4_500, 1_500, 25, 0.9)
        assert monthly == pytest.approx(75_000 / (12 * 25 * 0.9))
        assert monthly == pytest.approx(277.7778, abs=5e-5)
        assert build_up.per_day(monthly) == pytest.approx(9.1324, abs=5e-5)


def test_the_corridor_example():
    """methods.md E9: nothing to 3%, half to 6%, nine tenths beyond; at 0.92 of target 3.3% of it goes back."""
    assert build_up.settle_corridor(92.0, 100.0, CORRIDOR) == pytest.approx(-3.3)
