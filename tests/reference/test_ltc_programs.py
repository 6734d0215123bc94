"""Five programs by their own formulas (golden tests 24, 25 and 27 to 30 of methods.md, F).

Formulas: Rudolph NV, Lubitz J. Capitated payment approaches for Medicaid-financed long-term care services.
Health Care Financing Review 1999. The inputs are synthetic and the expected values were computed by hand from
the formulas: the inputs behind the published rates were never published.
"""

from __future__ import annotations

import numpy as np
import pytest

from ltc_world import NF, covered, groups, ltc_months, program, rates
from ratebook.contracts.programs import LtcMemberMonths
from ratebook.programs import primitives
from ratebook.programs.cells import add_capped_benefit, plan_days
from ratebook.programs.rates import derive_program_rates

PROGRAMS = ("pace", "altcs", "starplus", "msho", "ccn")
NET_2100 = "nf_gross=2400 applied_income=300"
PER_DIEM = 12 / 365
STATES = [
    ("California", "California", "average", 2014.50, """
        enrolled | all/65_74/female/W | 50 |
        enrolled | all/75_84/female/W | 30 |
        enrolled | all/85_up/female/W | 20 |
        nursing_facility_by_cell | all/65_74/female/W | 9 | nf_gross=2600
        nursing_facility_by_cell | all/75_84/female/W | 9 | nf_gross=2300
        nursing_facility_by_cell | all/85_up/female/W | 9 | nf_gross=1900"""),
    ("Colorado", "all", "all", 2074.80, """
        nursing_facility | all | 10 | nf_gross=2600 applied_income=200
        hcbs | all | 10 | personal_care=1200"""),
    ("Hawaii", "all", "all", 2400.00, "nursing_facility | all | 10 | nf_gross=2400"),
    ("Illinois", "all", "all", 2100.00, """
        nursing_facility | all | 10 | nf_gross=2400
        hcbs | all | 90 | personal_care=1200"""),
    ("Massachusetts", "all", "all", 2040.00, """
        nursing_facility | all | 70 | nf_gross=2400
        hcbs | all | 30 | personal_care=1200"""),
    ("Maryland", "Maryland", "medicare_ssi", 1720.00, """
        enrolled | medicare_ssi | 10 |
        nursing_facility | medicare_ssi | 10 | nf_gross=2400
        adult_day_care | medicare_ssi | 10 | adult_day_care=1500
        other_hcbs | medicare_ssi | 10 | personal_care=1000"""),
    ("Michigan", "all", "all", 2450.00, "full_year | all | 10 | nf_gross=2450"),
    ("New Mexico", "all", "all", 2085.00, f"nursing_facility | all | 10 | {NET_2100} prescribed_drugs=90"),
    ("Ohio", "all", "all", 1824.00, """
        nursing_facility | all | 60 | nf_gross=2400
        hcbs | all | 40 | personal_care=1200"""),
    ("Oregon", "all", "all", 1598.00, "assisted_living | all | 10 | assisted_living=1300 acute=350"),
    ("Pennsylvania", "all", "all", 1995.00, f"nursing_facility_statewide | all | 10 | {NET_2100}"),
    ("South Carolina", "all", "all", 1995.00, f"nursing_facility | all | 10 | {NET_2100}"),
    ("Texas", "all", "all", 2014.00, f"""
        intermediate | all | 20 | per_diem={2000 * PER_DIEM}
        unrated | all | 50 | per_diem={2300 * PER_DIEM}
        skilled | all | 30 | per_diem={2800 * PER_DIEM}
        nursing_facility_statewide | all | 10 | applied_income=450
        nursing_facility | all | 10 | acute=180 nf_gross=2500"""),
    ("Virginia", "Virginia", "aged_medicare", 1703.6666666666667, """
        enrolled | aged_medicare | 10 |
        not_skilled | aged_medicare | 30 | nf_gross=2400
        skilled | aged_medicare | 10 | nf_gross=2900
        community_long_term_care | aged_medicare | 40 | personal_care=1200"""),
    ("Washington", "all", "all", 2660.00, "three_months | all | 10 | nf_gross=2800"),
    ("Wisconsin", "Wisconsin", "average", 2099.50, f"""
        enrolled | all/65_74 | 40 |
        enrolled | all/85_up | 60 |
        skilled | all | 65 | per_diem={2700 * PER_DIEM}
        intermediate | all | 35 | per_diem={2100 * PER_DIEM}
        nursing_facility_statewide | all | 10 | applied_income=500
        residents_by_age | 65_74 | 90 | acute=400 nf_gross=2500
        residents_by_age | 85_up | 10 | acute=100 nf_gross=2500"""),
]  # fmt: skip


