"""Programs priced: identities of the sums, limits of the input, and the doors run on files."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import yaml

from conftest import ROOT
from ltc_world import NAMES, NF, SETTINGS, covered, groups, ltc_months, program
from ratebook.contracts.programs import (
    ComparisonGroups,
    LiabilityDays,
    LtcMemberMonths,
    PlanLiability,
    ProgramComparison,
    ProgramRates,
    ProgramReconciliation,
    PublishedAmounts,
)  # fmt: skip
from ratebook.errors import RatebookError
from ratebook.programs import primitives
from ratebook.programs.cells import build_comparison_groups
from ratebook.programs.comparison import compare_programs
from ratebook.programs.definitions import read_program
from ratebook.programs.figures import plot_comparison, plot_liability_timeline, plot_program_rates
from ratebook.programs.liability import count_liability_days, price_liability
from ratebook.programs.published import derive_published
from ratebook.programs.rates import base_cell, derive_program_rates
from ratebook.programs.reconciliation import estimate_reconciliation
from ratebook.programs.replicates import ONE_GROUP, estimate
from ratebook.tables import empty_frame, open_table, read_table, write_table

REDUCE = {"common": SETTINGS["common_population"], "counter": "cumulative", "replicates": 2, "keeps_retro": False}
REDUCED: list = []


@pytest.fixture
def path_months(table):
    """Home, a year and a half in a facility, home again; and a neighbour at home throughout."""
    claims = f"""\
        {NF}
        A | 1 | 1 | personal_care | 2015-01-01 | 2015-03-31 | 900
        A | 2 | 1 | nursing_facility | 2015-04-01 | 2016-09-20 | 53900.55
        A | 3 | 1 | personal_care | 2016-10-01 | 2017-12-31 | 4500
        B | 4 | 1 | adult_day_care | 2015-01-01 | 2017-12-31 | 7200
        """
    months = covered("2015-01-01", 36) + covered("2015-01-01", 36, "B", waiver="EW")
    return ltc_months(table, claims, months)


@pytest.fixture
def path_groups(path_months, tmp_path):
    """Their comparison groups under every program; reduced once, for the engine takes its time."""
    if not REDUCED:
        REDUCED.extend(program(name) for name in NAMES)
        write_table(build_comparison_groups(path_months, REDUCED, **REDUCE), tmp_path / "g.parquet", ComparisonGroups)
        REDUCED.append(read_table(tmp_path / "g.parquet", ComparisonGroups))
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


def test_the_rate_and_the_remainder_and_the_saving_are_what_the_state_pays_today(path_groups):
    found = compare_programs(*path_groups, 365, 2)
    found = found[found.rate_pmpm_usd.notna()]
    parts = found.rate_pmpm_usd + found.state_remainder_pmpm_usd + found.state_saving_pmpm_usd
    assert len(found) > 10
    assert parts.tolist() == pytest.approx(found.state_ffs_pmpm_usd.tolist(), abs=1e-6)


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
    write_table(build_comparison_groups(path_months, [here], **REDUCE), tmp_path / "g.parquet", ComparisonGroups)
    assert read_table(tmp_path / "g.parquet", ComparisonGroups).empty


def test_without_long_term_care_every_table_stands_and_says_why(table, tmp_path):
    """Limits of the input: no person at all."""
    programs = [program(name) for name in NAMES]
    write_table(table("person_id", LtcMemberMonths), tmp_path / "m.parquet", LtcMemberMonths)
    months = open_table(tmp_path / "m.parquet", LtcMemberMonths)
    write_table(build_comparison_groups(months, programs, **REDUCE), tmp_path / "g.parquet", ComparisonGroups)
    write_table(count_liability_days(months, programs, "cumulative"), tmp_path / "d.parquet", LiabilityDays)
    found = read_table(tmp_path / "g.parquet", ComparisonGroups)
    made = [
        (derive_program_rates(found, programs, 365, 2, 36000), ProgramRates),
        (price_liability(found, programs, 2), PlanLiability),
        (estimate_reconciliation(found, programs, 365, 2), ProgramReconciliation),
        (compare_programs(found, programs, 365, 2), ProgramComparison),
        (derive_published(programs), PublishedAmounts),
    ]
    for n, (frame, contract) in enumerate(made):
        write_table(frame, tmp_path / f"{n}.parquet", contract)
    rates, comparison = made[0][0], made[3][0]
    assert len(rates) >= 22 and rates.rate_usd.isna().all() and rates.reason.notna().all()
    assert comparison.state_saving_pmpm_usd.isna().all() and comparison.reason.notna().all()
    days = read_table(tmp_path / "d.parquet", LiabilityDays)
    assert days.nf_days.sum() == 0
    for figure in (plot_program_rates(rates, 11), plot_comparison(comparison, 11), plot_liability_timeline(days, 11)):
        assert figure.axes


def test_a_small_cell_is_not_drawn():
    rates = empty_frame(ProgramRates)
    rates.loc[0] = [None] * len(rates.columns)
    rates = rates.assign(rate_usd=100.0, persons=10, cell="small", program="p", state="s", area="all")
    assert "No program" in plot_program_rates(rates, 11).axes[0].texts[0].get_text()


def test_the_doors_run_on_files(path_months, tmp_path):
    import importlib.util

    def door(name):
        spec = importlib.util.spec_from_file_location(name, ROOT / f"scripts/programs/{name}.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module.main

    write_table(path_months, tmp_path / "m.parquet", LtcMemberMonths)
    files = {
        "programs": [ROOT / path for path in SETTINGS["files"]],
        "schema": ROOT / "workflow/schemas/program.schema.yaml",
        "scope": ROOT / "workflow/programs/benefit_scope.csv",
    }
    params = {"data": {"settings": SETTINGS, "areas": {}}, "price": {"year_days": 365, "replicates": 2}}

    def out(*names):
        return SimpleNamespace(**{name: tmp_path / f"{name}.parquet" for name in names})

    def job(inputs, output, **more):
        return SimpleNamespace(
            input=SimpleNamespace(**files, **inputs), output=output, params=SimpleNamespace(**params, **more)
        )

    door("derive_program_rates")(
        job(
            {"months": tmp_path / "m.parquet"},
            out("groups", "days", "rates", "published", "notes"),
            reduce=REDUCE,
            full_months=36000,
        )
    )
    made = {"groups": tmp_path / "groups.parquet"}
    door("price_liability")(job(made, out("liability")))
    door("estimate_reconciliation")(job(made, out("reconciliation")))
    door("compare_programs")(job(made, out("comparison")))
    assert len(read_table(tmp_path / "rates.parquet", ProgramRates)) >= 22
    assert len(read_table(tmp_path / "comparison.parquet", ProgramComparison)) == 27
