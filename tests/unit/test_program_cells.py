"""The cells of a program at their boundaries: which a month belongs to."""

from __future__ import annotations

import pytest

from ltc_world import program
from ratebook.contracts.programs import LtcMemberMonths  # fmt: skip
from ratebook.programs.cells import assign_cell, meets


def cell_of(table, run, name, **month):
    month = {"is_nhc": "true", "setting": "COMM_other", "is_enrolled_in_nf": "false", "dual_group": "full",
             "is_past_anniversary": "false", "medicaid_class": "MAO", "age_band": "75_84", "nf_days_cumulative": 0,
             "institutional_days_before_move": 0, "months_since_conversion": 0, "facility_id": "F1", "is_waiver": "false",
             "dms1_level": ""} | month  # fmt: skip
    months = table("|".join(month) + "\n" + "|".join(str(value) for value in month.values()), LtcMemberMonths)
    return run(assign_cell(months, program(name)["cells"]).name("cell").as_table())[0]["cell"]


MOVED = {"institutional_days_before_move": 180, "months_since_conversion": 1}


@pytest.mark.parametrize(
    ("month", "cell"),
    [
        pytest.param({"setting": "NF", "nf_days_cumulative": 180}, "community_nhc", id="day 180: the cell of home"),
        pytest.param({"setting": "NF", "nf_days_cumulative": 181}, "institutional", id="day 181"),
        pytest.param({"setting": "NF", "is_enrolled_in_nf": "true"}, "institutional", id="enrolled in a facility"),
        pytest.param(MOVED | {"institutional_days_before_move": 179}, "community_nhc", id="179 days before the move"),
        pytest.param(MOVED, "nhc_conversion", id="180 days before the move"),
        pytest.param(MOVED | {"months_since_conversion": 12}, "nhc_conversion", id="month 12 after the move"),
        pytest.param(MOVED | {"months_since_conversion": 13}, "community_nhc", id="month 13 after the move"),
        pytest.param(MOVED | {"months_since_conversion": 13, "is_nhc": "false"}, "community_non_nhc", id="no more"),
        pytest.param({"is_nhc": "false"}, "community_non_nhc", id="at home, not certifiable"),
    ],
)
def test_cells_with_a_window_of_180_days_and_a_year_of_conversion(table, run, month, cell):
    assert cell_of(table, run, "msho", **month) == cell


@pytest.mark.parametrize(
    ("month", "cell"),
    [
        pytest.param({"setting": "NF"}, "community_nhc_level_2", id="in a facility before the anniversary"),
        pytest.param({"setting": "NF", "is_past_anniversary": "true"}, "institutional/F1", id="from the anniversary"),
        pytest.param({"setting": "NF", "is_enrolled_in_nf": "true"}, "institutional/F1", id="enrolled in a facility"),
        pytest.param(MOVED | {"institutional_days_before_move": 152}, "community_nhc_level_2", id="152 days"),
        pytest.param(MOVED | {"institutional_days_before_move": 153}, "nhc_conversion/F1", id="more than five months"),
        pytest.param(MOVED | {"months_since_conversion": 40}, "nhc_conversion/F1", id="no limit on conversion"),
        pytest.param({"dms1_level": ""}, "community_nhc_unscored", id="never scored"),
        pytest.param({"is_nhc": "false", "medicaid_class": "SSI"}, "community_non_nhc_ssi", id="unimpaired, SSI"),
        pytest.param({"is_nhc": "false"}, "community_non_nhc_mao", id="unimpaired, medical assistance only"),
        pytest.param(
            {"is_nhc": "false", "medicaid_class": "none"}, "community_non_nhc_other/75_84", id="unimpaired, by age"
        ),
    ],
)
def test_cells_with_an_anniversary_and_three_levels(table, run, month, cell):
    assert cell_of(table, run, "ccn", **{"dms1_level": 2} | month) == cell


@pytest.mark.parametrize(
    ("month", "cell"),
    [
        ({"setting": "NF", "medicaid_class": "SSI"}, "dual_nf_ssi"),
        ({"setting": "NF"}, "dual_nf_mao"),
        ({"is_waiver": "true"}, "dual_waiver"),
        ({}, "dual_other_community"),
        ({"dual_group": "none", "setting": "NF", "medicaid_class": "SSI"}, "medicaid_nf_ssi"),
        ({"dual_group": "none", "setting": "NF"}, "medicaid_nf_mao"),
        ({"dual_group": "none", "is_waiver": "true"}, "medicaid_waiver"),
        ({"dual_group": "none"}, "medicaid_other_community"),
    ],
)
def test_eight_cells_by_medicare_and_place(table, run, month, cell):
    assert cell_of(table, run, "starplus", **month) == cell


def test_a_condition_on_a_missing_value_is_not_met(table, run):
    months = table("age_years | plan\n | x\n55 | x\n54 | x", LtcMemberMonths)
    found = months.mutate(is_met=meets(months, {"age_years": {"min": 55}}))
    assert sorted(run(found.is_met)) == [False, False, True]
