"""What a reviewer asks of rates: is smoothing neutral, does a cell pay for another, are long IMD stays left out."""

from __future__ import annotations

import pandas as pd
import pytest

from review_data import ask

LOADS = {"admin_share": 0.08, "margin_share": 0.015, "tax_share": 0.02}
KEPT = 1 - sum(LOADS.values())


def rates(factors=(1.0, 1.0)) -> pd.DataFrame:
    """Two cells of a pool, each with care management, and the factor of smoothing of each."""
    frame = pd.DataFrame({"cell": ["a", "b"], "pool": "p", "member_months": [600.0, 300.0], "f_tpl": 1.0})
    frame = frame.assign(blended_pmpm_usd=[100.0, 200.0], fixed_pmpm_usd=12.0, f_smoothing=factors, **LOADS)
    frame = frame.assign(manual_pmpm_usd=1.0, f_neutral=1.0, credibility_z=1.0)
    whole = (frame.blended_pmpm_usd + frame.fixed_pmpm_usd) / KEPT * frame.f_smoothing
    return frame.assign(rate_usd=whole.round(2))


def plans(made: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({"cell": made.cell, "member_months": made.member_months, "plan_rate_usd": made.rate_usd})


def neutral(up: float) -> tuple[float, float]:
    """Raise the first cell by a share, and lower the second so that the pool pays the same."""
    return 1 + up, 1 - up * (600 * 112) / (300 * 212)


@pytest.mark.parametrize(
    ("factors", "status"),
    [
        pytest.param((1.0, 1.0), "pass", id="no smoothing"),
        pytest.param(neutral(0.03), "pass", id="what one cell gains the other loses"),
        pytest.param((1.03, 1.0), "fail", id="money is made"),
        pytest.param((1.0, 0.97), "fail", id="money is lost"),
    ],
)
def test_smoothing_makes_no_money(factors, status):
    made = rates(factors)
    assert ask("H53", rates=made, plan_rates=plans(made)).status == status


def test_a_plan_paid_above_its_cells_rate_still_fails():
    made = rates()
    assert ask("H53", rates=made, plan_rates=plans(made).assign(plan_rate_usd=500.0)).status == "fail"


@pytest.mark.parametrize(
    ("up", "tolerance", "cells"),
    [
        pytest.param(0.0, 0.001, 0, id="one margin for all"),
        pytest.param(0.03, 0.05, 0, id="within the tolerance"),
        pytest.param(0.03, 0.027, 1, id="the second cell gives more of its rate than the first takes"),
        pytest.param(0.03, 0.02, 2, id="beyond it for both"),
    ],
)
def test_a_margin_far_from_the_load_is_cross_subsidy(up, tolerance, cells):
    found = ask("H54", rates=rates(neutral(up)), settings={"rates": {"margin_tolerance": tolerance}})
    assert (found.value, found.status) == (cells, "warn" if cells else "pass")


def test_a_cell_without_a_rate_has_no_margin():
    made = rates().assign(rate_usd=[None, None])
    assert ask("H54", rates=made, settings={"rates": {"margin_tolerance": 0.02}}).status == "na"


@pytest.mark.parametrize(("left", "status"), [(0.0, "pass"), (0.5, "warn")])
def test_months_of_long_imd_stays_in_the_base_are_counted(left, status):
    base = pd.DataFrame(
        {"status": ["included", "imd"], "member_months": [100.0, 3.0], "imd_member_months": [left, 3.0]}
    )
    found = ask("H60", base_exclusions=base)
    assert (found.value, found.status) == (left, status)


def test_without_a_base_nothing_is_said_of_imd_stays():
    base = pd.DataFrame({"status": ["imd"], "member_months": [3.0], "imd_member_months": [3.0]})
    assert ask("H60", base_exclusions=base).status == "na"


@pytest.mark.parametrize(("factor", "status"), [("f_missing", "warn"), ("f_pooling", "warn"), ("f_trend", "warn")])
def test_a_rate_that_leaves_out_a_step_is_no_product_of_its_factors(factor, status):
    made = rates(neutral(0.03))
    steps = ("f_missing", "f_pooling", "f_base_changes", "f_trend", "f_program", "f_managed_care")
    build = pd.DataFrame({"cell": made.cell, "base_usd": made.blended_pmpm_usd * 600, "member_months": 600.0})
    build = build.assign(completion_factor=1.0, **dict.fromkeys(steps, 1.0))
    assert ask("H65", rate_build=build, rates=made).status == "pass"
    assert ask("H65", rate_build=build.assign(**{factor: 1.01}), rates=made).status == status
