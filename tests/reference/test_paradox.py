"""GT-13 of methods.md D3 and D8: the same program is cheaper per month, dearer per member, and both are right."""

from __future__ import annotations

import pandas as pd
import pytest

from cost_data import STUDY, paradox_tables
from ratebook.contracts.cost import PopulationCosts, PopulationMonths
from ratebook.cost.arms import compare_arms
from ratebook.cost.drawn import draw_arms
from ratebook.cost.payment_forms import price_forms
from ratebook.cost.pmpm import price_pmpm, ratio_of_sums
from ratebook.cost.total_cost import estimate_total_cost
from ratebook.tables import empty_frame

SETTINGS = STUDY | {
    "boot_reps": 100,
    "seed": 1,
    "hybrid": {"per_episode_usd": 300, "per_month_usd": 150},
    "month_values_usd": [0, 1000],
}


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    people = paradox_tables()
    made = estimate_total_cost(*people, SETTINGS) | compare_arms(draw_arms(*people, SETTINGS), SETTINGS)
    nobody = empty_frame(PopulationCosts), empty_frame(PopulationMonths)
    made["pmpm"] = price_pmpm(
        *people, made["total_cost"], *nobody, "fractional", SETTINGS["boot_reps"], SETTINGS["seed"]
    )
    return made


@pytest.mark.parametrize(
    ("variant", "numerator", "rule", "csp", "rsn"),
    [
        ("P1", "program", "exact", 360, 200),
        ("P2", "program", "fractional", 60, 100),
        ("P3", "total_sud", "exact", 2000, 1000),
        ("P4", "total_sud", "fractional", 4000 / 12, 500),
        ("P5", "total_sud", "none", 4000, 6000),
    ],
)
def test_each_denominator_gives_its_answer(tables, variant, numerator, rule, csp, rsn):
    rows = tables["pmpm"].set_index(["variant", "numerator", "month_rule", "arm"]).estimate_usd
    assert rows[variant, numerator, rule, "CSP"] == pytest.approx(csp, abs=1e-9)
    assert rows[variant, numerator, rule, "RSN"] == pytest.approx(rsn, abs=1e-9)
    assert rows[variant, numerator, rule, "difference"] == pytest.approx(rsn - csp, abs=1e-9)


def test_total_sud_cost_is_half_again_as_high(tables):
    row = tables["total_cost"].set_index(["estimand", "method", "arm"]).loc[("total_sud", "partitioned", "difference")]
    assert row.estimate_usd == pytest.approx(2000, abs=1e-9)
    assert row.ratio == pytest.approx(1.5, abs=1e-9)


def test_the_ratio_of_totals_is_the_ratio_of_pmpm_times_that_of_duration(tables):
    pmpm = tables["pmpm"].set_index(["variant", "numerator", "month_rule", "arm"]).ratio
    assert pmpm["P3", "total_sud", "exact", "difference"] * 6 / 2 == pytest.approx(
        pmpm["P5", "total_sud", "none", "difference"], abs=1e-9
    )


@pytest.mark.parametrize(("estimand", "usd"), [("total_sud", 500.0), ("program", 120.0)])
def test_an_extra_engaged_month_costs(tables, estimand, usd):
    row = tables["increments"].set_index("estimand").loc[estimand]
    assert row.icer_usd == pytest.approx(usd, abs=1e-9)
    assert row.quadrant == "NE"


@pytest.mark.parametrize(
    ("quantity", "perspective", "value"),
    [
        ("rate_per_month", "program", 120.0),
        ("rate_hybrid", "program", 70.0),
        ("rate_per_day", "program", 120.0 / 30.4375),
        ("rate_per_episode", "program", 720.0),
        ("duration", "program", 2.8),
    ],
)
def test_break_even(tables, quantity, perspective, value):
    row = tables["break_even"].set_index(["quantity", "perspective"]).loc[(quantity, perspective)]
    assert row.value == pytest.approx(value, abs=1e-9)


def test_no_rate_is_neutral_to_the_payer(tables):
    row = tables["break_even"].set_index(["quantity", "perspective"]).loc[("rate_per_month", "payer")]
    assert pd.isna(row.value) and row.reason.startswith("no break-even")


def test_the_mean_of_ratios_exceeds_the_ratio_of_sums_when_cost_is_front_loaded():
    months = pd.Series([1.0, 2.0, 3.0, 10.0])
    paid = 300 + 150 * months
    assert ratio_of_sums(paid.to_numpy(), months.to_numpy(), months.to_numpy())["estimate_usd"] == 225
    one = pd.Series(1.0, index=months.index)
    mean = ratio_of_sums((paid / months).to_numpy(), one.to_numpy(), months.to_numpy())["estimate_usd"]
    assert mean == pytest.approx(295)


def test_the_hybrid_form_reprices_the_paradox_and_a_daily_rate_cannot_make_it():
    forms = {
        "hybrid": {"per_episode_usd": 300, "per_month_usd": 150},
        "unit_15min": {"per_unit_usd": 12},
        "per_day": {"per_day_usd": 5},
    }
    rows = price_forms(*paradox_tables(), forms, "exact", 2).set_index(["form", "per", "arm"]).estimate_usd
    assert rows["hybrid", "client", "RSN"] == pytest.approx(1200)
    assert rows["hybrid", "engaged_month", "RSN"] == pytest.approx(200)
    assert rows["unit_15min", "client", "CSP"] == pytest.approx(720)
    assert rows["unit_15min", "engaged_month", "CSP"] == pytest.approx(360)
    assert rows["per_day", "engaged_month", "RSN"] == pytest.approx(rows["per_day", "engaged_month", "CSP"])