@pytest.mark.parametrize(("state", "frame", "cell", "expected", "amounts"), STATES, ids=[row[0] for row in STATES])
def test_gt25_every_state_by_its_formula(state, frame, cell, expected, amounts):
    assert rates("pace", frame, amounts, state)[cell] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("mode", "expected"), [("single", 2085.00), ("both", 2080.50), ("compound", 1980.75)])
def test_gt25_a_discount_stated_twice_has_three_readings(mode, expected):
    amounts = f"nursing_facility | all | 10 | {NET_2100} prescribed_drugs=90"
    found = rates("pace", "all", amounts, "New Mexico", nm_discount_mode=mode)["all"]
    assert found == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("ratio", "expected"),
    [
        pytest.param(2500 / 2400, 2400.0, id="a dearer projection is held to fee-for-service"),
        pytest.param(0.9, 2280.0, id="a cheaper one is blended in"),
    ],
)
def test_gt25_a_projection_is_blended_up_to_the_fee_for_service_equivalent(ratio, expected):
    amounts = "enrolled | skilled | 10 |\nlong_term_care_by_cell | skilled | 10 | nf_gross=2400"
    found = rates("pace", "New York", amounts, "New York", projection_ratio=ratio)
    assert found["skilled"] == pytest.approx(expected, abs=1e-9)


def test_gt25_no_state_passes_the_cost_of_its_comparable_population():
    for state, frame, _cell, _expected, amounts in STATES:
        if state in ("Texas", "Wisconsin"):
            continue  # their per diem is another source than the cost of their groups in these inputs
        table = derive_program_rates(groups("pace", frame, amounts), [program("pace")], 365, 2, 36_000)
        assert table[(table.state == state) & table.rate_usd.notna()].upl_ok.all(), state


def test_gt27_discounts_by_component_and_no_acute_care_for_those_with_medicare():
    found = rates(
        "starplus",
        "all",
        """\
        enrolled | medicaid_nf_mao | 10 | nf_gross=1800 acute=400
        enrolled | medicaid_waiver | 10 | respite=1100 acute=520
        enrolled | medicaid_other_community | 10 | respite=85 acute=310
        enrolled | dual_nf_mao | 10 | nf_gross=1800 acute=400""",
        "Texas",
    )
    expected = {"medicaid_nf_mao": 2144, "medicaid_waiver": 1539, "medicaid_other_community": 375.25}
    assert found[list(expected)].to_dict() == pytest.approx(expected, abs=1e-9)
    assert found["dual_nf_mao"] == pytest.approx(0.98 * 1800, abs=1e-9)


def test_gt28_the_elderly_waiver_payment_is_the_brick():
    """Every cell is compared with people of its own age and sex: the other cut's amounts are of no account."""
    amounts = """\
        residents | 75_84/female | 10 | acute=420
        community | 75_84/female | 10 | acute=350
        elderly_waiver | 75_84/female | 10 | personal_care=690
        residents | 85_up/male | 90 | acute=9999
        community | 85_up/male | 90 | acute=9999
        elderly_waiver | 85_up/male | 90 | personal_care=9999
        enrolled | institutional/75_84/female | 10 |
        enrolled | nhc_conversion/75_84/female | 10 |
        enrolled | community_nhc/75_84/female | 10 | nf_liable=95
        enrolled | community_non_nhc/75_84/female | 10 | nf_liable=95"""
    names = ["institutional", "nhc_conversion", "community_nhc", "community_non_nhc"]
    cells = [f"{name}/75_84/female" for name in names]
    found = rates("msho", "all", amounts, "Minnesota")
    assert found[cells].tolist() == pytest.approx([420, 1731, 1100.5, 445], abs=1e-9)
    assert found["average"] == pytest.approx((420 + 1731 + 1100.5 + 445) / 4, abs=1e-9)
    compound = rates("msho", "all", amounts, "Minnesota", ew_discount_mode="compound")
    assert compound["community_nhc/75_84/female"] == pytest.approx(350 + 0.9025 * 690 + 95, abs=1e-9)


