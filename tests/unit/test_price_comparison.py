"""Mean cost per member in both dollars: the nominal rows are those of total cost, and the real ones say what they lack."""

from __future__ import annotations

import pandas as pd
import pytest

from cost_data import STUDY
from did_data import tables
from ratebook.contracts.cost import COSTS, ClientIntervals
from ratebook.contracts.cost_panels import PriceComparison
from ratebook.cost.price_comparison import compare_prices
from ratebook.cost.total_cost import estimate_total_cost
from ratebook.tables import empty_frame, write_table

SETTINGS = STUDY | {"boot_reps": 99, "seed": 7}


def compared(follow_up: pd.DataFrame, costs: pd.DataFrame, **changed) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give total cost, and the comparison made of it."""
    people = follow_up, costs, empty_frame(ClientIntervals)
    settings = SETTINGS | changed
    total = estimate_total_cost(*people, settings)["total_cost"]
    return total, compare_prices(*people, total, settings)


@pytest.mark.parametrize(("days", "needed"), [(90, False), (91, True)])
def test_repricing_is_needed_where_the_arms_medians_are_more_than_90_days_apart(days, needed):
    follow_up, costs, _ = tables()
    follow_up["discharge_date"] = pd.Timestamp("2015-01-01") + pd.to_timedelta(
        days * (follow_up.arm == "RSN"), unit="D"
    )
    _, found = compared(follow_up, costs)
    assert set(found.needs_repricing) == {needed} and set(found.index_gap_days) == {float(days)}


def test_without_repricing_the_real_rows_say_so():
    follow_up, costs, _ = tables()
    costs["real_cost_usd"] = costs.cost_usd
    rows = compared(follow_up, costs)[1].set_index("dollars")
    assert rows.loc["real"].estimate_usd.isna().all() and rows.loc["real"].reason.str.contains("nominal").all()
    assert rows.loc["nominal"].estimate_usd.notna().all()


def test_nominal_rows_are_those_of_total_cost_and_real_ones_move_with_prices():
    follow_up, costs, _ = tables()
    costs["real_cost_usd"] = 2 * costs.cost_usd
    total, found = compared(follow_up, costs)
    key, shown = ["estimand", "arm"], ["estimate_usd", "std_error", "lower", "upper"]
    rows = {dollars: part.set_index(key)[shown] for dollars, part in found.groupby("dollars")}
    partitioned = total[total.method == "partitioned"].set_index(key)
    pd.testing.assert_frame_equal(rows["nominal"], partitioned.loc[rows["nominal"].index, shown])
    pd.testing.assert_frame_equal(rows["real"], 2 * rows["nominal"])
    counts = found.set_index(["dollars", *key])[["persons", "clusters"]]
    pd.testing.assert_frame_equal(counts.loc["real"], counts.loc["nominal"], check_dtype=False)


def test_too_few_observed_is_said_in_both_dollars():
    follow_up, costs, _ = tables()
    follow_up = follow_up.assign(followed_days=100, is_complete=False)
    found = compared(follow_up, costs[costs.interval <= 3], min_observed_share=1.0)[1]
    assert found.estimate_usd.isna().all() and found.reason.str.startswith("too few members are observed").all()


def test_without_a_member_in_an_arm_there_is_no_comparison_and_no_broken_contract(tmp_path):
    follow_up, costs, _ = tables()
    for members in (follow_up, follow_up[follow_up.arm != "RSN"], follow_up[:0]):
        _, found = compared(members, costs[costs.person_id.isin(members.person_id)])
        assert len(found) == (2 * 3 * len(COSTS) if members is follow_up else 0)
        write_table(found, tmp_path / "price_comparison.parquet", PriceComparison)
