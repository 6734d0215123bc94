"""Five programs by their own formulas (golden tests 24 to 30 of methods.md, F).

Formulas: Rudolph NV, Lubitz J. Capitated payment approaches for Medicaid-financed long-term care services.
Health Care Financing Review 1999. The inputs are synthetic and the expected values were computed by hand from
the formulas: the inputs behind the published rates were never published.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ltc_world import NF, covered, groups, ltc_months, program
from ratebook.contracts.programs import LtcMemberMonths
from ratebook.programs import primitives
from ratebook.programs.cells import add_capped_benefit, plan_days
from ratebook.programs.rates import Costs, derive_program_rates, price_rate
from ratebook.programs.replicates import Sums


def rates(
    name: str, frame: str, amounts: str, state: str, era: str = "all", year_days: float = 365, **settings
) -> pd.Series:
    """A state's rates by cell, of drawn amounts; areas of one state share them."""
    table = derive_program_rates(groups(name, frame, amounts), [program(name, **settings)], year_days, 2, 36_000)
    table = table[(table.state == state) & (table.era == era)]
    return table.set_index(["area", "cell"]).rate_usd.xs(table.area.iloc[0])


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


def test_gt26_bids_above_the_range_fall_to_its_midpoint_and_offsets_are_negative():
    def bid(amount, low, high):
        return {"unit": "usd", "bid": amount, "low": low, "high": high, "position": 0.5}

    fixed = [("tpl", -60, -70, -50), ("share of cost", -280, -300, -260), ("lag", 10, 10, 10), ("cm", 75, 75, 75)]
    fixed += [("admin", 150, 110, 140), ("mental", 30, 30, 30), ("acute", 310, 310, 310), ("profit", 60, 30, 50)]
    terms = [
        {
            "blend": {"institutional": 0.65, "home": 0.35},
            "costs": ["nf_net"],
            "bids": {"institutional": bid(2450, 2200, 2400), "home": bid(700, 650, 750)},
        }
    ] + [{"usd": amount, "bids": {"usd": bid(amount, low, high)}} for _, amount, low, high in fixed]
    drawn = "institutional | all | 10 | nf_net=1\nhome | all | 10 | nf_net=1"
    sums = Sums(groups("altcs", "all", drawn), "altcs", "all", 2)
    costs = Costs(program("altcs"), program("altcs")["schemes"][0], sums, 365)
    assert price_rate({"terms": terms}, "all", costs)["rate"] == pytest.approx(1990.00, abs=1e-9)


ARIZONA = """\
    enrolled | all/West | 20 | acute=250 tpl=60 behavioral_health=30 applied_income=280
    institutional_by_cell | all/West | 13 | nf_gross=2300
    home_by_cell | all/West | 7 | personal_care=600 adult_day_care=100"""
RANGE = {"bid_range_low": 0.9, "bid_range_high": 1.1, "mix_reweight": 1.0, "capitation_lag_usd": 10}
RANGE |= {"case_management_usd": 75, "admin_share": 125 / 1825, "profit_share": 40 / 1950}


@pytest.mark.parametrize(
    ("bid", "offset", "expected"),
    [
        pytest.param(1.0, 1.0, 1990.00, id="bids within the range stand"),
        pytest.param(1.2, 1.0, 1990.00, id="costs bid above the range fall to its midpoint, our cost"),
        pytest.param(1.0, 0.8, 1990.00, id="offsets bid above the range, so less negative, fall to its midpoint"),
        pytest.param(1.0, 0.9, 1990.00 + 34 * 1990 / 1825, id="offsets a tenth smaller are at the top: they stand"),
        pytest.param(1.0, 1.2, 1990.00 - 68 * 1990 / 1825, id="larger offsets are below the range: they stand"),
    ],
)
def test_gt26_the_eleven_components_add_up_to_the_worked_rate(bid, offset, expected):
    found = rates("altcs", "all", ARIZONA, "Arizona", "1994-95", bid_ratio=bid, offset_bid_ratio=offset, **RANGE)
    assert found["all/West"] == pytest.approx(expected, abs=1e-9)