def test_gt28_the_facility_add_on_is_each_cells_own():
    amounts = """\
        community | 75_84/female | 10 | acute=350
        elderly_waiver | 75_84/female | 10 | personal_care=690
        enrolled | community_nhc/75_84/female | 10 | nf_liable=95
        enrolled | community_non_nhc/75_84/female | 10 | nf_liable=20"""
    found = rates("msho", "all", amounts, "Minnesota")
    assert found["community_non_nhc/75_84/female"] == pytest.approx(370, abs=1e-9)
    assert found["community_nhc/75_84/female"] == pytest.approx(1100.5, abs=1e-9)


@pytest.mark.parametrize(("year_days", "expected"), [(365, 4036.170833333333), (360, 3983.70)])
def test_gt30_a_facility_month_at_98_percent_of_cost_for_residents_and_those_who_came_from_there(year_days, expected):
    amounts = """\
        at_facility | F1 | 10 | per_diem=128.5 ancillary=210
        at_facility | F2 | 10 | per_diem=999 ancillary=999
        enrolled | institutional/F1 | 10 |
        enrolled | nhc_conversion/F1 | 10 |"""
    found = rates("ccn", "all", amounts, "New York", year_days=year_days)
    assert found[["institutional/F1", "nhc_conversion/F1"]].tolist() == pytest.approx([expected] * 2, abs=1e-9)


@pytest.mark.parametrize(("impaired", "months"), [(3, 9), (11, 1), (12, 0), (13, 0)])
def test_gt24_months_at_risk_after_becoming_impaired(impaired, months):
    assert primitives.months_at_risk(impaired) == months


def days_of_plans(table, run, claims: str, months: int) -> dict[str, int]:
    """Facility days of one stay that each program's plan pays, its member covered from 1998-01-01."""
    found = ltc_months(table, claims, covered("1998-01-01", months))
    windows = {name: plan_days(found, program(name)["liability"], "cumulative").sum() for name in PROGRAMS}
    return run(found.aggregate(all=found.nf_days.sum(), **windows))[0]


def test_gt24_a_stay_from_march_to_the_end_of_the_enrolment_year(table, run):
    header = NF + " | discharge_date | discharge_status"
    claims = f"{header}\nA | 1 | 1 | nursing_facility | 1998-03-15 | 1998-12-31 | 29100 | 1998-12-31 | 01"
    expected = {"all": 291, "pace": 291, "altcs": 291, "starplus": 120, "msho": 180, "ccn": 291}
    assert days_of_plans(table, run, claims, 12) == expected


def test_gt24_a_stay_over_the_anniversary(table, run):
    claims = f"{NF}\nA | 1 | 1 | nursing_facility | 1998-03-15 | 1999-04-18 | 40000"
    expected = {"all": 400, "pace": 400, "altcs": 400, "starplus": 120, "msho": 180, "ccn": 292}
    assert days_of_plans(table, run, claims, 24) == expected


def test_gt24_a_stay_the_member_enrolled_into_is_the_states_where_the_program_says_so(table, run):
    claims = f"{NF}\nA | 1 | 1 | nursing_facility | 1997-12-01 | 1998-12-31 | 40000"
    expected = {"all": 365, "pace": 365, "altcs": 365, "starplus": 120, "msho": 0, "ccn": 0}
    assert days_of_plans(table, run, claims, 12) == expected


def test_gt29_a_capped_benefit_waits_six_months_then_stops_at_the_year_and_at_life(table, run):
    rows = [
        {"person_id": "A", "service_month": f"{1998 + n // 12}-{n % 12 + 1:02d}-01", "enrollment_month": "1998-01-01",
         "enrollment_month_number": n + 1, "meals_usd": "300.00", "adult_day_care_usd": "0", "respite_usd": "0",
         "transportation_usd": "0"}
        for n in range(48)
    ]  # fmt: skip
    names = list(rows[0])
    text = "\n".join(["|".join(names), *("|".join(str(row[name]) for name in names) for row in rows)])
    months = add_capped_benefit(table(text, LtcMemberMonths), program("ccn")["capped_benefit"])
    paid = [float(row["capped_benefit_usd"]) for row in run(months.order_by("service_month"))]
    assert paid[:6] == [0] * 6
    assert paid[6:12] == [300] * 6
    assert paid[12:24] == [300] * 8 + [200] + [0] * 3
    assert paid[24:] == [300] * 5 + [100] + [0] * 18
    assert np.sum(paid) == 6000
