"""Exhibits of cost: both halves in words, who bears what, sums to the cent, the plane and the line."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cost_data import random_tables
from cost_exhibit_data import LEDGER, SETTINGS, draw_people, exhibits_of, outside, paradox_exhibits
from ratebook.contracts.clean import CATEGORIES
from ratebook.contracts.cost import Pmpm
from ratebook.contracts.cost_exhibits import EXHIBIT_TABLES, EXHIBITED, PmpmExhibit
from ratebook.cost.arms import compare_arms
from ratebook.cost.break_even import value_grid
from ratebook.cost.drawn import draw_arms
from ratebook.cost.exhibits import SUMS, derive_exhibits, exhibit_pmpm, line_rates
from ratebook.cost.total_cost import estimate_total_cost, part_of
from ratebook.tables import empty_frame

people = pytest.fixture(random_tables, scope="module")
drawn = pytest.fixture(draw_people, scope="module")
made = pytest.fixture(exhibits_of, scope="module")
paradox = pytest.fixture(paradox_exhibits, scope="module")


def usd_of(table: pd.DataFrame, **where) -> float:
    for column, value in where.items():
        table = table[table[column] == value]
    assert len(table) == 1
    return table.estimate_usd.iloc[0]


def test_the_worked_example_by_perspective(paradox):
    rows = paradox["perspectives"]
    program = {"estimand": "program", "per": "engaged_month"}
    assert usd_of(rows, perspective="claims", arm="CSP", **program) == pytest.approx(360)
    assert usd_of(rows, perspective="claims", arm="RSN", **program) == pytest.approx(200)
    assert usd_of(rows, perspective="payer", arm="RSN", **program) == pytest.approx((1200 + 150) / 6)
    assert usd_of(rows, perspective="payer", arm="CSP", **program) == pytest.approx(360)
    assert usd_of(rows, perspective="provider", arm="CSP", per="client") == pytest.approx(31.25)
    assert usd_of(rows, perspective="provider", arm="RSN", per="client") == 0
    assert usd_of(rows, perspective="payer", arm="difference", estimand="total_sud", per="client") == pytest.approx(
        2150
    )


def test_payer_is_claims_and_what_stands_outside_them(made):
    rows = made["perspectives"]
    arms = rows[rows.arm != "difference"]
    both = arms.claims_usd.fillna(0) + arms.outside_usd
    assert np.allclose(arms.estimate_usd, both)
    wide = rows.pivot(index=["perspective", "estimand", "per"], columns="arm", values="estimate_usd")
    assert np.allclose(wide.difference, wide.RSN - wide.CSP)


def test_cost_outside_claims_widens_no_limit(made):
    rows = made["perspectives"].query("estimand == 'total_sud' and per == 'client' and arm == 'difference'")
    reach = (rows.upper - rows.lower).to_numpy()
    assert reach[0] == pytest.approx(reach[1])
    alone = made["perspectives"].query("perspective == 'provider' and per == 'client'")
    assert alone.lower.isna().all() and alone.reason.str.contains("no sampling error").all()


@pytest.mark.parametrize(
    ("ledger", "why"),
    [
        pytest.param(outside(), "no cost outside claims is on record", id="nothing on record"),
        pytest.param(outside(("RSN", "payer", np.nan)), "no client of the program", id="on record without a client"),
    ],
)
def test_what_is_not_on_record_is_not_nothing(drawn, ledger, why):
    rows = derive_exhibits(drawn, ledger)["perspectives"]
    payer = rows[(rows.perspective == "payer") & (rows.arm == "RSN")]
    assert payer.estimate_usd.isna().all() and payer.reason.str.startswith(why).all()
    assert rows[rows.perspective == "claims"].estimate_usd.notna().all()


def test_categories_add_up_to_the_cent(people, made):
    assert set(SUMS["tcoc"]) == set(CATEGORIES) and set(SUMS["tcoc"]) - set(SUMS["tcoc_without_navigator"]) == {
        "NAVIGATOR"
    }
    sums = made["category_sums"]
    assert (sums.estimate_usd - sums.categories_usd).abs().max() < 0.005
    by_category = estimate_total_cost(*people, SETTINGS)["cost_by_category"].query("window == 'post' and arm == 'RSN'")
    assert by_category.estimate_usd.sum() == pytest.approx(usd_of(sums, sum_of="tcoc", arm="RSN"), abs=0.005)
    wide = sums.pivot(index="sum_of", columns="arm", values="estimate_usd").RSN
    assert wide.tcoc - wide.tcoc_without_navigator == pytest.approx(wide.total_sud - wide.other_sud)


def test_every_category_is_part_of_one_printed_total():
    parts = {category: part_of(category) for category in CATEGORIES}
    assert parts["NAVIGATOR"] == "program" and parts["OP_SUD"] == "other_sud" and parts["LTSS"] == "other_care"
    assert list(parts.values()).count("other_sud") == 10


def test_the_plane_begins_with_the_estimate_and_agrees_with_the_increments(drawn, made):
    increments = compare_arms(drawn, SETTINGS)["increments"].set_index("estimand")
    first = made["plane"].iloc[0]
    assert first.replicate == 0 and len(made["plane"]) == 1 + SETTINGS["boot_reps"]
    assert first.total_sud_usd == pytest.approx(increments.difference_usd["total_sud"])
    assert first.difference_months == pytest.approx(increments.difference_months["total_sud"])
    assert np.allclose(made["plane"].total_sud_usd, made["plane"].program_usd + made["plane"].other_sud_usd)


def test_the_line_crosses_at_the_break_even(drawn, made):
    rates = compare_arms(drawn, SETTINGS)["break_even"].set_index(["quantity", "perspective"]).value
    wide = made["break_even_line"].pivot(index="rate_usd", columns="arm", values="estimate_usd")
    crossing = np.interp(0, wide.RSN - wide.CSP, wide.index)
    assert crossing == pytest.approx(rates["rate_per_month", "program"])
    assert wide.CSP.nunique() == 1 and wide.RSN.iloc[0] == 0


def test_the_line_runs_past_the_break_even_and_past_what_was_paid():
    for budget, paid in ((700.0, 1100.0), (1100.0, 700.0), (0.0, 0.0)):
        rates = line_rates(budget, 5.0, paid)
        assert rates[0] == 0 and rates[-1] > max(budget, paid) / 5 and len(rates) == 41


def test_a_curve_is_drawn_on_a_fine_grid_that_holds_the_values_asked_for():
    grid = value_grid([0, 100, 333, 2000])
    assert {0, 100, 333, 2000} <= set(grid) and grid == sorted(set(grid))
    assert max(np.diff(grid)) <= 25
    assert value_grid([]) == [] and value_grid([500]) == [500]


def test_the_order_of_rows_is_of_no_matter(people, made):
    mixed = [frame.sample(frac=1.0, random_state=2) for frame in people]
    again = derive_exhibits(draw_arms(*mixed, SETTINGS), LEDGER.iloc[::-1])
    for name in EXHIBIT_TABLES:
        pd.testing.assert_frame_equal(again[name], made[name], rtol=1e-9)


def test_arms_exchanged_turn_every_difference(people, made):
    swap = {"RSN": "CSP", "CSP": "RSN"}
    turned = [people[0].assign(arm=people[0].arm.replace(swap)), *people[1:]]
    ledger = LEDGER.assign(program=LEDGER.program.replace(swap))
    again = derive_exhibits(draw_arms(*turned, SETTINGS), ledger)
    for name, key in (("perspectives", ["perspective", "estimand", "per"]), ("category_sums", ["sum_of"])):
        ours, theirs = (t[name][t[name].arm == "difference"].set_index(key).estimate_usd for t in (made, again))
        assert np.allclose(ours, -theirs)


@pytest.mark.parametrize("arm", ["RSN", "CSP"])
def test_one_arm_alone_has_no_exhibit(people, arm):
    alone = people[0][people[0].arm == arm]
    assert all(table.empty for table in derive_exhibits(draw_arms(alone, *people[1:], SETTINGS), LEDGER).values())


def test_one_provider_an_arm_has_estimates_without_limits(people):
    lone = people[0].assign(provider_id=people[0].arm)
    for name, table in derive_exhibits(draw_arms(lone, *people[1:], SETTINGS), LEDGER).items():
        if "estimate_usd" in table:
            assert table.estimate_usd.notna().all() and (table.lower.isna() == table.reason.notna()).all(), name


def pmpm(*rows) -> pd.DataFrame:
    """Draw PMPM rows: variant, numerator, arm, rule of months, dollars, lower, upper."""
    names = ["variant", "numerator", "arm", "month_rule", "estimate_usd", "lower", "upper"]
    frame = pd.DataFrame(rows, columns=names).assign(plan="all", denominator="months: counted", persons=100)
    return frame.reindex(columns=list(Pmpm.types()))


def test_the_exhibit_takes_four_variants_and_no_other():
    rows = [
        (variant, numerator, arm, rule, 1.0, 0.5, 1.5)
        for variant, numerator, rule in [
            ("P1", "program", "exact"), ("P1", "program", "calendar"), ("P2", "program", "day_15"),
            ("P3", "total_sud", "exact"), ("P4", "total_sud", "day_15"), ("P5", "total_sud", "none"),
            ("P5", "program", "none"), ("P6", "program", "exact"),
        ]
        for arm in ("RSN", "CSP", "difference")
    ]  # fmt: skip
    found = exhibit_pmpm(pmpm(*rows), "day_15")
    assert sorted(found.variant) == sorted(3 * [*EXHIBITED]) and not found.duplicated(["variant", "arm"]).any()
    assert (found.numerator_words.str.len() > 0).all()
    assert exhibit_pmpm(empty_frame(Pmpm), "day_15").columns.tolist() == list(PmpmExhibit.types())


def test_members_all_alike_have_limits_as_wide_as_nothing(paradox):
    rows = paradox["perspectives"].query("perspective == 'claims' and arm != 'difference'")
    assert rows.reason.isna().all() and np.allclose(rows.lower, rows.estimate_usd)


def test_an_arm_without_an_engaged_month_has_no_price_of_one(people):
    clients = people[2].assign(
        engaged_days=people[2].engaged_days.where(people[2].person_id.str[-1].isin(list("13579")), 0)
    )
    found = derive_exhibits(draw_arms(*people[:2], clients, SETTINGS), LEDGER)
    month = found["perspectives"].query("per == 'engaged_month' and arm == 'RSN'")
    assert month.estimate_usd.isna().all() and (month.reason.str.len() > 0).all()
    assert found["break_even_line"].reason.str.contains("no engaged month").all()
    assert np.isfinite(found["plane"].total_sud_usd).all()
