"""A rate added up from bid components, in three eras (golden test 26 of methods.md, F2).

Rules: Rudolph NV, Lubitz J. Health Care Financing Review 1999, text on ALTCS. The inputs are synthetic and the
expected values were computed by hand.
"""

from __future__ import annotations

import pytest

from ltc_world import SETTINGS, groups, program, rates
from ratebook.programs import primitives
from ratebook.programs.rates import Costs, price_rate
from ratebook.programs.replicates import Sums

PER_DIEM = 12 / 365


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
    assert 0 <= SETTINGS["altcs_p"]["value"] < 0.5, "the midpoint is 0.5"


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
