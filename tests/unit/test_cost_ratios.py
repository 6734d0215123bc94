"""Ratios, forms and contrasts of cost by hand: with their limits, or with the reason why they have none."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ratebook.cost.break_even import icer
from ratebook.cost.payment_forms import price_clients
from ratebook.cost.pmpm import compare_ratios, ratio_of_sums
from ratebook.cost.resample import contrast, summary


def test_no_month_behind_a_rate_is_no_rate():
    found = ratio_of_sums(np.array([5.0]), np.array([0.0]), np.array(["P"]))
    assert np.isnan(found["estimate_usd"]) and found["reason"] == "no month stands behind the rate"


def test_the_linearised_error_is_that_of_a_mean_when_every_denominator_is_one():
    values = np.array([1.0, 4.0, 7.0, 8.0])
    found = ratio_of_sums(values, np.ones(4), np.arange(4))
    assert found["std_error"] == pytest.approx(values.std(ddof=1) / 2)


def test_a_ratio_of_two_arms_has_limits_around_it():
    first = ratio_of_sums(np.array([1.0, 3.0, 2.0]), np.ones(3), np.arange(3))
    second = ratio_of_sums(np.array([4.0, 5.0, 3.0]), np.ones(3), np.arange(3))
    found = compare_ratios(first, second)
    assert found["ratio"] == pytest.approx(0.5)
    assert found["ratio_lower"] * found["ratio_upper"] == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("parts", "paid"),
    [
        ({"per_episode_usd": 100}, 200.0),
        ({"per_month_usd": 10}, 25.0),
        ({"per_month_usd": 10, "max_months": 2}, 20.0),
        ({"per_month_usd": 10, "needs_contacts": True}, 40.0),
        ({"per_month_usd": 10, "needs_contacts": True, "max_months": 3}, 30.0),
        ({"per_day_usd": 2}, 60.0),
        ({"per_unit_usd": 12, "per_episode_usd": 1}, 62.0),
        ({}, 0.0),
    ],
)
def test_a_form_pays_the_sum_of_its_parts(parts, paid):
    client = pd.DataFrame([{"spells": 2, "e": 2.5, "contact_months": 4, "engaged_days": 30, "billable_units": 5}])
    assert price_clients(client, parts, "e").tolist() == [paid]


@pytest.mark.parametrize(
    ("dollars", "months", "quadrant"), [(5, 2, "NE"), (5, -2, "NW"), (-5, 2, "SE"), (-5, -2, "SW")]
)
def test_a_cost_ratio_comes_with_its_quadrant(dollars, months, quadrant):
    rng = np.random.default_rng(0)
    found = icer(dollars + np.r_[0, rng.normal(0, 0.1, 99)], months + np.r_[0, rng.normal(0, 0.1, 99)], 2.0)
    assert found["quadrant"] == quadrant
    assert found["lower"] < dollars / months < found["upper"]


def test_extra_months_that_may_be_none_give_no_limits():
    rng = np.random.default_rng(0)
    found = icer(5 + np.r_[0, rng.normal(0, 1, 99)], 0.1 + np.r_[0, rng.normal(0, 1, 99)], 2.0)
    assert np.isnan(found["lower"]) and "no finite limits" in found["reason"]


def test_a_contrast_with_a_lone_cluster_has_no_replicates():
    difference, _ = contrast(np.array([3.0]), np.array([1.0, 2.0, 3.0]))
    assert summary(difference)["estimate"] == 2.0 and summary(difference)["reason"]
