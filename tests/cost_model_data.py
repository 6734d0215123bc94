"""Two arms' members for models of cost, from arrays: costs, covariates, providers, and who was observed."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ratebook.contracts.episodes import ARMS
from ratebook.cost.censored import Panel
from ratebook.cost.two_part import Members

HORIZON = 365
SETTINGS = {
    "horizon_days": HORIZON,
    "intervals": 12,
    "boot_reps": 200,
    "min_observed_share": 0.05,
    "seed": 7,
    "covariates": [],
    "winsor_quantile": 0.99,
    "cost_cap_usd": 100_000,
}


def members_of(rsn, csp, covariates=None, providers=2, followed=None) -> Members:
    """Members with these costs; the first arm's before the second's, all observed to the horizon unless said."""
    costs = {"RSN": np.asarray(rsn, float), "CSP": np.asarray(csp, float)}
    panels, units, first = {}, [], 0
    for arm in ARMS:
        count = len(costs[arm])
        days = np.full(count, HORIZON) if followed is None else np.asarray(followed[arm])
        cluster = np.arange(count) % providers
        panels[arm] = Panel(
            followed_days=days,
            is_complete=days >= HORIZON,
            cluster=cluster,
            edges=np.array([0, HORIZON]),
            amounts={"total_sud": costs[arm][:, None]},
        )
        units.append(first + cluster)
        first += panels[arm].clusters
    total = sum(len(values) for values in costs.values())
    return Members(
        treated=np.repeat([True, False], [len(costs[arm]) for arm in ARMS]),
        covariates=pd.DataFrame(index=range(total)) if covariates is None else covariates,
        unit=np.concatenate(units),
        panels=panels,
        costs={"total_sud": np.concatenate([costs[arm] for arm in ARMS])},
    )


def simulated(seed: int = 3, persons: int = 240, zeros: float = 0.2) -> Members:
    """A program with two covariates that differ by arm, gamma costs, some members without, some censored."""
    rng = np.random.default_rng(seed)
    half = persons // 2
    x = rng.normal(np.repeat([0.3, -0.3], half), 1.0)
    z = (rng.random(persons) < 0.4).astype(float)
    mean = np.exp(6 + 0.4 * np.repeat([1, 0], half) + 0.3 * x - 0.2 * z)
    cost = np.where(rng.random(persons) < zeros, 0.0, rng.gamma(1.5, mean / 1.5))
    days = np.where(rng.random(persons) < 0.15, rng.integers(30, 360, persons), HORIZON)
    followed = {"RSN": days[:half], "CSP": days[half:]}
    return members_of(cost[:half], cost[half:], pd.DataFrame({"x": x, "z": z}), 12, followed)
