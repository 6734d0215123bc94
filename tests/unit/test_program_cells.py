"""The programs at their boundaries: which cell a month belongs to, who may enrol, which days are the plan's."""

from __future__ import annotations

import pytest

from ltc_world import program
from ratebook.contracts.programs import LtcMemberMonths
from ratebook.programs.cells import assign_cell, meets, plan_days
from ratebook.programs.rates import base_cell, cut_of

AT_HOME = {
    "is_nhc": "true", "setting": "COMM_other", "is_enrolled_in_nf": "false", "dual_group": "full", "sex": "female",
    "is_past_anniversary": "false", "medicaid_class": "MAO", "age_band": "75_84", "nf_days_cumulative": 0,
    "institutional_days_before_move": 0, "months_since_conversion": 0, "facility_id": "F1", "is_waiver": "false",
    "dms1_level": "", "is_aged_or_disabled": "true",
}  # fmt: skip
MOVED = {"institutional_days_before_move": 180, "months_since_conversion": 1}
RESIDENT = {"setting": "NF"}


@pytest.fixture
def month(table):
    """One drawn month at home, but for what is given."""

    def draw(**given):
        cells = AT_HOME | given
        return table("|".join(cells) + "\n" + "|".join(str(value) for value in cells.values()), LtcMemberMonths)

    return draw


@pytest.fixture
def cell_of(month, run):
    """The cell of a drawn month by the decision table of a program."""

    def find(name, given):
        months = month(**given)
        return run(assign_cell(months, program(name)["cells"]).name("cell").as_table())[0]["cell"]

    return find


@pytest.mark.parametrize(
    ("given", "cell"),
    [
        pytest.param(RESIDENT | {"nf_days_cumulative": 180}, "community_nhc", id="day 180: the cell of home"),
        pytest.param(RESIDENT | {"nf_days_cumulative": 181}, "institutional", id="day 181"),
        pytest.param(RESIDENT | {"is_enrolled_in_nf": "true"}, "institutional", id="enrolled in a facility"),
        pytest.param(MOVED | {"institutional_days_before_move": 179}, "community_nhc", id="179 days before the move"),
        pytest.param(MOVED, "nhc_conversion", id="180 days before the move"),
        pytest.param(MOVED | {"months_since_conversion": 12}, "nhc_conversion", id="month 12 after the move"),
        pytest.param(MOVED | {"months_since_conversion": 13}, "community_nhc", id="month 13 after the move"),
        pytest.param(MOVED | {"months_since_conversion": 13, "is_nhc": "false"}, "community_non_nhc", id="no more"),
        pytest.param({"is_nhc": "false"}, "community_non_nhc", id="at home, not certifiable"),
    ],
)
def test_cells_with_a_window_of_180_days_and_a_year_of_conversion(cell_of, given, cell):
    found = cell_of("msho", given)
    assert (base_cell(found), cut_of(found)) == (cell, "75_84/female")


@pytest.mark.parametrize(
    ("given", "cell"),
    [
        pytest.param(RESIDENT, "community_nhc_level_2", id="in a facility before the anniversary"),
        pytest.param(RESIDENT | {"is_past_anniversary": "true"}, "institutional/F1", id="from the anniversary"),
        pytest.param(RESIDENT | {"is_enrolled_in_nf": "true"}, "institutional/F1", id="enrolled in a facility"),
        pytest.param(MOVED | {"institutional_days_before_move": 152}, "community_nhc_level_2", id="152 days: under 152.19"),
        pytest.param(MOVED | {"institutional_days_before_move": 153}, "nhc_conversion/F1", id="more than five months"),
        pytest.param(MOVED | {"months_since_conversion": 13}, "nhc_conversion/F1", id="month 13 after the move"),
        pytest.param(MOVED | {"months_since_conversion": 40}, "nhc_conversion/F1", id="no limit on conversion"),
        pytest.param({"dms1_level": 1}, "community_nhc_level_1", id="level 1"),
        pytest.param({"dms1_level": 3}, "community_nhc_level_3", id="level 3"),
        pytest.param({"dms1_level": ""}, "community_nhc_unscored", id="never scored"),
        pytest.param({"is_nhc": "false", "medicaid_class": "SSI"}, "community_non_nhc_ssi", id="unimpaired, SSI"),
        pytest.param({"is_nhc": "false"}, "community_non_nhc_mao", id="unimpaired, medical assistance only"),
        pytest.param(
            {"is_nhc": "false", "medicaid_class": "none"}, "community_non_nhc_other/75_84", id="unimpaired, by age"
        ),
    ],
)  # fmt: skip
def test_cells_with_an_anniversary_and_three_levels(cell_of, given, cell):
    assert cell_of("ccn", {"dms1_level": 2} | given) == cell


