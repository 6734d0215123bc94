"""GT-15 of methods.md D4: four members, three months, by hand. A month is ten days here."""

from __future__ import annotations

import numpy as np
import pytest

from ratebook.cost.censored import Panel, Sample, mean_cost

FOUR = Panel(
    followed_days=np.array([30, 15, 20, 30]),
    is_complete=np.array([True, True, False, True]),
    cluster=np.arange(4),
    edges=np.array([0, 10, 20, 30]),
    amounts={"cost": np.array([[100, 100, 100], [100, 50, 0], [200, 200, 0], [50, 50, 50]], dtype=float)},
)


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("lin", 1 * 112.5 + 1 * 100 + 0.75 * 75),
        ("partitioned", 112.5 + 100 + 56.25),
        ("simple", (300 / (2 / 3) + 150 + 150 / (2 / 3)) / 4),
        ("available_case", 250.0),
        ("complete_case", 200.0),
    ],
)
def test_every_estimator_gives_the_mean_worked_by_hand(method, expected):
    assert mean_cost(Sample(FOUR), "cost", method)[0] == pytest.approx(expected, abs=1e-9)


def test_zhao_tian_adds_what_the_censored_member_spent_beyond_those_at_risk():
    # At month 2 A, C and D are at risk with 200, 400 and 100; K after the censoring is 2/3.
    expected = 206.25 + (400 - 700 / 3) / (2 / 3) / 4
    assert mean_cost(Sample(FOUR), "cost", "zhao_tian")[0] == pytest.approx(expected, abs=1e-9)


def test_censoring_counts_after_a_death_on_the_same_day():
    share = Sample(FOUR).observed_share[0]
    assert share[20] == 1.0
    assert share[21] == pytest.approx(2 / 3)
    assert share[30] == pytest.approx(2 / 3)


def test_lin_is_the_partitioned_estimate_when_censoring_falls_on_the_edges():
    rng = np.random.default_rng(7)
    n, edges = 400, np.arange(0, 121, 10)
    death = rng.geometric(1 / 150, n)
    censored = rng.choice(edges[1:], n)
    followed = np.minimum.reduce([death, censored, np.full(n, 120)])
    observed = np.clip(followed[:, None] - edges[:-1], 0, 10)
    panel = Panel(
        followed_days=followed,
        is_complete=(death <= censored) | (followed == 120),
        cluster=np.arange(n) % 20,
        edges=edges,
        amounts={"cost": observed * rng.gamma(2, 10, (n, 1))},
    )
    lin = mean_cost(Sample(panel), "cost", "lin")[0]
    assert mean_cost(Sample(panel), "cost", "partitioned")[0] == pytest.approx(lin, rel=1e-9)
