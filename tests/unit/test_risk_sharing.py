"""Risk sharing: the corridor, the withhold and the loss ratio move money and make none."""

from __future__ import annotations

import copy

import numpy as np
import pandas as pd
import pytest
import yaml

from conftest import ROOT
from ratebook.rates.build_up import settle_corridor
from ratebook.rates.risk_sharing import RATIOS, TOO_SMALL, derive_risk_sharing, mlr_credibility, remittance

SETTINGS = yaml.safe_load((ROOT / "config.yaml").read_text())["rates"]


def book(member_months: float = 50_000.0, score: float = 1.0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Two cells of one plan, built up as methods.md E5 has it, and one without a rate."""
    rows = []
    for cell, benefit in (("a", 100.0), ("b", 300.0), ("none", np.nan)):
        rate = (benefit + 12) / (1 - 0.11)
        rows.append(
            {
                "cell": cell,
                "rate_usd": rate,
                "benefit_usd": benefit,
                "fixed_pmpm_usd": 12.0,
                "admin_usd": rate * 0.075,
                "tax_usd": rate * 0.02,
            }
        )
    rates = pd.DataFrame(rows)
    plans = pd.DataFrame(
        {
            "cell": rates.cell,
            "plan": "BHP",
            "member_months": member_months / 2,
            "normalised_score": score,
            "plan_rate_usd": rates.rate_usd * score,
        }
    )
    return rates, plans


def settings(**changes) -> dict:
    found = copy.deepcopy(SETTINGS)
    for name, value in changes.items():
        if name == "min_mlr":
            found[name] = value
        else:
            found["withhold"][name]["value"] = value
    return found


@pytest.fixture(scope="module")
def shared():
    return derive_risk_sharing(*book(), SETTINGS)


def test_the_corridor_is_odd_about_the_target_and_nothing_in_the_deadband(shared):
    by_ratio = shared.set_index("actual_to_target").corridor_usd
    mirrored = np.array([by_ratio[round(2 - ratio, 2)] for ratio in by_ratio.index])
    assert by_ratio.to_numpy() == pytest.approx(-mirrored)
    assert (by_ratio[[0.98, 1.0, 1.02]] == 0).all()
    assert by_ratio[0.92] / shared.target_usd.iloc[0] == pytest.approx(-0.033)
    steps = np.linspace(0.5, 1.5, 201)
    assert settle_corridor(steps, 1.0, SETTINGS["corridor"]["value"]) == pytest.approx(
        -settle_corridor(2 - steps, 1.0, SETTINGS["corridor"]["value"])
    )


def test_every_dollar_the_plan_has_the_state_paid(shared):
    spent = shared.claims_usd + shared.care_management_usd + shared.admin_usd + shared.tax_usd
    assert (shared.state_pays_usd - spent).tolist() == pytest.approx(shared.plan_result_usd.tolist())
    moved = shared.premium_usd - shared.unearned_usd + shared.corridor_usd - shared.remittance_usd
    assert moved.tolist() == pytest.approx(shared.state_pays_usd.tolist())


def test_on_target_with_all_of_the_withhold_the_plan_keeps_its_margin():
    found = derive_risk_sharing(*book(), settings(earned_share=1.0)).set_index("actual_to_target")
    on_target = found.loc[1.0]
    assert on_target.plan_result_usd == pytest.approx(0.015 * on_target.premium_usd)
    assert on_target.mlr == pytest.approx(0.89 / 0.98)


def test_the_worse_the_cost_the_worse_the_plan_and_the_more_the_state_pays(shared):
    assert shared.plan_result_usd.is_monotonic_decreasing
    assert shared.state_pays_usd.is_monotonic_increasing


def test_what_is_paid_back_brings_the_loss_ratio_to_the_minimum():
    found = derive_risk_sharing(*book(member_months=400_000), settings(min_mlr=0.88))
    paid = found[found.remittance_usd > 0]
    assert len(paid)
    revenue = paid.premium_usd - paid.unearned_usd + paid.corridor_usd - paid.tax_usd
    # The shortfall in points of the loss ratio, times the revenue it is measured by: 42 CFR 438.8.
    assert (paid.remittance_usd / revenue + paid.adjusted_mlr).tolist() == pytest.approx([0.88] * len(paid))
    assert (found.remittance_usd[found.adjusted_mlr >= 0.88] == 0).all()


@pytest.mark.parametrize(
    ("months", "added"),
    [(5_400, 0.084), (12_000, 0.057), (18_000, 0.0485), (24_000, 0.04), (48_000, 0.029), (96_000, 0.02),
     (144_000, 0.0175), (192_000, 0.015), (380_000, 0.01), (380_001, 0.0), (5e6, 0.0)],
)  # fmt: skip
def test_the_credibility_adjustment_follows_the_table_and_is_straight_between(months, added):
    assert mlr_credibility(months) == pytest.approx(added)


def test_a_plan_too_small_for_the_table_is_taken_to_meet_the_minimum():
    assert np.isnan(mlr_credibility(5_399))
    found = derive_risk_sharing(*book(member_months=5_000), settings(min_mlr=0.99))
    assert (found.remittance_usd == 0).all() and found.adjusted_mlr.isna().all() and found.mlr.notna().all()
    assert (found.reason == TOO_SMALL).all()
    assert remittance(np.nan, 0.85, 100.0) == 0


def test_a_sicker_plan_is_paid_more_and_settles_alike():
    once, sicker = derive_risk_sharing(*book(), SETTINGS), derive_risk_sharing(*book(score=1.5), SETTINGS)
    for name in ("premium_usd", "target_usd", "corridor_usd", "remittance_usd", "plan_result_usd"):
        assert sicker[name].tolist() == pytest.approx((1.5 * once[name]).tolist())
    assert sicker.mlr.tolist() == pytest.approx(once.mlr.tolist())


def test_no_rate_nothing_to_share():
    rates, plans = book()
    assert derive_risk_sharing(rates.iloc[2:], plans.iloc[2:], SETTINGS).empty
    assert derive_risk_sharing(rates.iloc[:0], plans.iloc[:0], SETTINGS).empty
    assert len(derive_risk_sharing(rates, plans, SETTINGS)) == len(RATIOS)
