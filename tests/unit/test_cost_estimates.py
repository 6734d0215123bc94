"""Cost per month and per member: identities of the tables, and limits at which nothing can be said."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cost_data import SETTINGS, random_tables
from ratebook.cost.arms import compare_arms
from ratebook.cost.drawn import draw_arms
from ratebook.cost.pmpm import price_pmpm
from ratebook.cost.total_cost import estimate_total_cost

people = pytest.fixture(random_tables, scope="module")


@pytest.fixture(scope="module")
def tables(people):
    return all_tables(people)


def all_tables(people) -> dict[str, pd.DataFrame]:
    months = pd.DataFrame(
        {
            "plan": ["BHP", "FFS"],
            "service_month": pd.Timestamp("2016-01-01"),
            "member_months": [90.0, 10.0],
            "persons": 95,
        }
    )
    costs = pd.DataFrame(
        {
            "plan": ["BHP", "BHP", "FFS", "none"],
            "service_month": pd.Timestamp("2016-01-01"),
            "category": ["OP_SUD", "LTSS", "LTSS", "OTHER"],
            "is_covered": [True, True, True, False],
            "cost_usd": [900.0, 90.0, 500.0, 7.0],
            "units": 1.0,
            "users": 12,
        }
    )
    made = estimate_total_cost(*people, SETTINGS) | compare_arms(draw_arms(*people, SETTINGS), SETTINGS)
    return made | {
        "pmpm": price_pmpm(
            *people, made["total_cost"], costs, months, "fractional", SETTINGS["boot_reps"], SETTINGS["seed"]
        )
    }


def test_pmpm_times_months_is_the_cost(tables, people):
    rows = tables["pmpm"]
    rows = rows[rows.numerator_usd.notna() & rows.estimate_usd.notna()]
    assert len(rows) > 20
    np.testing.assert_allclose(rows.estimate_usd * rows.denominator_months, rows.numerator_usd, atol=1e-6)
    navigator = people[1][(people[1].window == "post") & (people[1].category == "NAVIGATOR")]
    program = rows[(rows.variant == "P2") & (rows.numerator == "program")]
    assert program.numerator_usd.sum() == pytest.approx(navigator.cost_usd.sum())


def test_every_arms_row_names_its_variant_months_and_denominator(tables):
    rows = tables["pmpm"]
    assert rows.denominator.str.len().gt(5).all()
    assert set(rows.variant) == {"P1", "P2", "P3", "P4", "P5", "P6", "TCOC"}
    assert set(rows.month_rule[rows.numerator == "total_sud_engaged"]) == {"exact"}
    rows = rows[rows.arm != "all"]
    assert rows.groupby(["variant", "numerator", "month_rule"]).denominator.nunique().eq(1).all()


def test_categories_sum_to_the_total(tables):
    total = tables["total_cost"].query("method == 'partitioned'").set_index(["estimand", "arm"]).estimate_usd
    post = tables["cost_by_category"].query("window == 'post'").groupby("arm").estimate_usd.sum()
    for arm in ("RSN", "CSP", "difference"):
        assert post[arm] == pytest.approx(total["tcoc", arm], abs=1e-8)
        assert total["program", arm] + total["other_sud", arm] == pytest.approx(total["total_sud", arm], abs=1e-8)


def test_the_parts_of_the_difference_leave_no_residual(tables):
    total = tables["total_cost"].query("method == 'partitioned'").set_index(["estimand", "arm"]).estimate_usd
    assert tables["decomposition"].effect_usd.sum() == pytest.approx(total["total_sud", "difference"], abs=1e-8)
    navigator = tables["decomposition"].query("category == 'NAVIGATOR'").effect_usd.sum()
    assert navigator == pytest.approx(total["program", "difference"], abs=1e-8)


def test_the_curve_ends_in_the_total(tables):
    total = tables["total_cost"].query("method == 'partitioned'").set_index(["estimand", "arm"])
    ends = tables["cost_curve"].query("day == 365").set_index(["estimand", "arm"])
    for key in ends.index:
        assert ends.estimate_usd[key] == pytest.approx(total.estimate_usd[key])
        assert ends.lower[key] == pytest.approx(total.lower[key])


def test_doubling_every_payment_doubles_every_dollar(tables, people):
    follow_up, costs, clients = people
    twice = costs.assign(cost_usd=costs.cost_usd * 2, engaged_cost_usd=costs.engaged_cost_usd * 2)
    doubled = all_tables((follow_up, twice, clients))
    for name, columns in {
        "total_cost": ["estimate_usd", "std_error", "lower", "upper", "member_std_error"],
        "cost_by_category": ["estimate_usd", "lower", "upper", "unit_price_usd"],
        "decomposition": ["effect_usd", "lower", "upper"],
    }.items():
        np.testing.assert_allclose(doubled[name][columns], tables[name][columns] * 2, rtol=1e-9)
    rows = tables["pmpm"].arm != "all"
    assert doubled["pmpm"].estimate_usd[rows].to_numpy() == pytest.approx(tables["pmpm"].estimate_usd[rows] * 2)
    assert doubled["pmpm"].ratio[rows].to_numpy() == pytest.approx(tables["pmpm"].ratio[rows].to_numpy(), nan_ok=True)


def test_the_order_of_rows_changes_nothing(tables, people):
    shuffled = [table.sample(frac=1, random_state=1) for table in people]
    pd.testing.assert_frame_equal(estimate_total_cost(*shuffled, SETTINGS)["total_cost"], tables["total_cost"])


def test_swapping_the_arms_flips_the_sign(tables, people):
    swapped = people[0].assign(arm=people[0].arm.map({"RSN": "CSP", "CSP": "RSN"}))
    key = ["variant", "numerator", "plan", "month_rule"]
    made = all_tables((swapped, *people[1:]))["pmpm"].query("arm == 'difference'").set_index(key)
    was = tables["pmpm"].query("arm == 'difference'").set_index(key)
    np.testing.assert_allclose(made.estimate_usd, -was.estimate_usd)
    np.testing.assert_allclose(made.ratio, 1 / was.ratio)


def test_one_provider_gives_an_estimate_and_no_limits(people):
    follow_up = people[0].assign(provider_id="only")
    rows = estimate_total_cost(follow_up, *people[1:], SETTINGS)["total_cost"]
    assert rows.estimate_usd.notna().all()
    assert rows.lower.isna().all() and rows.reason.notna().all()


def test_an_arm_without_a_member_has_a_reason(people):
    follow_up = people[0][people[0].arm == "CSP"]
    made = all_tables((follow_up, *people[1:]))
    rows = made["total_cost"].set_index("arm")
    assert rows.estimate_usd["RSN"].isna().all() and rows.reason["RSN"].eq("no member in the arm").all()
    assert rows.estimate_usd["CSP"].notna().all()
    assert rows.reason["difference"].eq("one arm has no member").all()
    assert made["decomposition"].empty and made["break_even"].empty
    pmpm = made["pmpm"].query("arm == 'RSN' and variant != 'P5'")
    assert pmpm.estimate_usd.isna().all() and pmpm.reason.notna().all()


def test_too_few_observed_to_the_horizon_is_said_and_not_estimated(people):
    follow_up = people[0].assign(
        followed_days=people[0].followed_days.clip(upper=200), is_complete=False, end_reason="end_of_data"
    )
    rows = estimate_total_cost(follow_up, *people[1:], SETTINGS)["total_cost"].set_index("method")
    assert rows.estimate_usd["partitioned"].isna().all()
    assert rows.reason["partitioned"].str.contains("horizon_days").all()
    assert rows.estimate_usd["available_case"].notna().all()


def test_the_population_is_priced_by_plan_and_says_what_it_leaves_out(tables):
    rows = tables["pmpm"].query("arm == 'all'").set_index(["plan", "numerator"])
    assert rows.estimate_usd["all", "tcoc"] == pytest.approx(14.9)
    assert rows.estimate_usd["BHP", "LTSS"] == pytest.approx(1.0)
    assert rows.estimate_usd["FFS", "LTSS"] == pytest.approx(50.0)
    assert rows.excluded_usd["all", "tcoc"] == 7.0
