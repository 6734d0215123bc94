"""Both arms drawn once: what all comparisons of them share."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cost_data import STUDY, panels_of, random_tables
from ratebook.cost.arms import compare_arms
from ratebook.cost.censored import Sample, mean_cost
from ratebook.cost.drawn import MEANS, draw_arms, draw_panels
from ratebook.cost.resample import draw_providers

SETTINGS = STUDY | {"boot_reps": 30, "seed": 3, "hybrid": {}, "month_values_usd": [500]}
people = pytest.fixture(random_tables, scope="module")
panels = pytest.fixture(panels_of, scope="module")


def test_every_mean_is_that_of_the_arm_and_of_each_replicate(people, panels):
    drawn, weights = draw_arms(*people, SETTINGS), draw_providers(panels, 30, 3)
    for arm, panel in panels.items():
        assert set(drawn.means[arm]) == set(MEANS)
        np.testing.assert_array_equal(drawn.weights[arm], weights[arm])
        for name in ("tcoc", "engaged_months", "units of OP_SUD"):
            again = mean_cost(Sample(panel, weights[arm]), name, "partitioned")
            np.testing.assert_array_equal(drawn.means[arm][name], again)
    assert drawn.has_both and drawn.absent == ""


def test_an_arm_of_one_provider_takes_the_replicates_of_the_pair_and_not_of_the_other_arm(panels):
    lone = replace(panels["CSP"], cluster=np.zeros(panels["CSP"].persons, dtype=int), provider=None)
    drawn = draw_panels({"RSN": panels["RSN"], "CSP": lone}, 20, 1)
    assert len(drawn.means["RSN"]["tcoc"]) == 21
    assert [len(draws["tcoc"]) for draws in drawn.pair] == [1, 1]


def test_rows_rest_on_their_own_arm_and_differences_on_both(panels):
    drawn = draw_panels(panels, 20, 1)
    assert drawn.persons("difference") == drawn.persons("RSN") + drawn.persons("CSP")
    assert drawn.reach("difference") < drawn.reach("RSN")
    assert drawn.found(np.array([1.0, 0.5, 1.5]), "difference")["lower"] < 0
    assert drawn.found(np.array([1.0, 0.5, 1.5]), "RSN")["lower"] > 0


@pytest.mark.parametrize("arms", [["RSN"], ["CSP"], []])
def test_without_both_arms_nothing_is_compared(people, arms):
    drawn = draw_arms(people[0][people[0].arm.isin(arms)], *people[1:], SETTINGS)
    assert not drawn.has_both and all(table.empty for table in compare_arms(drawn, SETTINGS).values())


def test_an_arm_seen_too_briefly_leaves_reasons_and_no_estimate(people):
    drawn = draw_arms(*people, SETTINGS | {"min_observed_share": 1.0})
    assert drawn.absent.startswith("too few members")
    for name, table in compare_arms(drawn, SETTINGS).items():
        assert len(table) and (table.reason == drawn.absent).all(), name
