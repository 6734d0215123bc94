"""Comparison groups of reduced months are those of the months themselves; a member's year is what its months add up to."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ltc_population import draw_months
from ltc_world import NAMES, SETTINGS, program
from ratebook.contracts.programs import ComparisonGroups, LtcMemberMonths, MemberYears
from ratebook.programs.cells import add_capped_benefit, assign_cell, meets, plan_payments
from ratebook.programs.definitions import frames_of
from ratebook.programs.groups import build_comparison_groups, build_member_years, sort_frames
from ratebook.programs.profiles import columns_seen, reduce_months
from ratebook.programs.rates import base_cell, covered_services
from ratebook.tables import open_table, read_table, write_table

COMMON = SETTINGS["common_population"]
REPLICATES = 3
SUMMED = (
    "nf_days",
    "personal_care_usd",
    "nf_net_usd",
    "tpl_usd",
    "plan_nf_days",
    "nf_liable_usd",
    "capped_benefit_usd",
)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Drawn months, the programs, and both reductions as written."""
    folder = tmp_path_factory.mktemp("groups")
    programs = [program(name) for name in NAMES]
    write_table(draw_months(60, 30, 7), folder / "m.parquet", LtcMemberMonths)
    months = open_table(folder / "m.parquet", LtcMemberMonths)
    reduced = reduce_months(months, programs, COMMON, "cumulative", REPLICATES, False)
    frames = sort_frames(reduced, programs, COMMON)
    write_table(build_comparison_groups(reduced, frames), folder / "g.parquet", ComparisonGroups)
    write_table(build_member_years(reduced, frames), folder / "y.parquet", MemberYears)
    return months, programs, read_table(folder / "g.parquet", ComparisonGroups), pd.read_parquet(folder / "y.parquet")


def sorted_months(months, program, frame):
    """Every month of a frame with its row, cell and payments, found without any reduction."""
    kept = months.filter(~months.is_retro)
    kept = add_capped_benefit(kept, program["capped_benefit"]) if "capped_benefit" in program else kept
    kept = kept.mutate(row=assign_cell(kept, [{**row, "by": []} for row in frame["cells"]]))
    kept = kept.mutate(
        cell=assign_cell(kept, frame["cells"]), **plan_payments(kept, program["liability"], "cumulative")
    )
    kept = kept.filter(meets(kept, frame["population"]), kept.row.notnull())
    flags = {group: meets(kept, rule["when"], kept.row) for group, rule in frame["groups"].items()}
    flags |= {"population": meets(kept, {}), "enrolled": meets(kept, {}), "common": meets(kept, COMMON)}
    return kept.mutate(**{f"in {group}": holds for group, holds in flags.items()}).to_pandas()


def by_part(rows, by):
    """The months of a group cut as its rule says."""
    named = {"cell": rows.cell, "plan": rows.plan, None: pd.Series("all", rows.index)}
    cut = rows.cell.where(rows.cell != rows.row, "/all").str.split("/", n=1).str[1]
    return rows.assign(part=named.get(by, cut))


@pytest.mark.parametrize("name", NAMES)
def test_reduced_months_sum_to_what_the_months_themselves_do(world, name):
    months, programs, groups, _ = world
    chosen = next(one for one in programs if one["program"] == name)
    people = sorted(months.filter(~months.is_retro).person_id.execute().unique())
    checked = 0
    for frame_name, frame in frames_of(chosen).items():
        rows = sorted_months(months, chosen, frame)
        rows = rows.assign(replicate=rows.person_id.map(people.index) % REPLICATES)
        cuts = {"population": None, "enrolled": "cell", "common": "cell"}
        cuts |= {group: rule.get("by") for group, rule in frame["groups"].items()}
        found = groups[(groups.program == name) & (groups.frame == frame_name)]
        for group, by in cuts.items():
            inside = by_part(rows[rows[f"in {group}"].astype(bool)], by)
            ours = (
                found[found.comparison_group == group].groupby(["cell", "period", "replicate"]).sum(numeric_only=True)
            )
            keys = [inside.part.rename("cell"), inside.period, inside.replicate]
            sums = [column for column in SUMMED if column in inside]
            expected = inside[sums].astype(float).groupby(keys).sum()
            pd.testing.assert_frame_equal(
                ours[sums].astype(float), expected, check_index_type=False, check_dtype=False, check_names=False
            )
            assert (ours.persons == inside.person_id.groupby(keys).nunique()).all()
            first = inside.groupby([inside.part, "person_id"]).period.transform("min")
            new = inside.person_id.where(inside.period == first).groupby(keys).nunique()
            assert (ours.new_persons == new).all()
            checked += len(ours)
    assert checked > 20