@pytest.mark.parametrize(
    ("given", "cell"),
    [
        (RESIDENT | {"medicaid_class": "SSI"}, "dual_nf_ssi"),
        (RESIDENT, "dual_nf_mao"),
        ({"is_waiver": "true"}, "dual_waiver"),
        ({}, "dual_other_community"),
        (RESIDENT | {"dual_group": "none", "medicaid_class": "SSI"}, "medicaid_nf_ssi"),
        (RESIDENT | {"dual_group": "none"}, "medicaid_nf_mao"),
        ({"dual_group": "none", "is_waiver": "true"}, "medicaid_waiver"),
        ({"dual_group": "none"}, "medicaid_other_community"),
    ],
)
def test_eight_cells_by_medicare_and_place(cell_of, given, cell):
    assert cell_of("starplus", given) == cell


@pytest.mark.parametrize(
    ("name", "youngest"), [("pace", 55), ("modern", 55), ("msho", 65), ("ccn", 65), ("starplus", 21)]
)
def test_the_year_before_the_lowest_age_may_not_enrol(month, run, name, youngest):
    rule = program(name)["population"]
    found = [run(meets(month(age_years=age), rule).name("x").as_table())[0]["x"] for age in (youngest - 1, youngest)]
    assert found == [False, True]


@pytest.mark.parametrize(
    ("name", "given", "days"),
    [
        pytest.param("starplus", {"nf_days_cumulative": 120}, 1, id="day 120 is the plan's"),
        pytest.param("starplus", {"nf_days_cumulative": 121}, 0, id="day 121 is not"),
        pytest.param("starplus", {"nf_days_cumulative": 120, "is_enrolled_in_nf": "true"}, 1, id="enrolled into"),
        pytest.param("msho", {"nf_days_cumulative": 180}, 1, id="day 180 is the plan's"),
        pytest.param("msho", {"nf_days_cumulative": 181}, 0, id="day 181 is the State's"),
        pytest.param("msho", {"nf_days_cumulative": 1, "is_enrolled_in_nf": "true"}, 0, id="a stay enrolled into"),
        pytest.param("ccn", {"nf_days_cumulative": 365}, 1, id="a day of the year the stay began in"),
        pytest.param("ccn", {"nf_days_cumulative": 1, "is_past_anniversary": "true"}, 0, id="a day past the anniversary"),
        pytest.param("pace", {"nf_days_cumulative": 9999, "is_past_anniversary": "true"}, 1, id="every day"),
        pytest.param("altcs", {"nf_days_cumulative": 9999, "is_enrolled_in_nf": "true"}, 1, id="every day, by the mix"),
        pytest.param("modern", {"nf_days_cumulative": 9999}, 1, id="every day today"),
    ],
)  # fmt: skip
def test_the_days_of_the_plan(month, run, name, given, days):
    found = plan_days(month(nf_days=1, **RESIDENT, **given), program(name)["liability"], "cumulative")
    assert run(found.name("x").as_table())[0]["x"] == days


def test_a_condition_on_a_missing_value_is_not_met(table, run):
    months = table("age_years | plan\n | x\n55 | x\n54 | x", LtcMemberMonths)
    found = months.mutate(is_met=meets(months, {"age_years": {"min": 55}}))
    assert sorted(run(found.is_met)) == [False, False, True]
