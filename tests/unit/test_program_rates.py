"""How a rate is put together: signs, weights within limits, caps, whom a cell is compared with, how far it is believed."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from ltc_world import groups, program
from ratebook.programs import primitives
from ratebook.programs.published import describe
from ratebook.programs.rates import Costs, cut_of, derive_program_rates, price_rate
from ratebook.programs.replicates import Sums

DRAWN = """\
    enrolled | home/75_84 | 40 | applied_income=30 acute=200 hospice=50
    enrolled | home/85_up | 60 | acute=100
    residents | all | 30 | nf_gross=3000 applied_income=300
    neighbours | 75_84 | 10 | meals=500
    neighbours | 85_up | 10 | meals=900"""
RESIDENTS = {"blend": {"residents": 1}, "costs": ["nf_gross"]}


def here(*rates: dict, **scheme) -> dict:
    """A program with one scheme, its cells cut by age: the rates as given."""
    cells = [{"cell": "home", "when": {}, "by": ["age_band"]}]
    cut = {"residents": {"when": {}}, "neighbours": {"when": {}, "by": "cut"}}
    made = {
        "state": "Here",
        "area": "all",
        "era": "all",
        "frame": "all",
        "rates": list(rates),
        "cells": cells,
        "groups": cut,
    }
    plain = {key: value for key, value in program("msho").items() if key != "capped_benefit"}
    return copy.deepcopy(plain | {"schemes": [made | scheme]})


def priced(*rates: dict, full: float = 36_000, **scheme):
    table = derive_program_rates(groups("msho", "all", DRAWN), [here(*rates, **scheme)], 365, 2, full)
    return table.set_index("cell")


def price(rate: dict, cell: str = "home/75_84") -> float:
    made = here(rate)
    costs = Costs(made, made["schemes"][0], Sums(groups("msho", "all", DRAWN), "msho", "all", 2), 365)
    return float(price_rate(rate, cell, costs)["rate"][0])


def ratio_bid(bid: float, position: float = 0.5) -> dict:
    return {"unit": "ratio", "bid": bid, "low": 0.9, "high": 1.1, "position": position}


@pytest.mark.parametrize(
    ("times", "bid", "expected"),
    [
        pytest.param(1, 1.1, 3300, id="a cost at the top of the range stands"),
        pytest.param(1, 1.2, 3000, id="above it falls to the midpoint"),
        pytest.param(1, 0.5, 1500, id="below the range stands"),
        pytest.param(2, 1.2, 6000, id="a factor of 2 comes after the bid"),
        pytest.param(-1, 0.9, -2700, id="an offset at its least stands"),
        pytest.param(-1, 0.8, -3000, id="a smaller offset is above the range, and falls to the midpoint"),
        pytest.param(-1, 1.2, -3600, id="a larger one is below the range, and stands"),
        pytest.param(-0.5, 0.8, -1500, id="half an offset comes after the bid"),
    ],
)
def test_a_bid_is_read_on_the_signed_amount(times, bid, expected):
    assert price({"terms": [RESIDENTS | {"times": times, "bids": {"residents": ratio_bid(bid)}}]}) == pytest.approx(
        expected
    )


@pytest.mark.parametrize(
    ("times", "bid", "is_below"),
    [
        pytest.param(1, 0.9, False, id="a cost at the foot of the range"),
        pytest.param(1, 0.89, True, id="a cost below it"),
        pytest.param(1, 1.2, False, id="a cost above it"),
        pytest.param(-1, 1.1, False, id="an offset at its largest"),
        pytest.param(-1, 1.11, True, id="a larger one is below the range"),
        pytest.param(-1, 0.8, False, id="a smaller one is above it"),
    ],
)
def test_a_bid_below_its_range_stands_and_is_noted(times, bid, is_below):
    term = RESIDENTS | {"times": times, "bids": {"residents": ratio_bid(bid)}}
    notes = priced({"terms": [term]}).note
    assert ("bid below its range, as it is" in (notes["home/75_84"] or "")) == is_below


def test_dollars_of_an_offset_are_bid_as_negative_dollars():
    bid = {"unit": "usd", "bid": -40, "low": -70, "high": -50, "position": 0.5}
    assert price({"terms": [{"usd": 60, "times": -1, "bids": {"usd": bid}}]}) == pytest.approx(-60)
    assert price({"terms": [{"usd": -60, "bids": {"usd": bid}}]}) == pytest.approx(-60)


def test_an_adder_may_be_bid():
    adders = [
        {"name": "fee", "usd": 100, "bid": ratio_bid(1.2, 0.4)},
        {"name": "load", "share": 0.1, "bid": ratio_bid(1.0)},
    ]
    assert price({"terms": [RESIDENTS], "adders": adders}) == pytest.approx((3000 + 98) * 1.1)


@pytest.mark.parametrize(
    ("most", "expected"),
    [
        pytest.param(0.5, {"a": 0.4, "b": 0.3, "c": 0.3}, id="below the limit nothing changes"),
        pytest.param(0.4, {"a": 0.4, "b": 0.3, "c": 0.3}, id="at the limit neither"),
        pytest.param(0.1, {"a": 0.1, "b": 0.45, "c": 0.45}, id="above it the others take the rest in proportion"),
    ],
)
def test_the_greatest_weight_of_a_group(most, expected):
    found = primitives.limit_weight({"a": np.array(0.4), "b": np.array(0.3), "c": np.array(0.3)}, "a", most)
    assert {group: float(weight) for group, weight in found.items()} == pytest.approx(expected)


def test_a_weight_taken_from_a_group_goes_somewhere_even_where_the_others_have_no_months():
    found = primitives.limit_weight({"a": np.array(1.0), "b": np.array(0.0), "c": np.array(0.0)}, "a", 0.6)
    assert {group: float(weight) for group, weight in found.items()} == pytest.approx({"a": 0.6, "b": 0.2, "c": 0.2})
    unknown = primitives.limit_weight({"a": np.array(np.nan), "b": np.array(np.nan)}, "a", 0.6)
    assert all(np.isnan(weight) for weight in unknown.values())


def test_a_share_is_never_above_one():
    found = primitives.set_weight({"a": np.array(0.9), "b": np.array(0.1)}, "a", 0.9 * 1.2)
    assert [float(weight) for weight in found.values()] == [1.0, 0.0]


@pytest.mark.parametrize(
    ("cap", "expected"),
    [pytest.param(3100, 3013, id="above: as it is"), (3013, 3013), pytest.param(2000, 2000, id="held")],
)
def test_a_rate_may_not_pass_its_cap(cap, expected):
    fee = [{"name": "fee", "usd": 13}]
    assert price({"terms": [RESIDENTS], "adders": fee, "cap": {"usd": cap}}) == pytest.approx(expected)


def test_a_cap_that_is_not_known_leaves_the_rate_unknown():
    nobody = {"blend": {"neighbours": 1}, "costs": ["meals"]}
    assert np.isnan(price({"terms": [RESIDENTS], "cap": nobody}, "home/55_64"))


def test_a_cell_is_compared_with_people_of_its_cut():
    found = priced({"terms": [{"blend": {"neighbours": 1}, "costs": ["meals"]}]}).rate_usd
    assert found[["home/75_84", "home/85_up"]].tolist() == [500, 900]
    assert found["average"] == pytest.approx(0.4 * 500 + 0.6 * 900)


def test_a_cell_that_is_not_cut_is_compared_with_all():
    assert [cut_of(cell) for cell in ("home", "home/75_84", "home/75_84/female")] == ["all", "75_84", "75_84/female"]


def test_groups_may_have_costs_of_their_own():
    costs = {"residents": ["nf_gross"], "enrolled": ["acute", "hospice"]}
    term = {"blend": {"residents": 0.5, "enrolled": 0.5}, "costs": costs}
    assert price({"terms": [term]}) == pytest.approx(0.5 * 3000 + 0.5 * (200 + 50))


def test_what_the_state_pays_net_of_the_share_of_cost():
    gross, net = priced({"terms": [RESIDENTS]}), priced({"terms": [RESIDENTS]}, pay_net_soc=True)
    assert gross.payment_usd.tolist() == gross.rate_usd.tolist() == net.rate_usd.tolist() == [3000] * 3
    assert net.payment_usd.to_dict() == {"home/75_84": 2970, "home/85_up": 3000, "average": pytest.approx(2988)}


@pytest.mark.parametrize(
    ("full", "credibility"),
    [
        pytest.param(80, 1.0, id="at the full standard"),
        pytest.param(79, 1.0, id="above it"),
        pytest.param(320, 0.5, id="a quarter of it: half"),
    ],
)
def test_credibility_is_the_square_root_of_own_months_over_the_full_standard(full, credibility):
    found = priced({"terms": [RESIDENTS]}, full=full)
    assert found.member_months["home/75_84"] == 80, "two replicates of 40"
    assert found.credibility["home/75_84"] == pytest.approx(credibility)


def test_a_cell_without_members_has_no_credibility():
    table = derive_program_rates(
        groups("msho", "all", "residents | 75_84/female | 9 | acute=1"), [program("msho")], 365, 2, 36_000
    )
    assert (table.credibility == 0).all() and table.payment_usd.isna().all()


def test_a_formula_says_its_bids_limits_and_cap():
    term = {"observed": ["residents", "neighbours"], "costs": ["covered"], "at_most": {"neighbours": 0.35}}
    term |= {"bids": {"residents": ratio_bid(1.0)}, "share_bids": {"residents": ratio_bid(1.0, 0.4)}}
    words = describe({"terms": [term], "adders": [{"name": "fee", "usd": 1, "bid": ratio_bid(1.0)}], "cap": RESIDENTS})
    for part in (
        "neighbours at most 0.35",
        "share of residents as bid",
        "fee $1.00 as bid",
        "; at most (residents: nf gross)",
    ):
        assert part in words
    assert words.endswith("; a bid above its range falls to 0.4 of it; a bid above its range falls to 0.5 of it")