def test_no_condition_tells_the_numbers_of_one_band_apart():
    """The bands are cut where a condition changes, and nowhere else is asked."""
    kept, limits = columns_seen([program(name) for name in NAMES], COMMON)
    assert set(kept) & set(limits) == set()
    for column, cuts in limits.items():
        assert cuts == sorted(set(cuts)), column
    assert (65, False) in limits["age_years"], "65 and more: the cut lies below 65"
    assert (180, True) in limits["nf_days_cumulative"], "above 180: the cut lies above 180"


def test_a_members_years_hold_its_months_and_what_the_plan_pays(world):
    months, programs, _, years = world
    for chosen in programs:
        for frame_name, frame in frames_of(chosen).items():
            rows = sorted_months(months, chosen, frame)
            rows = rows[rows["in common"].astype(bool)]
            funded = rows.row.isin(chosen["liability"].get("rate_cells", []))
            paid = np.where(funded, rows.nf_net_usd.astype(float), rows.nf_liable_usd.astype(float))
            for row in rows.row.unique():
                covered = [
                    f"{service}_usd" for service in covered_services(chosen, row) if service != "nursing_facility"
                ]
                paid = paid + np.where(rows.row == row, rows[covered].astype(float).sum(axis=1), 0.0)
            keys = [rows.person_id, rows.service_month.dt.year.rename("year"), rows.cell]
            expected = pd.DataFrame({"member_months": 1, "plan_usd": paid}, rows.index).groupby(keys).sum()
            ours = years[(years.program == chosen["program"]) & (years.frame == frame_name)]
            ours = ours.set_index(["person_id", "year", "cell"]).sort_index()
            assert (ours.member_months == expected.member_months).all()
            assert ours.plan_usd.astype(float).to_numpy() == pytest.approx(expected.plan_usd.to_numpy(), abs=0.005)


def test_half_of_those_with_a_year_before_were_of_low_cost(world):
    years = world[3]
    people = (
        years[(years.program == "pace") & (years.frame == "all")].groupby(["year", "person_id"]).was_low_cost.first()
    )
    assert people.loc[2015].isna().all(), "nobody has a year before the first"
    for year in (2016, 2017):
        known = people.loc[year].dropna().astype(bool)
        assert known.sum() == -(-len(known) // 2)


def test_residents_who_move_home_are_in_the_cell_of_a_first_month_at_home(world):
    groups = world[2]
    rows = groups[(groups.program == "msho") & (groups.comparison_group == "common_moved")]
    residents = groups[(groups.program == "msho") & (groups.comparison_group == "common_residents")]
    assert set(rows.cell.map(base_cell)) == {"nhc_conversion", "community_nhc"}, "by 180 days, all being certifiable"
    assert rows.member_months.sum() == residents.member_months.sum()


def test_beyond_the_limit_are_those_the_conversion_cell_would_have_kept(world):
    months, programs, groups, _ = world
    rows = groups[groups.comparison_group == "beyond_limit"]
    assert set(rows.program) == {"msho"}, "the other conversion cell has no limit"
    chosen = next(one for one in programs if one["program"] == "msho")
    kept = sorted_months(months, chosen, frames_of(chosen)["all"])
    late = (kept.months_since_conversion > 12) & (kept.institutional_days_before_move >= 180) & (kept.setting != "NF")
    assert rows.member_months.sum() == late.sum() > 50
