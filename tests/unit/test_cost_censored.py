"""Mean cost seen through censoring: identities of the estimators, and a planted mean found again."""

from __future__ import annotations

import numpy as np
import pytest

from cost_data import EDGES, random_tables
from ratebook.contracts import cost as contracts
from ratebook.cost.censored import Panel, Sample, accrued_cost, mean_cost
from ratebook.cost.panels import build_panels

people = pytest.fixture(random_tables, scope="module")


def test_without_censoring_every_estimator_is_the_plain_mean():
    rng = np.random.default_rng(0)
    followed = np.minimum(rng.geometric(1 / 300, 200), 365)
    amount = rng.gamma(1, 50, (200, 12)) * (followed[:, None] > EDGES[:-1])
    panel = Panel(followed, np.ones(200, dtype=bool), np.arange(200) % 10, EDGES, {"cost": amount})
    for method in contracts.METHODS:
        assert mean_cost(Sample(panel), "cost", method)[0] == pytest.approx(amount.sum(axis=1).mean()), method


@pytest.mark.parametrize(
    ("method", "bias"), [("partitioned", 0), ("simple", 0), ("zhao_tian", 0), ("available_case", 1)]
)
def test_the_planted_mean_is_found_through_censoring(method, bias):
    # $10 a day while alive, and $2,000 at death: deaths every 500 days, censoring every 400.
    rng = np.random.default_rng(11)
    n = 40_000
    death, leaves = rng.geometric(1 / 500, n), rng.geometric(1 / 400, n)
    alive = np.minimum(death, 365)
    followed = np.minimum(alive, leaves)
    is_complete = alive <= leaves
    days = np.clip(followed[:, None] - EDGES[:-1], 0, EDGES[1:] - EDGES[:-1])
    died = is_complete & (death <= 365)
    at_death = (died[:, None] & (followed[:, None] > EDGES[:-1]) & (followed[:, None] <= EDGES[1:])) * 2000.0
    panel = Panel(followed, is_complete, np.arange(n) % 10, EDGES, {"cost": days * 10.0 + at_death})
    chance = 1 - (1 - 1 / 500) ** 365
    truth = 10 * 500 * chance + 2000 * chance
    found = mean_cost(Sample(panel), "cost", method)[0]
    assert found < 0.8 * truth if bias else found == pytest.approx(truth, rel=0.02)


def test_a_weight_of_two_is_the_cluster_twice(people):
    panel = build_panels(*people, EDGES)["RSN"]
    first = panel.cluster == 0
    number = np.concatenate([np.arange(panel.persons), np.flatnonzero(first)])
    doubled = Panel(
        panel.followed_days[number],
        panel.is_complete[number],
        panel.cluster[number],
        EDGES,
        {"total_sud": panel.amounts["total_sud"][number]},
    )
    weights = np.ones((1, panel.clusters))
    weights[0, 0] = 2
    for method in contracts.METHODS:
        twice = mean_cost(Sample(doubled), "total_sud", method)
        assert mean_cost(Sample(panel, weights), "total_sud", method) == pytest.approx(twice), method


def test_accrued_cost_never_falls(people):
    panel = build_panels(*people, EDGES)["CSP"]
    assert (np.diff(accrued_cost(Sample(panel), "tcoc")[0]) >= 0).all()
