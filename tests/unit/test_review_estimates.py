"""Sensitivity of the headlines, and recovery of what was planted."""

from __future__ import annotations

import pandas as pd
import pytest

from ratebook.contracts.cost import Pmpm, TotalCost
from ratebook.contracts.engagement import Engagement
from ratebook.contracts.rates import Completion, Trend
from ratebook.contracts.review import FaultCounts, Recovery, Sensitivity
from ratebook.contracts.robustness import EngagementSensitivity
from ratebook.review.marks import NO_FAULT
from ratebook.review.plots import plot_checklist, plot_recovery, plot_sensitivity
from ratebook.review.recovery import check_recovery, read_truth
from ratebook.review.sensitivity import LENGTH, TOTAL, estimate_sensitivity
from ratebook.tables import empty_frame


def nothing():
    return [empty_frame(contract) for contract in (Engagement, EngagementSensitivity, Pmpm, TotalCost)]


def total_cost(**by_method):
    rows = [
        {
            "estimand": "total_sud",
            "arm": "difference",
            "method": method,
            "estimate_usd": value,
            "lower": value - 1,
            "upper": value + 1,
        }
        for method, value in by_method.items()
    ]
    return pd.DataFrame(rows).reindex(columns=list(TotalCost.types()))


def test_nothing_estimated_gives_an_empty_tornado():
    found = estimate_sensitivity(*nothing())
    assert found.empty
    assert list(found.columns) == list(Sensitivity.types())


def test_an_estimator_that_turns_the_sign_is_marked_and_the_base_never_is():
    tables = nothing()
    tables[3] = total_cost(partitioned=2000.0, available_case=-10.0, complete_case=1500.0)
    found = estimate_sensitivity(*tables)
    found = found[(found.quantity == TOTAL) & (found.factor == "estimator")].set_index("setting")
    assert found.sign_change.to_dict() == {"partitioned": False, "available_case": True, "complete_case": False}
    assert found.is_base.to_dict() == {"partitioned": True, "available_case": False, "complete_case": False}


def test_choices_of_the_length_of_engagement_stand_in_the_tornado_and_controls_do_not():
    tables = nothing()
    headline = {"estimand": "rmst_difference", "arm": "RSN vs CSP", "clock": "contact", "method": "kaplan_meier"}
    tables[0] = pd.DataFrame([{**headline, "tau_days": 180, "estimate": 40.0, "lower": 30.0, "upper": 50.0}])
    tables[0] = tables[0].reindex(columns=list(Engagement.types()))
    rows = [("gap rule", "30 days", True, 40.0), ("gap rule", "60 days", False, -5.0)]
    rows += [("negative control", "los_days", False, 0.3), ("tipping point", "gone", False, 0.0)]
    tables[1] = pd.DataFrame(rows, columns=["analysis", "variant", "is_base", "estimate"])
    tables[1] = tables[1].reindex(columns=list(EngagementSensitivity.types()))
    found = estimate_sensitivity(*tables)
    found = found[(found.quantity == LENGTH) & ~found.factor.isin(["horizon", "estimator", "clock"])]
    assert found[["factor", "setting", "sign_change"]].to_numpy().tolist() == [
        ["gap rule", "30 days", False],
        ["gap rule", "60 days", True],
    ]


TRUTH = {
    "engagement": {
        **{arm: {"contact_clock": {"90": days}} for arm, days in
           {"RSN": 70.0, "CSP": 40.0, "RSN_as_referred": 68.0, "CSP_as_referred": 41.0}.items()},
        "difference": {"contact_clock": {"90": 30.0}},
    },
    "due_usd": {"exact_duplicate": 40.0, "interim": 20.0},
    "cost": {f"{arm}_as_referred": {"p1_usd": p1, "total_sud_usd": sud} for arm, p1, sud in
             (("RSN", 200.0, 6000.0), ("CSP", 360.0, 4000.0))},
    "rates": {
        "utilisation_trend": {"OTP": 0.02}, "unit_cost_trend": {"OTP": 0.03, "MOUD_DRUG": 0.03},
        "ultimate_usd": {"BHP": {"OTP": {"2017-12-01": 900.0}}, "FFS": {"MOUD_DRUG": {"2017-12-01": 300.0}}},
        "completion": {"OTP": [0.2, 0.6, 0.9, 0.95, 1.0], "MOUD_DRUG": [0.9, 1.0]},
    },
}  # fmt: skip