def test_gt26_the_mix_is_a_component_that_is_bid_too():
    """Ratios of 1.1 are the top of a range of 0.9 to 1.1, so that they stand: the institutional share is 0.715."""
    found = rates("altcs", "all", ARIZONA, "Arizona", "1994-95", bid_ratio=1.1, offset_bid_ratio=1.0, **RANGE)
    months = 1.1 * (0.715 * 2300 + 0.285 * 700)
    others = 1.1 * (30 + 310 + 10 + 75) - 60 - 280
    with_administration = (months + others) * (1 + 1.1 * 125 / 1825)
    assert found["all/West"] == pytest.approx(with_administration * (1 + 1.1 * 40 / 1950), abs=1e-9)


@pytest.mark.parametrize(
    ("bid", "position", "factor"),
    [
        pytest.param(1.0, 0.4, 1.0, id="a bid within the range stands"),
        pytest.param(1.2, 0.4, 0.98, id="above the range: two fifths into it, below the midpoint"),
        pytest.param(1.2, 0.0, 0.9, id="above the range: its low end"),
    ],
)
def test_gt26_five_later_components_fall_below_the_midpoint_and_the_state_sets_the_rest(bid, position, factor):
    found = rates("altcs", "all", ARIZONA, "Arizona", "1996-97", bid_ratio=bid, altcs_p=position, **RANGE)
    terms = factor * (1740 + 30 + 250) - 280 + 75
    terms *= 1 + factor * 125 / 1825
    assert found["all/West"] == pytest.approx(terms * (1 + factor * 40 / 1950), abs=1e-9)


@pytest.mark.parametrize(
    ("cap", "share"),
    [
        pytest.param(0.40, 0.35, id="below the cap the historical share of home care stands"),
        pytest.param(0.35, 0.35, id="at the cap too"),
        pytest.param(0.20, 0.20, id="above it the facility takes the rest"),
    ],
)
def test_the_earliest_years_take_facility_rates_and_a_capped_share_of_home_care(cap, share):
    amounts = ARIZONA.replace("13 | nf_gross=2300", f"13 | nf_gross=9 per_diem={2300 * PER_DIEM}")
    found = rates("altcs", "all", amounts, "Arizona", "before 1994", home_share_cap=cap, **RANGE)
    terms = (1 - share) * 2300 + share * 700 + 30 + 310 - 60 - 280
    expected = (terms + 75) * (1 + 125 / 1825) * (1 + 40 / 1950)
    assert found["all/West"] == pytest.approx(expected, abs=1e-9)


def test_gt26_later_bids_above_the_range_fall_below_its_midpoint():
    found = float(primitives.evaluate_bid(2450, 2200, 2400, 0.40))
    assert 2200 <= found < 2300


@pytest.mark.parametrize(
    ("actual", "share", "deadband", "settlement"),
    [
        pytest.param(0.67, 1.0, 0.0, 384_000, id="the State pays all of two points more in facilities"),
        pytest.param(0.67, 0.5, 0.0, 192_000, id="half of it is shared"),
        pytest.param(0.70, 0.5, 0.02, 288_000, id="five points, less a deadband of two, halved"),
        pytest.param(0.67, 0.5, 0.02, 0, id="the deadband's limit still settles nothing"),
        pytest.param(0.60, 0.5, 0.02, -288_000, id="the same the other way is paid back"),
    ],
)
def test_gt26_the_mix_is_settled(actual, share, deadband, settlement):
    found = primitives.settle_mix(0.65, actual, 2300, 700, 12_000, share, deadband)
    assert found == pytest.approx(settlement, abs=1e-6)


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
def test_gt30_a_facility_month_at_98_percent_of_cost(year_days, expected):
    amounts = "enrolled | institutional/F1 | 10 | per_diem=128.5 ancillary=210"
    assert rates("ccn", "all", amounts, "New York", year_days=year_days)["institutional/F1"] == pytest.approx(
        expected, abs=1e-9
    )


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
