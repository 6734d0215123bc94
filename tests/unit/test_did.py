"""Differences in differences: cell means exactly, no effect where none is, and what is planted is found."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from did_data import drawn_arms, staggered, tables
from ratebook.contracts.cost_panels import DID_TABLES, Did, EventStudy, GroupTime, SiteQuarters
from ratebook.cost import did_figures as plots
from ratebook.cost.before_after import estimate_did
from ratebook.cost.did import estimate_contrasts, event_rows
from ratebook.cost.event_study import arm_months
from ratebook.cost.group_time import group_time_rows, read_panel
from ratebook.disclosure import disclose
from ratebook.figures import save_figure
from ratebook.tables import empty_frame, frame_of, write_table

ESTIMANDS = ("other_sud", "total_sud", "tcoc")
SETTINGS = {
    "horizon_days": 365,
    "intervals": 12,
    "boot_reps": 99,
    "min_observed_share": 0.05,
    "seed": 7,
    "run_up_intervals": 1,
    "start_share": 0.1,
}


def rows_of(arms, months="all", reps=99, estimand="total_sud") -> pd.DataFrame:
    rows = estimate_contrasts(arms, estimand, months, 1, reps, 3)
    return pd.DataFrame(rows).set_index(["contrast", "quantity"])


def effect_of(arms, quantity="difference_in_differences", contrast="RSN-CSP", **more) -> pd.Series:
    return rows_of(arms, **more).loc[contrast, quantity]


def drawn_often(quantity: str, times: int, **more) -> list[dict]:
    """Estimate one quantity in many programs."""
    found = []
    for n in range(times):
        rows = estimate_contrasts(drawn_arms([2, n], **more), "total_sud", "all", 1, 0, 3)
        found += [row for row in rows if (row["contrast"], row["quantity"]) == ("RSN-CSP", quantity)]
    return found


def arms_of(follow_up, costs, covered, column="cost_usd"):
    return arm_months(follow_up, costs, covered, column, ESTIMANDS)


def person_months(follow_up, costs, covered) -> pd.DataFrame:
    """Person by interval: total cost of all categories a month, and months as weights."""
    cost = costs.groupby(["person_id", "interval"]).cost_usd.sum()
    both = covered.set_index(["person_id", "interval"]).join(cost).reset_index().merge(follow_up, on="person_id")
    both = both[both.arm != "none"]
    both["months"] = both.eligible_days / 30.4375
    return both.assign(treated=both.arm == "RSN", after=both.interval > 0, pmpm=both.cost_usd / both.months)


def test_the_saturated_regression_is_the_difference_of_cell_means_with_its_clustered_error():
    data = tables(providers=5)
    rows = person_months(*data)
    design = np.column_stack([np.ones(len(rows)), rows.treated, rows.after, rows.treated * rows.after]).astype(float)
    groups = pd.factorize(rows.provider_id)[0]
    fit = sm.WLS(rows.pmpm, design, weights=rows.months).fit(
        cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False}
    )
    found = effect_of(arms_of(*data), estimand="tcoc")
    assert found.estimate == pytest.approx(fit.params.iloc[3], abs=1e-9)
    assert found.std_error == pytest.approx(fit.bse.iloc[3] * np.sqrt(5 / 4), rel=1e-9)


def test_the_log_link_is_the_poisson_regression_and_its_dollars_are_what_was_beyond_the_others_growth():
    data = tables(effect=60.0)
    rows = person_months(*data)
    design = np.column_stack([np.ones(len(rows)), rows.treated, rows.after, rows.treated * rows.after]).astype(float)
    fit = sm.GLM(rows.cost_usd, design, family=sm.families.Poisson(), exposure=rows.months).fit()
    found = rows_of(arms_of(*data), estimand="tcoc")
    b, after = fit.params.iloc[3], found.loc[("RSN", "after"), "estimate"]
    assert found.loc[("RSN-CSP", "ratio_of_ratios"), "estimate"] == pytest.approx(np.exp(b), rel=1e-7)
    assert found.loc[("RSN-CSP", "att_log"), "estimate"] == pytest.approx(after - after * np.exp(-b), rel=1e-7)


def test_equal_arms_differ_by_nothing():
    follow_up, costs, covered = tables(persons=180, providers=20)
    first = follow_up[follow_up.arm == "RSN"]
    copy = {person: f"copy of {person}" for person in first.person_id}
    second = first.assign(arm="CSP", person_id=first.person_id.map(copy), provider_id="CSP of " + first.provider_id)

    def both(rows):
        again = rows[rows.person_id.isin(copy)]
        return pd.concat([again, again.assign(person_id=again.person_id.map(copy))])

    found = rows_of(arms_of(pd.concat([first, second]), both(costs), both(covered)))
    assert found.loc[("RSN-CSP", "difference_in_differences"), "estimate"] == pytest.approx(0.0, abs=1e-9)
    assert found.loc[("RSN-CSP", "ratio_of_ratios"), "estimate"] == pytest.approx(1.0, abs=1e-12)
    assert found.loc[("RSN-CSP", "pre_trend_test"), "p_value"] == pytest.approx(1.0, abs=1e-9)


def test_a_provider_that_serves_both_arms_is_one_provider_in_the_error():
    follow_up, costs, covered = tables()
    first = follow_up[follow_up.arm == "RSN"]
    copy = {person: f"copy of {person}" for person in first.person_id}
    second = first.assign(arm="CSP", person_id=first.person_id.map(copy))

    def both(rows):
        again = rows[rows.person_id.isin(copy)]
        return pd.concat([again, again.assign(person_id=again.person_id.map(copy))])

    found = effect_of(arms_of(pd.concat([first, second]), both(costs), both(covered)))
    assert found.std_error == pytest.approx(0.0, abs=1e-9)
    assert found.clusters == first.provider_id.nunique()


def test_a_planted_effect_is_recovered_and_its_limits_hold_it_as_often_as_they_say():
    found = drawn_often("difference_in_differences", 400, effect=80.0)
    estimates = np.array([row["estimate"] for row in found])
    held = np.mean([row["lower"] <= 80 <= row["upper"] for row in found])
    assert estimates.mean() == pytest.approx(80, abs=3 * estimates.std() / 20)
    assert 0.92 <= held <= 0.98


def test_with_few_unequal_providers_limits_still_hold_the_truth():
    found = drawn_often("difference_in_differences", 400, providers=(6, 6), effect=80.0)
    assert 0.92 <= np.mean([row["lower"] <= 80 <= row["upper"] for row in found]) <= 0.985


def test_the_test_of_a_pre_trend_is_silent_without_one_and_finds_a_planted_one():
    silent = [row["p_value"] < 0.05 for row in drawn_often("pre_trend_test", 400)]
    found = [row["p_value"] < 0.05 for row in drawn_often("pre_trend_test", 50, drift=12.0)]
    assert np.mean(silent) <= 0.08
    assert np.mean(found) > 0.9


def test_the_slope_before_admission_is_the_planted_one():
    slopes = [row["estimate"] for row in drawn_often("pre_trend_slope", 100, drift=12.0)]
    assert np.mean(slopes) == pytest.approx(12.0, abs=3 * np.std(slopes) / 10)


def test_the_change_of_one_arm_holds_what_both_arms_share_and_the_difference_does_not():
    """Everybody costs 200 less after the crisis: alone that would pass for an effect."""
    arms = drawn_arms(8, effect=50.0)
    for arm in arms.values():
        arm.dollars["total_sud"][:, :12] += 200 * arm.months[:, :12]
    found = rows_of(arms)
    assert found.loc[("RSN", "change"), "estimate"] == pytest.approx(-150, abs=40)
    assert found.loc[("RSN-CSP", "difference_in_differences"), "estimate"] == pytest.approx(50, abs=40)


def test_cost_of_a_month_without_a_covered_day_is_in_no_rate():
    follow_up, costs, covered = tables()
    without = covered[(covered.person_id != "P000") | (covered.interval != -5)]
    of_month = (costs.person_id == "P000") & (costs.interval == -5)
    assert len(without) == len(covered) - 1 and of_month.any()
    kept = rows_of(arms_of(follow_up, costs, without))
    pd.testing.assert_frame_equal(kept, rows_of(arms_of(follow_up, costs[~of_month], without)))


def test_the_order_of_rows_changes_nothing():
    data = tables()
    shuffled = [part.sample(frac=1, random_state=3) for part in data]
    pd.testing.assert_frame_equal(rows_of(arms_of(*data)), rows_of(arms_of(*shuffled)))


def test_doubling_every_dollar_doubles_dollars_and_leaves_ratios_and_tests():
    once, twice = drawn_arms(9, effect=30.0), drawn_arms(9, effect=30.0)
    for arm in twice.values():
        arm.dollars["total_sud"] *= 2
    once, twice = rows_of(once), rows_of(twice)
    dollars = ["change", "difference_in_differences", "att_log", "pre_trend_slope"]
    for quantity in dollars:
        name = ("RSN" if quantity == "change" else "RSN-CSP", quantity)
        columns = ["estimate", "std_error", "lower", "upper"]
        assert twice.loc[name, columns].astype(float).to_numpy() == pytest.approx(
            2 * once.loc[name, columns].astype(float).to_numpy()
        )
    for name, column in ((("RSN-CSP", "ratio_of_ratios"), "estimate"), (("RSN-CSP", "pre_trend_test"), "p_value")):
        assert twice.loc[name, column] == pytest.approx(once.loc[name, column])


def test_a_constant_added_to_every_month_of_both_arms_moves_no_difference():
    plain, raised = drawn_arms(10, effect=30.0), drawn_arms(10, effect=30.0)
    for arm in raised.values():
        arm.dollars["total_sud"] += 500 * arm.months
    assert effect_of(raised).estimate == pytest.approx(effect_of(plain).estimate)
    assert effect_of(raised).wild_p_value == pytest.approx(effect_of(plain).wild_p_value)


def test_relabelling_the_arms_turns_the_sign():
    arms = drawn_arms(11, effect=30.0)
    turned = {"RSN": arms["CSP"], "CSP": arms["RSN"]}
    assert effect_of(turned).estimate == pytest.approx(-effect_of(arms).estimate)
    assert effect_of(turned, "ratio_of_ratios").estimate == pytest.approx(
        1 / effect_of(arms, "ratio_of_ratios").estimate
    )


def test_the_second_reading_leaves_out_the_month_before_admission_and_reads_against_the_one_before():
    arms = drawn_arms(12)
    spiked = drawn_arms(12)
    for arm in spiked.values():
        arm.dollars["total_sud"][:, 11] += 900 * arm.months[:, 11]
    assert effect_of(spiked, months="without_run_up").estimate == pytest.approx(
        effect_of(arms, months="without_run_up").estimate
    )
    events = frame_of(event_rows(arms, "total_sud", 1), EventStudy)
    reference = events[events.is_reference & (events.contrast == "RSN-CSP")]
    assert reference.event_month.tolist() == [-2] and reference.estimate_usd.tolist() == [0.0]


def test_the_months_of_an_event_study_are_cell_means_less_those_of_the_reference():
    arms = drawn_arms(13)
    events = frame_of(event_rows(arms, "total_sud", 0), EventStudy).set_index(["contrast", "event_month"]).estimate_usd
    for month in (-12, 0, 11):
        gap = events["RSN", month] - events["CSP", month] - events["RSN", -1] + events["CSP", -1]
        assert events["RSN-CSP", month] == pytest.approx(gap)


def test_one_provider_gives_an_estimate_without_limits_and_says_why():
    found = effect_of(drawn_arms(14, providers=(1, 5)))
    assert np.isfinite(found.estimate) and pd.isna(found.lower) and "two providers" in found.reason


def test_fewer_providers_than_months_before_leave_no_joint_test():
    found = effect_of(drawn_arms(15, providers=(4, 4)), "pre_trend_test")
    assert pd.isna(found.p_value) and "too few providers" in found.reason


def test_an_arm_without_a_member_says_so_and_the_other_arm_stands():
    arms = drawn_arms(16)
    found = rows_of({"RSN": arms["RSN"]})
    assert np.isfinite(found.loc[("RSN", "change"), "estimate"])
    assert found.loc[("RSN-CSP", "difference_in_differences"), "reason"] == "no member in an arm"


def test_an_arm_that_cost_nothing_before_has_a_difference_and_no_ratio():
    arms = drawn_arms(17)
    arms["CSP"].dollars["total_sud"][:, :12] = 0.0
    assert np.isfinite(effect_of(arms).estimate)
    assert "no ratio" in effect_of(arms, "att_log").reason


def test_every_table_keeps_its_contract_also_without_a_cohort(tmp_path):
    follow_up, costs, covered = tables()
    sites = empty_frame(SiteQuarters)
    found = estimate_did(follow_up, costs, covered, sites, SETTINGS)
    assert set(found["did"].dollars) == {"nominal", "real"}
    empty = estimate_did(follow_up[:0], costs[:0], covered[:0], sites, SETTINGS)
    for tables_found in (found, empty):
        for name, table in tables_found.items():
            write_table(table, tmp_path / f"{name}.parquet", DID_TABLES[name])
    assert len(empty["did"]) == 0
    real = found["did"].set_index(["dollars", "estimand", "months", "contrast", "quantity"]).estimate
    key = ("tcoc", "all", "RSN", "after")
    assert real[("real", *key)] == pytest.approx(1.1 * real[("nominal", *key)], rel=1e-4)


def test_a_small_arm_is_hidden_and_its_contrasts_with_it():
    follow_up, costs, covered = tables(persons=240)
    few = follow_up.person_id[follow_up.arm == "none"].iloc[:10]
    follow_up = follow_up[(follow_up.arm != "none") | follow_up.person_id.isin(few)]
    sites = empty_frame(SiteQuarters)
    found = estimate_did(follow_up, costs, covered, sites, SETTINGS)
    for name in ("did", "event_study"):
        shown = disclose(found[name], DID_TABLES[name], 11).set_index("contrast")
        column = "estimate" if name == "did" else "estimate_usd"
        assert shown.loc[["none", "RSN-none"], ["persons", "member_months", column]].isna().all(axis=None)
        assert shown.loc["RSN", ["persons", "member_months", column]].notna().all(axis=None)


def test_the_contract_names_every_quantity():
    found = rows_of(drawn_arms(18)).reset_index()
    assert set(found.quantity) == set(Did.fields()["quantity"].isin)


def test_every_figure_is_drawn_and_says_so_where_there_is_nothing_to_draw(tmp_path):
    found = estimate_did(*tables(), empty_frame(SiteQuarters), SETTINGS)
    prices = pd.DataFrame(
        {
            "category": ["all", "all", "OTP", "OTP"],
            "service_year": [2016, 2017] * 2,
            "base_year": 2016,
            "fisher": [1, 1.03, 1, None],
        }
    )
    sites = frame_of(
        [{**row, "dollars": "nominal"} for row in group_time_rows(read_panel(staggered()), 99, 1)], GroupTime
    )
    drawn = [
        (plots.plot_event_study, (found["event_study"], found["did"])),
        (plots.plot_before_after, (found["did"],)),
        (plots.plot_group_time, (sites,)),
        (plots.plot_price_index, (prices,)),
    ]
    for n, (plot, given) in enumerate(drawn):
        for name, args in {"full": given, "empty": [table[:0] for table in given]}.items():
            save_figure(plot(*args), tmp_path / f"{name}{n}.svg", tmp_path / f"{name}{n}.png", "synthetic data")


def test_the_companions_published_savings_imply_4250_a_member_month():
    published = plots.PUBLISHED
    assert published["gross_savings_pmpm_usd"] / published["slower_growth_share"] == pytest.approx(4250)