COUNTS = [
    ("exact_duplicate", "A3.1", 4, 3, 5, 3, 40.01),
    ("denied_header", "A4.1", 1, 0, 0, 0, 0.0),
    ("interim", None, 2, 2, 0, 0, 20.0),
    (NO_FAULT, None, 0, 0, 5, 3, 0.0),
]


def recovered(**tables):
    names = {"engagement": Engagement, "pmpm": Pmpm, "total_cost": TotalCost, "completion": Completion, "trend": Trend}
    frames = {name: tables.get(name, empty_frame(contract)) for name, contract in names.items()}
    counts = pd.DataFrame(COUNTS, columns=list(FaultCounts.types()))
    found = check_recovery(TRUTH, counts, *frames.values(), {"medication": ["OTP", "MOUD_DRUG"]})
    return found.set_index("quantity")


def test_real_data_have_no_truth_and_an_empty_recovery():
    frames = [empty_frame(c) for c in (FaultCounts, Engagement, Pmpm, TotalCost, Completion, Trend)]
    found = check_recovery(read_truth(""), *frames, {})
    assert found.empty
    assert list(found.columns) == list(Recovery.types())


@pytest.mark.parametrize(("lower", "covered"), [(60.0, True), (68.0, True), (68.1, False)])
def test_an_interval_holds_the_truth_up_to_its_limit(lower, covered):
    row = {"estimand": "rmst", "arm": "RSN", "tau_days": 90, "clock": "contact", "method": "kaplan_meier"}
    row |= {"estimate": 69.0, "lower": lower, "upper": 75.0}
    found = recovered(engagement=pd.DataFrame([row]).reindex(columns=list(Engagement.types())))
    assert found.covered["days engaged within 90, RSN as referred"] is covered


def test_an_estimate_that_is_not_made_is_neither_covered_nor_missed():
    row = recovered().loc["total SUD cost per member, RSN over CSP"]
    assert row.planted == 1.5
    assert row.covered is None
    assert row.reason == "no such estimate is made"


def test_the_share_paid_of_a_group_weighs_its_categories_by_cost():
    row = {"category": "medication", "lag_months": 3, "completion_factor": 0.97, "lower": 0.95, "upper": 0.99}
    found = recovered(completion=pd.DataFrame([row]).reindex(columns=list(Completion.types())))
    quantity = "share paid 3 months after service, medication"
    assert found.planted[quantity] == pytest.approx((900 * 0.95 + 300 * 1.0) / 1200)
    assert found.covered[quantity] is True


def test_a_trend_is_held_to_the_truth_only_where_all_of_its_categories_were_given_one():
    row = {"category": "medication", "fitted_trend": 0.035, "fitted_lower": 0.03, "fitted_upper": 0.04}
    rows = [{**row, "component": name} for name in ("unit_cost", "utilisation")]
    found = recovered(trend=pd.DataFrame(rows).reindex(columns=list(Trend.types())))
    assert found.planted["annual trend of unit_cost, medication"] == pytest.approx(0.03)
    assert found.covered["annual trend of unit_cost, medication"] is True
    assert "annual trend of utilisation, medication" not in found.index


def test_three_of_four_faults_are_not_all():
    found = recovered()
    assert found.estimate["recall, exact_duplicate"] == 0.75
    assert found.covered["recall, exact_duplicate"] is False
    assert found.estimate["precision, exact_duplicate"] == 0.6
    assert found.covered["precision, exact_duplicate"] is False


def test_a_kind_that_must_bear_no_mark_has_no_precision():
    found = recovered()
    assert found.covered["recall, interim"] is True
    assert "precision, interim" not in found.index


def test_dollars_are_held_to_the_cent():
    found = recovered()
    assert found.covered["dollars that stand, exact_duplicate, usd"] is False
    assert found.covered["dollars that stand, interim, usd"] is True


def test_a_record_taken_without_a_fault_is_told():
    row = recovered().loc["records taken or changed that have no fault"]
    assert (row.planted, row.estimate, row.covered) == (0.0, 2.0, False)


def test_a_mark_nothing_bears_has_no_precision_but_a_reason():
    row = recovered().loc["precision, denied_header"]
    assert pd.isna(row.estimate)
    assert row.reason == "no record bears the mark"


@pytest.mark.parametrize("draw", [plot_sensitivity, plot_checklist, plot_recovery])
def test_a_figure_of_nothing_says_so(draw):
    contract = {plot_sensitivity: Sensitivity, plot_recovery: Recovery}.get(draw, Sensitivity)
    assert draw(empty_frame(contract)).axes[0].texts[0].get_text()
