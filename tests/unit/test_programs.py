"""Programs priced: identities of the sums, limits of the input, and the doors run on files."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import yaml

from conftest import ROOT
from ltc_world import NAMES, SETTINGS, groups, months_of_a_path, program, reduced_groups
from ratebook.errors import RatebookError
from ratebook.programs import primitives
from ratebook.programs.definitions import read_program
from ratebook.programs.liability import count_liability_days, price_liability
from ratebook.programs.rates import base_cell, derive_program_rates
from ratebook.programs.reconciliation import estimate_reconciliation
from ratebook.programs.replicates import ONE_GROUP, estimate

REDUCED: list = []


@pytest.fixture
def path_months(table):
    return months_of_a_path(table)


@pytest.fixture
def path_groups(path_months, tmp_path):
    """Their comparison groups under every program; reduced once, for the engine takes its time."""
    if not REDUCED:
        REDUCED.extend(program(name) for name in NAMES)
        REDUCED.append(reduced_groups(path_months, list(REDUCED), tmp_path))
    return REDUCED[-1], REDUCED[:-1]


def test_every_facility_day_is_paid_once_by_someone(path_groups):
    found = price_liability(*path_groups, 2)
    assert (found.plan_nf_days + found.funded_nf_days + found.state_nf_days == found.nf_days).all()
    whole = found[found.cell == "all"].set_index("program")
    assert (whole.nf_days == 539).all()
    assert whole.plan_nf_days.to_dict() == {
        "pace": 539,
        "altcs": 539,
        "starplus": 120,
        "msho": 180,
        "ccn": 275,
        "modern": 539,
    }
    assert whole.state_nf_days.to_dict() == {
        "pace": 0,
        "altcs": 0,
        "starplus": 419,
        "msho": 359,
        "ccn": 0,
        "modern": 0,
    }
    money = whole.plan_nf_usd + whole.funded_nf_usd + whole.state_nf_usd
    assert money.tolist() == pytest.approx([53900.55] * 6, abs=0.005)


def test_a_path_from_home_to_a_facility_and_back_goes_through_every_cell(path_groups):
    table, _ = path_groups
    rows = table[(table.program == "msho") & (table.comparison_group == "enrolled")]
    assert rows.groupby(rows.cell.map(base_cell)).member_months.sum().to_dict() == {
        "community_non_nhc": 3 + 3,  # before the stay, and after a year of conversion
        "community_nhc": 5 + 36,  # April to August 2015, days 1 to 153; and the neighbour
        "institutional": 13,  # September 2015, with day 181, to September 2016
        "nhc_conversion": 12,
    }


def test_the_days_by_ordinal_add_up_to_the_days_of_the_window(path_months, run):
    found = pd.DataFrame(run(count_liability_days(path_months, [program("msho")], "cumulative")))
    found = found.set_index("nf_day").sort_index()
    assert found.nf_days.sum() == 366, "days past the 366th are not drawn"
    assert found.plan_nf_days.loc[1:180].eq(1).all() and found.plan_nf_days.loc[181:].eq(0).all()


def test_members_of_cells_are_the_population(path_groups):
    table, _ = path_groups
    for group, pooled in (("enrolled", "population"), ("common", "common_population")):
        by_cell = table[table.comparison_group == group].groupby(["program", "frame"]).member_months.sum()
        whole = table[table.comparison_group == pooled].groupby(["program", "frame"]).member_months.sum()
        pd.testing.assert_series_equal(by_cell, whole)
    people = table[table.comparison_group == "population"].groupby(["program", "frame"]).new_persons.sum()
    assert people.max() == 2


def test_dollars_doubled_double_every_rate_but_fixed_adders(path_groups):
    table, programs = path_groups
    twice = table.copy()
    twice[[c for c in table.columns if c.endswith("_usd")]] *= 2
    once, doubled = (derive_program_rates(t, programs, 365, 2, 36000) for t in (table, twice))
    priced = once.rate_usd.notna() & ~once.state.isin(["Oregon", "Arizona"])
    assert priced.sum() > 20
    assert doubled.rate_usd[priced].tolist() == pytest.approx((2 * once.rate_usd[priced]).tolist(), rel=1e-9)


def test_the_order_of_groups_changes_nothing(path_groups):
    table, programs = path_groups
    shuffled = table.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(
        derive_program_rates(table, programs, 365, 2, 36000), derive_program_rates(shuffled, programs, 365, 2, 36000)
    )


def test_selection_moves_money_between_plans_and_adds_none():
    drawn = """\
        enrolled | dual_waiver | 100 | respite=1000
        members_by_plan | East | 60 |
        members_by_plan | West | 40 |
        heavy_users_by_plan | East | 50 |
        heavy_users_by_plan | West | 10 |"""
    table = groups("starplus", "all", drawn).assign(period="contract")
    found = estimate_reconciliation(table, [program("starplus")], 365, 2).set_index("plan").settlement_usd
    assert found["East"] > 0
    assert found.sum() == pytest.approx(0, abs=1e-6)


def test_scores_are_normalised_to_a_mean_of_one():
    months = np.array([100.0, 300.0])
    factors = primitives.normalise_risk(np.array([2.0, 1.0]), months)
    assert (factors * months).sum() == pytest.approx(months.sum())


def test_the_interval_is_the_delete_a_group_jackknife():
    x = np.array([3.0, 5.0, 10.0, 2.0])
    others = (x.sum() - x) / 3
    found = estimate(np.concatenate([[x.mean()], others]))
    standard_error = x.std(ddof=1) / 2  # of a mean the jackknife is the textbook's
    assert found["upper"] - found["estimate"] == pytest.approx(3.182446305 * standard_error, rel=1e-8)
    assert estimate(np.full(5, 7.0))["reason"] == ONE_GROUP
    assert estimate(np.full(5, np.nan))["estimate"] is None


def test_98_percent_of_cost_is_a_discount_of_two():
    assert primitives.apply_discounts(100.0, [0.02]) == pytest.approx(98)
    with pytest.raises(RatebookError, match=r"0\.02"):
        primitives.apply_discounts(100.0, [0.98])


def test_months_in_a_cell_beyond_its_limit():
    assert [primitives.beyond_limit(n, 12) for n in (12, 13)] == [0, 1]
    assert primitives.beyond_limit(40, None) == 0


def test_an_area_with_counties_is_cut_to_them(path_months, tmp_path):
    schema, scope = ROOT / "workflow/schemas/program.schema.yaml", ROOT / "workflow/programs/benefit_scope.csv"
    here = read_program(
        str(ROOT / "workflow/programs/starplus.yaml"), yaml.safe_load(schema.read_text()),
        pd.read_csv(scope, keep_default_na=False), SETTINGS, {"Harris County": ["Elsewhere"]},
    )  # fmt: skip
    assert reduced_groups(path_months, [here], tmp_path).empty
